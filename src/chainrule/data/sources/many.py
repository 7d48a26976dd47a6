"""Several files of the same columns, one below the other."""

from __future__ import annotations

import glob
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from chainrule.data.column import Column
from chainrule.data.report import Note, named
from chainrule.data.sources.query import is_query
from chainrule.data.stack import Stack
from chainrule.data.table import Table
from chainrule.errors import DataError


def matching(pattern: str) -> list[Path]:
    """The files that a pattern with *, ? or [] stands for, by name; ** goes into subfolders."""
    if not glob.has_magic(pattern) or "\0" in pattern or is_query(pattern):
        return []
    return [
        Path(name) for name in sorted(glob.glob(pattern, recursive=True)) if Path(name).is_file()
    ]


def from_many(paths: Sequence[Path], source: str, read: Callable[[Path], Table]) -> Table:
    """The rows of all files, matched by the names of their columns.

    Lines run on from file to file; a note says on which line each file begins. DataError if a
    file has other columns than the first.
    """
    stack = Stack(sum(path.stat().st_size for path in paths))
    parts, begins, end = list[Table](), list[str](), 0
    for path in paths:
        parts.append(_put_below(stack, read(path), parts[:1], end))
        begins.append(f"{path} on line {end + 1:,}")
        end = max(int(parts[-1].lines[-1]), *(bad.line for bad in parts[-1].rejected), 0)
    notes = [note for part in parts for note in part.notes]
    if len(parts) > 1:
        text = f"the lines of {len(parts)} files are counted on: {named(begins, limit=5)}"
        notes.insert(0, Note(about="files", text=text, count=len(parts)))
    first, rejected = parts[0], tuple(bad for part in parts for bad in part.rejected)
    return Table(
        stack.columns(),
        stack.lines,
        source,
        first.named,
        rejected,
        tuple(notes),
        layout=first.layout,
    )


def _put_below(stack: Stack, table: Table, first: Sequence[Table], end: int) -> Table:
    """Add a table whose lines follow `end`; what is left of it, without its cells."""
    if first and set(table.names) != set(first[0].names):
        raise _differing(first[0], table)
    lines = table.lines.astype(np.int64) + end
    stack.add(table.columns, lines)
    rejected = tuple(replace(bad, line=bad.line + end) for bad in table.rejected)
    columns = dict.fromkeys(table.names, Column.of([]))
    return replace(table, columns=columns, lines=lines[-1:], rejected=rejected)


def _differing(first: Table, other: Table) -> DataError:
    missing = [name for name in first.names if name not in other.columns]
    more = [name for name in other.names if name not in first.columns]
    found = [f"without {named(missing)}"] * bool(missing) + [f"with {named(more)}"] * bool(more)
    return DataError(
        f"{other.source} has other columns than {first.source}",
        got=" and ".join(found),
        hint="--header, --no-header or --names, if a header was taken for data or data for one",
    )

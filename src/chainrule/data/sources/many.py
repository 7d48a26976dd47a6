"""Several files of the same columns, one below the other."""

from __future__ import annotations

import glob
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from chainrule.data.arrays import below
from chainrule.data.report import Note, named
from chainrule.data.sources.query import is_query
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
    tables = [read(path) for path in paths]
    first = tables[0]
    for table in tables[1:]:
        if set(table.names) != set(first.names):
            raise _differing(first, table)
    ends = np.cumsum([0, *(_last_line(table) for table in tables)])[:-1].tolist()
    begins = [f"{path} on line {end + 1:,}" for path, end in zip(paths, ends, strict=True)]
    notes = [note for table in tables for note in table.notes]
    if len(tables) > 1:
        text = f"the lines of {len(tables)} files are counted on: {named(begins, limit=5)}"
        notes.insert(0, Note(about="files", text=text, count=len(tables)))
    columns = {name: below([table.columns[name] for table in tables]) for name in first.names}
    placed = list(zip(tables, ends, strict=True))
    return Table(
        columns,
        np.concatenate([table.lines + end for table, end in placed]),
        source,
        first.named,
        tuple(replace(bad, line=bad.line + end) for table, end in placed for bad in table.rejected),
        tuple(notes),
        layout=first.layout,
    )


def _last_line(table: Table) -> int:
    """The last line that is known of a file."""
    return max(int(table.lines[-1]), *(bad.line for bad in table.rejected), 0)


def _differing(first: Table, other: Table) -> DataError:
    missing = [name for name in first.names if name not in other.columns]
    more = [name for name in other.names if name not in first.columns]
    found = [f"without {named(missing)}"] * bool(missing) + [f"with {named(more)}"] * bool(more)
    return DataError(
        f"{other.source} has other columns than {first.source}",
        got=" and ".join(found),
        hint="--header, --no-header or --names, if a header was taken for data or data for one",
    )

"""Rows and columns that cannot be learned from, and the notes that say so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from chainrule.data.columns import ColumnKind
from chainrule.data.report import Note, counted, listed
from chainrule.data.table import Rejected, Table


def rejected_notes(table: Table) -> list[Note]:
    """What was decided in reading the table, and what could not be read as rows, if anything."""
    by_reason: dict[str, list[int]] = {}
    for rejected in table.rejected:
        by_reason.setdefault(rejected.reason, []).append(rejected.line)
    return [*table.notes, *(_left_out(lines, why) for why, lines in by_reason.items())]


def _left_out(lines: list[int], why: str) -> Note:
    text = f"{counted(len(lines), 'line')} left out: {why}"
    return Note(about="lines", text=text, count=len(lines), lines=lines, finding=True)


def drop_rows(
    table: Table, keep: NDArray[np.bool_], about: str, why: str
) -> tuple[Table, list[Note]]:
    """The rows to keep, and a note about the others if there are any."""
    gone = table.lines[~keep]
    if len(gone) == 0:
        return table, []
    text = f"{counted(len(gone), 'row')} left out: {why}"
    note = Note(about=about, text=text, count=len(gone), lines=listed(gone), finding=True)
    return table.take(keep), [note]


def drop_headers(table: Table) -> tuple[Table, list[Note]]:
    """The table without rows that repeat its header, as files put one below the other have them.

    >>> table, notes = drop_headers(Table.of({"x": ["1", "x", "2"], "y": ["a", "y", "b"]}))
    >>> table.lines.tolist(), str(notes[0])
    ([1, 3], '1 row left out: the header again (line 2)')
    """
    again = np.full(len(table), table.named and len(table.columns) > 1)
    for name, column in table.columns.items():
        if not again.any():
            break
        again &= column.same_as(name)
    return drop_rows(table, ~again, "lines", "the header again")


def without_headers(table: Table) -> Table:
    """The table with the rows that repeat its header among its rejected lines.

    >>> without_headers(Table.of({"x": ["1", "x"], "y": ["a", "y"]})).rejected
    (Rejected(line=2, text='x, y', reason='the header again'),)
    """
    kept, notes = drop_headers(table)
    text = ", ".join(table.names)
    again = [Rejected(line, text, "the header again") for note in notes for line in note.lines]
    rejected = sorted([*table.rejected, *again], key=lambda bad: bad.line)
    return replace(kept, rejected=tuple(rejected)) if again else table


def drop_empty(table: Table) -> tuple[Table, list[Note]]:
    """The table without rows in which every cell is missing.

    >>> drop_empty(Table.of({"x": [1, "?"], "y": ["a", None]}))[0].lines.tolist()
    [1]
    """
    empty = np.full(len(table), len(table.columns) > 1)
    for column in table.columns.values():
        if not empty.any():
            break
        empty &= column.missing
    return drop_rows(table, ~empty, "lines", "every cell is missing")


def why_left_out(kind: ColumnKind) -> str | None:
    """Why a column is no use as an input, or None.

    >>> from chainrule.data.columns import column_kinds
    >>> why_left_out(column_kinds(Table.of({"x": ["a", "a"]}))["x"])
    'every cell has the same value'
    """
    return kind.reason if kind.kind in ("constant", "empty", "id") else None

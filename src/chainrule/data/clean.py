"""Rows and columns that cannot be learned from, and the notes that say so."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chainrule.data.column import Column
from chainrule.data.columns import ColumnKind, labels
from chainrule.data.report import Note, counted, listed
from chainrule.data.table import Table

REPEATS = 0.5
"""When more than this share of all rows are repeats, they are counts, not mistakes: they stay."""

COVERED = 0.1
"""A text column is id-like when its frequent categories cover less than this share of its rows."""


def rejected_note(table: Table) -> list[Note]:
    """What was decided in reading the table, and what could not be read as rows, if anything."""
    if not table.rejected:
        return list(table.notes)
    first = table.rejected[0]
    text = f"{counted(len(table.rejected), 'line')} left out: {first.reason}"
    lines = [line.line for line in table.rejected]
    return [*table.notes, Note(about="lines", text=text, count=len(lines), lines=lines)]


def drop_rows(
    table: Table, keep: NDArray[np.bool_], about: str, why: str
) -> tuple[Table, list[Note]]:
    """The rows to keep, and a note about the others if there are any."""
    gone = table.lines[~keep]
    if len(gone) == 0:
        return table, []
    text = f"{counted(len(gone), 'row')} left out: {why}"
    return table.take(keep), [Note(about=about, text=text, count=len(gone), lines=listed(gone))]


def drop_duplicates(table: Table) -> tuple[Table, list[Note]]:
    """The table without rows that repeat an earlier one in every cell, and a note of their lines.

    Where more than half of all rows are repeats (few columns, few values) they are taken as
    counts: they stay, and the note says so.

    >>> table, notes = drop_duplicates(Table.of({"x": [1, 2, 1, 3], "y": ["a", "b", "a", "b"]}))
    >>> table.lines.tolist(), str(notes[0])
    ([1, 2, 4], '1 row left out: repeats an earlier row (line 3)')
    """
    earliest = first_equal([_identity(column) for column in table.columns.values()])
    repeats = earliest != np.arange(len(table))
    count = int(np.count_nonzero(repeats))
    if count > REPEATS * len(table):
        text = f"{counted(count, 'row')} repeat an earlier row; kept, as more than half of all do"
        return table, [Note(about="duplicates", text=text, count=count)]
    words = "repeats an earlier row" if count == 1 else "they repeat earlier rows"
    return drop_rows(table, ~repeats, "duplicates", words)


def also_in(table: Table, other: Table) -> int:
    """How many rows of `table` are also rows of `other`, by the columns that both have."""
    names = [name for name in table.names if name in other.columns]
    joined = [_joined(other.columns[name], table.columns[name]) for name in names]
    earliest = first_equal(joined)[len(other) :]
    return int(np.count_nonzero(earliest < len(other)))


def _identity(column: Column) -> NDArray[np.int64]:
    """Integers that are equal where two cells are, as numbers if all of them are."""
    if len(column.bad):
        return column.codes
    numbers = np.where(column.missing, np.nan, column.numbers + 0.0)
    return numbers.view(np.int64)


def _joined(first: Column, second: Column) -> NDArray[np.int64]:
    """Two columns, one below the other, as integers equal where their labels are."""
    codes, names = labels(first)
    others, other_names = labels(second)
    places = {name: place for place, name in enumerate(names)}
    moved = [places.setdefault(name, len(places)) for name in other_names]
    return np.concatenate([codes, np.array(moved, dtype=np.int64)[others]])


def first_equal(codes: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """For each row the earliest row that equals it in every column, int64 [n].

    Rows are grouped by a mixed hash, then compared in full with the first of their group.
    """
    if not codes:
        return np.zeros(0, dtype=np.int64)
    mixed = np.zeros(len(codes[0]), dtype=np.uint64)
    for column in codes:
        mixed = (mixed ^ column.view(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    _, first, group = np.unique(mixed, return_index=True, return_inverse=True)
    earliest = first[group]
    equal = np.ones(len(mixed), dtype=np.bool_)
    for column in codes:
        equal &= column == column[earliest]
    return np.where(equal, earliest, np.arange(len(mixed)))


def why_left_out(kind: ColumnKind, column: Column, others: bool) -> str | None:
    """Why a column is no use as an input, or None; `others`: there are other inputs.

    `column` holds the training rows in the order of the file.
    """
    if kind.kind in ("constant", "empty"):
        return kind.reason
    if kind.asked:
        return None
    if kind.kind == "numeric" and others and counts_up(kind, column):
        return "it numbers the rows"
    if kind.kind == "category" and names_rows(column):
        return f"hardly any of its {kind.distinct:,} values comes up often enough to learn from"
    return None


def counts_up(kind: ColumnKind, column: Column) -> bool:
    """Whether whole numbers only number the rows: they rise from about 0, row by row.

    Each is larger than the one before, and at least half of the numbers from 0 to the last are
    there (the others belong to rows that are not for training). Years do not pass for that.
    """
    if not kind.integer or kind.missing or kind.bad or len(column) < 10:
        return False
    numbers = column.numbers
    rising = bool((np.diff(numbers) > 0).all()) and numbers[0] >= 0
    return rising and len(numbers) >= 0.5 * (numbers[-1] + 1)


def names_rows(column: Column) -> bool:
    """Whether a text column names single rows: frequent categories cover under a tenth of it.

    A column that is often missing stays: whether it is there may tell something.
    """
    codes, named = labels(column)
    counts = np.bincount(codes, minlength=len(named))
    known = np.array([name is not None for name in named])
    missing, present = counts[~known].sum(), counts[known]
    least = min_count(len(column))
    frequent = present[present >= least].sum()
    return bool(frequent < COVERED * present.sum() and missing < least)


def min_count(rows: int) -> int:
    """How many training rows a category needs to be learned on its own: a hundredth, 3 to 10.

    >>> min_count(100), min_count(600), min_count(30000)
    (3, 6, 10)
    """
    return max(3, min(10, rows // 100))

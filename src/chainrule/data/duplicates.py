"""Rows that are there twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data.arrays import below
from chainrule.data.clean import drop_rows
from chainrule.data.column import AT_ONCE, Column
from chainrule.data.lines import every_place
from chainrule.data.report import Note, counted
from chainrule.data.table import Table

Reading = Callable[[], NDArray[np.int64]]
"""What makes a column's integers, int64 [n], when they are wanted: they are not all kept."""

REPEATS = 0.5
"""When more than this share of all rows are repeats, they are counts, not mistakes: they stay."""


def drop_duplicates(table: Table) -> tuple[Table, list[Note]]:
    """The table without rows that repeat an earlier one in every cell, and a note of their lines.

    Where more than half of all rows are repeats (few columns, few values) they are taken as
    counts: they stay, and the note says so.

    >>> table, notes = drop_duplicates(Table.of({"x": [1, 2, 1, 3], "y": ["a", "b", "a", "b"]}))
    >>> table.lines.tolist(), str(notes[0])
    ([1, 2, 4], '1 row left out: repeats an earlier row (line 3)')
    """
    earliest = first_equal(identities(table.columns.values()))
    repeats = earliest != every_place(len(table))
    count = int(np.count_nonzero(repeats))
    if count > REPEATS * len(table):
        text = f"{counted(count, 'row')} repeat an earlier row; kept, as more than half of all do"
        return table, [Note(about="duplicates", text=text, count=count)]
    words = "repeats an earlier row" if count == 1 else "they repeat earlier rows"
    return drop_rows(table, ~repeats, "duplicates", words)


def also_in(table: Table, other: Table) -> NDArray[np.bool_]:
    """Which rows of `table` are also rows of `other`, by the columns that both have; bool [n]."""
    both = stacked(other, table)
    return first_equal(identities(both.values()))[len(other) :] < len(other)


def stacked(first: Table, second: Table) -> dict[str, Column]:
    """The columns that two tables share, the rows of the first above those of the second."""
    names = [name for name in first.names if name in second.columns]
    return {name: below([first.columns[name], second.columns[name]]) for name in names}


def identities(columns: Iterable[Column]) -> list[Reading]:
    """The integers of each column that are equal where two of its cells are."""
    return [partial(getattr, column, "identity") for column in columns]


def first_equal(readings: Sequence[Reading]) -> NDArray[Any]:
    """For each row the earliest that equals it in all that the readings give, int32 [n].

    Rows are grouped by a mixed hash of 8 bytes; only rows that share theirs are read again and
    compared in full, with the first of their group. One reading is in memory at a time.

    >>> first_equal([lambda: np.array([7, 8, 7]), lambda: np.array([1, 1, 1])]).tolist()
    [0, 1, 0]
    """
    if not readings:
        return every_place(0)
    mixed = _mixed(readings)
    again = _repeated(mixed)
    earliest = every_place(len(mixed))
    if not len(again):
        return earliest
    rows = np.flatnonzero(np.isin(mixed, again))
    _, first, group = np.unique(mixed[rows], return_index=True, return_inverse=True)
    leaders = rows[first[group]]
    equal = np.ones(len(rows), dtype=np.bool_)
    for reading in readings:
        codes = reading()
        equal &= codes[rows] == codes[leaders]
    earliest[rows[equal]] = leaders[equal]
    return earliest


def _repeated(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The numbers that are there more than once."""
    ordered = np.sort(numbers)
    return np.asarray(ordered[1:][ordered[1:] == ordered[:-1]])


def _mixed(readings: Sequence[Reading]) -> NDArray[np.uint64]:
    """A hash of each row, uint64 [n]."""
    mixed = np.zeros(0, dtype=np.uint64)
    for reading in readings:
        codes = reading().view(np.uint64)
        mixed = mixed if len(mixed) else np.zeros_like(codes)
        for start in range(0, len(mixed), AT_ONCE):
            piece = mixed[start : start + AT_ONCE]
            piece ^= codes[start : start + AT_ONCE]
            piece *= np.uint64(0x9E3779B97F4A7C15)
            piece ^= piece >> np.uint64(29)
    return mixed

"""Rows that are there twice."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chainrule.data.arrays import below
from chainrule.data.clean import drop_rows
from chainrule.data.column import Column
from chainrule.data.report import Note, counted
from chainrule.data.table import Table

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
    earliest = first_equal([column.identity for column in table.columns.values()])
    repeats = earliest != np.arange(len(table))
    count = int(np.count_nonzero(repeats))
    if count > REPEATS * len(table):
        text = f"{counted(count, 'row')} repeat an earlier row; kept, as more than half of all do"
        return table, [Note(about="duplicates", text=text, count=count)]
    words = "repeats an earlier row" if count == 1 else "they repeat earlier rows"
    return drop_rows(table, ~repeats, "duplicates", words)


def also_in(table: Table, other: Table) -> NDArray[np.bool_]:
    """Which rows of `table` are also rows of `other`, by the columns that both have; bool [n]."""
    both = stacked(other, table)
    return first_equal([column.identity for column in both.values()])[len(other) :] < len(other)


def stacked(first: Table, second: Table) -> dict[str, Column]:
    """The columns that two tables share, the rows of the first above those of the second."""
    names = [name for name in first.names if name in second.columns]
    return {name: below([first.columns[name], second.columns[name]]) for name in names}


def first_equal(codes: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """For each row the earliest row that equals it in every column of codes, int64 [n].

    Rows are grouped by a mixed hash, then compared in full with the first of their group.
    """
    if not codes:
        return np.zeros(0, dtype=np.int64)
    mixed = np.zeros(len(codes[0]), dtype=np.uint64)
    for column in codes:
        mixed = (mixed ^ column.view(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    if (np.diff(np.sort(mixed)) > 0).all():  # no two are equal, which a plain sort shows soonest
        return np.arange(len(mixed))
    _, first, group = np.unique(mixed, return_index=True, return_inverse=True)
    earliest = first[group]
    equal = np.ones(len(mixed), dtype=np.bool_)
    for column in codes:
        equal &= column == column[earliest]
    return np.where(equal, earliest, np.arange(len(mixed)))

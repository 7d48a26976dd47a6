"""Rows that are there twice: in every cell, or in all that tells rows apart."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from chainrule.data.clean import drop_rows
from chainrule.data.column import Column
from chainrule.data.labels import labels
from chainrule.data.report import Note, counted, listed
from chainrule.data.split import Split
from chainrule.data.table import Table
from chainrule.data.votes import is_free_text

REPEATS = 0.5
"""When more than this share of all rows are repeats, they are counts, not mistakes: they stay."""

LEAST_COLUMNS = 3
"""Rows that agree in fewer columns than this may well be different things."""


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


def near_duplicates(table: Table, but: Collection[str]) -> tuple[NDArray[np.int64], list[Note]]:
    """For each row the earliest that is nearly the same, int64 [n], and a note of the later ones.

    Rows are nearly the same if they agree in all columns except `but` (the target, and what names
    or numbers rows), whatever the case of letters and the spaces. At least three columns must
    agree, or one of free text. Where more than half of all rows do so, they are different things
    that look alike.

    >>> table = Table.of({"id": [1, 2], "a": ["x", "X "], "b": [5, 5], "c": ["u v", "U  v"]})
    >>> near_duplicates(table, ["id"])[0].tolist()
    [0, 0]
    """
    own = np.arange(len(table))
    names = [name for name in table.names if name not in but]
    columns = [table.columns[name] for name in names]
    if len(names) < LEAST_COLUMNS and not any(is_free_text(column) for column in columns):
        return own, []
    numbers = [_identity(column) for column in columns if len(column.bad) == 0]
    if numbers and (first_equal(numbers) == own).all():
        return own, []  # which saves a look at the texts
    earliest = first_equal([*numbers, *(_alike(c) for c in columns if len(c.bad))])
    later = np.flatnonzero(earliest != own)
    if not 0 < len(later) <= REPEATS * len(table):
        return own, []
    words = "equals an earlier row" if len(later) == 1 else "equal earlier rows"
    apart = ", ".join(name for name in table.names if name in but)
    but_for = f"in all but {apart}" if apart else "but for letter case and spaces"
    text = f"{counted(len(later), 'row')} {words} {but_for}; kept on one side of a split"
    lines = listed(table.lines[later])
    return earliest, [
        Note(about="duplicates", text=text, count=len(later), lines=lines, finding=True)
    ]


def joined(split: Split, leaders: NDArray[np.int64], earliest: NDArray[np.int64]) -> Split:
    """A split of the `leaders` as one of all rows: each is in the part of its `earliest` row.

    >>> split = Split(np.array([0]), np.array([], int), np.array([1]))
    >>> joined(split, np.array([0, 1]), np.array([0, 1, 0])).train.tolist()
    [0, 2]
    """
    parts = {name: np.isin(earliest, leaders[rows]) for name, rows in vars(split).items()}
    return Split(**{name: np.flatnonzero(rows) for name, rows in parts.items()})


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


def _alike(column: Column) -> NDArray[np.int64]:
    """Integers that are equal where two texts are, but for letter case and spaces."""
    codes, named = labels(column)
    plain = [None if name is None else " ".join(name.casefold().split()) for name in named]
    places = {name: place for place, name in enumerate(dict.fromkeys(plain))}
    return np.array([places[name] for name in plain], dtype=np.int64)[codes]


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

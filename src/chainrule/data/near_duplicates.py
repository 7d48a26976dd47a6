"""Rows that are nearly the same, and how a split keeps them together."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial

import numpy as np
from numpy.typing import NDArray

from chainrule.data.column import AT_ONCE, Column
from chainrule.data.duplicates import REPEATS, first_equal, identities, stacked
from chainrule.data.labels import labels
from chainrule.data.lines import every_place
from chainrule.data.report import Note, counted, listed
from chainrule.data.split import Split
from chainrule.data.table import Table
from chainrule.data.votes import is_free_text

LEAST_COLUMNS = 3
"""Rows that agree in fewer columns than this may well be different things."""

LARGEST_GROUP = 0.5
"""Groups that near duplicates join into one of more than this share of the rows stay apart."""


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
    columns = [column for name, column in table.columns.items() if name not in but]
    earliest = _earliest(columns, len(table))
    later = np.flatnonzero(earliest != every_place(len(table)))
    if not len(later):
        return earliest, []
    words = "equals an earlier row" if len(later) == 1 else "equal earlier rows"
    text = f"{counted(len(later), 'row')} {words} {_but_for(table, but)}; kept"
    return earliest, [_note(text, table.lines[later])]


def near_rows_in(table: Table, other: Table, but: Collection[str]) -> list[Note]:
    """A note of the rows of `table` that nearly are rows of `other`, which stay."""
    both = stacked(other, table)
    columns = [column for name, column in both.items() if name not in but]
    earliest = _earliest(columns, len(other) + len(table))[len(other) :]
    found = np.flatnonzero(earliest < len(other))
    if not len(found):
        return []
    words = f"{counted(len(found), 'row')} of {table.source}"
    verb = "equals a training row" if len(found) == 1 else "equal training rows"
    return [_note(f"{words} {verb} {_but_for(table, but)}; kept", table.lines[found])]


def crossing_note(table: Table, split: Split, earliest: NDArray[np.int64]) -> list[Note]:
    """A note of the rows that are in another part than the row that they nearly equal."""
    part_of = np.zeros(len(table), dtype=np.int64)
    for part, rows in enumerate(vars(split).values()):
        part_of[rows] = part
    apart = np.flatnonzero(part_of != part_of[earliest])
    if not len(apart):
        return []
    text = f"{counted(len(apart), 'row')} in another part of the split than the equal one; kept"
    return [_note(text, table.lines[apart])]


def split_together(same: NDArray[np.int64], split: Callable[[NDArray[np.int64]], Split]) -> Split:
    """A split in which rows of equal `same`, int64 [n], are in one part.

    `split` is given the places of the first rows of each; it splits 0, 1, ... for them.

    >>> one_each = lambda rows: Split(rows[:1], rows[:0], rows[1:])
    >>> split = split_together(np.array([7, 8, 7]), one_each)
    >>> split.train.tolist(), split.test.tolist()
    ([0, 2], [1])
    """
    if (same[1:] > same[:-1]).all():  # none is like another
        return split(every_place(len(same)))
    leaders = np.sort(np.unique(same, return_index=True)[1])
    found = {name: same[leaders[rows]] for name, rows in vars(split(leaders)).items()}
    return Split(**{name: np.flatnonzero(np.isin(same, of)) for name, of in found.items()})


def joined_groups(groups: NDArray[np.int64], earliest: NDArray[np.int64]) -> NDArray[np.int64]:
    """Groups, int64 [n], of which those that share a near duplicate are one.

    As they were, if more than half of all rows would be in one group then.

    >>> joined_groups(np.array([0, 0, 1, 2, 2, 3]), np.array([0, 1, 1, 3, 4, 5])).tolist()
    [0, 0, 0, 2, 2, 3]
    """
    root = np.arange(int(groups.max()) + 1)
    while True:
        here, there = root[groups], root[groups[earliest]]
        if (here == there).all():
            break
        low = np.minimum(here, there)
        np.minimum.at(root, here, low)
        np.minimum.at(root, there, low)
        root = root[root]
    joined = root[groups]
    return groups if np.bincount(joined).max() > LARGEST_GROUP * len(groups) else joined


def _earliest(columns: list[Column], rows: int) -> NDArray[np.int64]:
    """For each row the earliest that is nearly the same in some columns; itself if it is none."""
    own = every_place(rows)
    if len(columns) < LEAST_COLUMNS and not any(is_free_text(column) for column in columns):
        return own
    numbers = identities(column for column in columns if len(column.bad) == 0)
    if numbers and (first_equal(numbers) == own).all():
        return own  # which saves a look at the texts
    texts = [partial(_alike, column) for column in columns if len(column.bad)]
    earliest = first_equal([*numbers, *texts])
    return own if np.count_nonzero(earliest != own) > REPEATS * rows else earliest


def _but_for(table: Table, but: Collection[str]) -> str:
    """In what rows that are nearly the same may differ, in words."""
    apart = ", ".join(name for name in table.names if name in but)
    return f"in all but {apart}" if apart else "but for letter case and spaces"


def _note(text: str, lines: NDArray[np.int64]) -> Note:
    return Note(about="duplicates", text=text, count=len(lines), lines=listed(lines), finding=True)


def _alike(column: Column) -> NDArray[np.int64]:
    """Integers that are equal where two texts are, but for letter case and spaces."""
    if column.hashes is not None:
        return _alike_of_many(column)
    codes, named = labels(column)
    plain = [None if name is None else " ".join(name.casefold().split()) for name in named]
    places = {name: place for place, name in enumerate(dict.fromkeys(plain))}
    return np.array([places[name] for name in plain], dtype=np.int64)[codes]


def _alike_of_many(column: Column) -> NDArray[np.int64]:
    """Hashes that are equal where `_alike` is, of texts that are too many to be held."""
    found = np.empty(len(column), dtype=np.int64)
    for start in range(0, len(column), AT_ONCE):
        texts = column.at(slice(start, start + AT_ONCE)).tolist()
        plain = (None if column.means_missing(t) else " ".join(t.casefold().split()) for t in texts)
        found[start : start + AT_ONCE] = [hash(text) for text in plain]
    return found

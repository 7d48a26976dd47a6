"""Texts and numbers that stand for "not known": those found, and those that look like it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from chainrule.data.column import MISSING, Column, number_text
from chainrule.data.table import Table

STAND_INS = tuple(float(f"{sign}{nines}") for nines in (99, 999, 9999, 99999) for sign in ("", "-"))
"""Numbers that people write where they know none."""

LEAST_OFTEN = 3
"""A stand-in is written more than once or twice."""

LEAST_VALUES = 20
"""Fewer different numbers are a scale of answers; a text among them may be one of the answers."""


def marked(table: Table, missing: Mapping[str, str]) -> Table:
    """A table in whose columns more texts mean "not known": by column, those that `|` separates.

    An empty text among them drops the usual markers, so that only they and empty cells count.

    >>> table = Table.of({"age": ["7", "999", "?"], "job": ["none", "cook", ""]})
    >>> table = marked(table, {"age": "999", "job": ""})
    >>> [table.column(name).missing.tolist() for name in table.names]
    [[False, True, True], [False, False, True]]
    """
    if not missing:
        return table
    columns = dict(table.columns)
    for key, texts in missing.items():
        given, name = texts.split("|"), table.name_of(key)
        columns[name] = columns[name].marked([*given, *(() if "" in given else MISSING)])
    return replace(table, columns=columns)


def markers_met(column: Column) -> dict[str, int]:
    """The markers of missing cells that a column holds, with their counts; "" is the empty cell.

    >>> markers_met(Column.of(["1", "?", "?", "", "NA"]))
    {'': 1, '?': 2, 'NA': 1}
    """
    if not column.missing.any():
        return {}
    cells = column.at(column.missing)
    written = cells[cells != None]  # noqa: E711 (element by element)
    empty = {"": len(cells) - len(written)} if len(written) < len(cells) else {}
    return {**empty, **dict(sorted(Counter(written.tolist()).items()))}


def plain_stand_in(column: Column) -> tuple[str, int] | None:
    """A number such as 999 or -99 that is plainly a marker, with its count; None if there is none.

    It is written at least three times, and lies farther from all other numbers than those lie
    from each other. It is only proposed: nobody but the owner of the data knows.

    >>> plain_stand_in(Column.of([21, 35, 999, 64, 999, 999]))
    ('999', 3)
    """
    numbers = column.numbers[~np.isnan(column.numbers)]
    if len(numbers) == 0:
        return None
    for end in (float(numbers.max()), float(numbers.min())):
        count = int(np.count_nonzero(numbers == end))
        if end in STAND_INS and count >= LEAST_OFTEN and _apart(numbers, end):
            return number_text(end), count
    return None


def _apart(numbers: NDArray[np.float64], end: float) -> bool:
    """Whether an extreme lies farther from the other numbers than they are spread."""
    others = numbers[numbers != end]
    if len(others) == 0:
        return False
    low, high = float(others.min()), float(others.max())
    return low < high and min(abs(end - low), abs(end - high)) > high - low


def lone_texts(column: Column) -> dict[str, int]:
    """One or two texts among many different numbers: they look like markers of missing cells.

    >>> lone_texts(Column.of([*range(25), "n.d.", "n.d.", "n.d."]))
    {'n.d.': 3}
    """
    bad = [str(cell) for cell in column.at(column.bad).tolist()]
    texts = sorted(set(bad))
    numbers = column.numbers[~np.isnan(column.numbers)]
    if not 1 <= len(texts) <= 2 or len(np.unique(numbers)) < LEAST_VALUES:
        return {}
    return {text: bad.count(text) for text in texts} if len(numbers) > len(bad) else {}

"""Cells as categories: one label for each way in which the same value is written."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from chainrule.data.column import Column


def labels(column: Column) -> tuple[NDArray[np.int64], list[str | None]]:
    """A column as categories: for each cell a place, int64 [n], in a list of labels.

    A whole number drops its point (`3.0` is the category `3`, as files and frames write the same
    number differently), and keeps leading zeros, as codes have. None labels missing cells.

    >>> labels(Column.of(["3.0", "3", "?"]))
    (array([0, 0, 1]), ['3', None])
    """
    codes, values = column.codes, column.values
    named = [None if column.means_missing(value) else _label(value) for value in values]
    places = {label: place for place, label in enumerate(dict.fromkeys(named))}
    table = np.array([places[label] for label in named], dtype=np.int64)
    return (table[codes] if len(table) else codes), list(places)


def _label(text: str | None) -> str | None:
    """The category that a text belongs to: itself, or a number's shortest form."""
    if text is None:
        return None
    whole, point, rest = text.partition(".")
    if point and rest.strip("0") == "" and whole.removeprefix("-").isascii():
        return whole if whole.removeprefix("-").isdigit() else text
    return text


def text_counts(column: Column) -> NDArray[np.int64]:
    """How often each text that is not missing comes up, int64 [texts], in any order.

    >>> text_counts(Column.of(["b", "a", "?", "b"])).tolist()
    [2, 1]
    """
    known, hashes = ~column.missing, column.hashes
    if hashes is None:
        counts = np.bincount(column.codes[known])
        return counts[counts > 0]
    ordered = hashes[known]
    ordered.sort()
    begins = np.append(0, np.flatnonzero(ordered[1:] != ordered[:-1]) + 1)
    return np.diff(begins, append=len(ordered))


def present_texts(column: Column) -> dict[str, int]:
    """The distinct texts that are not missing, with their counts, in alphabetical order."""
    return dict(sorted(_counted(column)))


def _counted(column: Column) -> Iterator[tuple[str, int]]:
    """The same as pairs, in the order in which the texts came up."""
    counts = np.bincount(column.codes, minlength=len(column.values)).tolist()
    for text, count in zip(column.values, counts, strict=True):
        if text is not None and count and not column.means_missing(text):
            yield text, count


def present_labels(column: Column) -> dict[str, int]:
    """The labels that are not missing, with their counts.

    >>> present_labels(Column.of(["b", "a", "3.0", "?", "b"]))
    {'b': 2, 'a': 1, '3': 1}
    """
    counts: dict[str, int] = {}
    for text, count in _counted(column):
        label = str(_label(text))
        counts[label] = counts.get(label, 0) + count
    return counts


def holding(column: Column, wanted: Collection[str]) -> NDArray[np.int64]:
    """The places of the cells whose label is one of those wanted, in order.

    >>> holding(Column.of(["b", "a", "3.0", "b"]), ["b", "3"]).tolist()
    [0, 2, 3]
    """
    if not wanted:
        return np.empty(0, dtype=np.int64)
    codes, named = labels(column)
    return np.flatnonzero(np.isin(codes, [c for c, name in enumerate(named) if name in wanted]))


def undotted(names: Collection[str]) -> set[str]:
    """The names without those that are another one and a dot, as some files write classes.

    >>> sorted(undotted(["<=50K", "<=50K.", "etc."]))
    ['<=50K', 'etc.']
    """
    every = set(names)
    return {name for name in every if name.removesuffix(".") not in every - {name}}


def min_count(rows: int) -> int:
    """How many training rows a category needs to be learned on its own: a hundredth, 3 to 10.

    >>> min_count(100), min_count(600), min_count(30000)
    (3, 6, 10)
    """
    return max(3, min(10, rows // 100))

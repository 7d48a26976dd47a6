"""Columns that give the target away: each alone, without a network, tells nearly all of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data.aims import Target
from chainrule.data.array_input import Arrays
from chainrule.data.column import Column
from chainrule.data.columns import labels
from chainrule.data.dates import Dates
from chainrule.data.labels import min_count
from chainrule.data.numeric import Numeric
from chainrule.data.preparation import Preparation
from chainrule.data.report import Note
from chainrule.data.streams import Use, permutation
from chainrule.data.table import Table
from chainrule.data.target import known_answers
from chainrule.data.text import Text

TELLTALE = 0.98
"""A column that alone explains this share of the target is named."""

MOST_ROWS = 50_000
"""So many rows show what a column tells."""

STEPS, ROWS_A_STEP = 32, 20
"""Numbers are cut into at most so many equal parts, each of at least so many rows."""


def telltales(preparation: Preparation, train: Table) -> list[Note]:
    """A note for each input column that alone tells nearly all of the target, by training rows.

    None for a table with a single input: it is meant to tell. Of more than 50,000 rows so many
    are looked at, drawn by a fixed seed.
    """
    notes = []
    train = _some(train)
    records = [r for r in preparation.inputs if not isinstance(r, Dates | Text | Arrays)]
    for record in records if len(preparation.inputs) > 1 else []:
        for target in preparation.targets:
            for what, share in _shares(target, record.name, isinstance(record, Numeric), train):
                if share >= TELLTALE:
                    text = f"{record.name} alone tells {share:.1%} of {what}"
                    advice = "drop it if it is not known when a prediction is to be made"
                    text = f"{text}: {advice}"
                    notes.append(Note(about="leak", text=text, column=record.name, share=share))
    return notes


def _some(train: Table) -> Table:
    """The table, or as many of its rows as tell enough."""
    if len(train) <= MOST_ROWS:
        return train
    drawn = permutation(0, Use.SAMPLE, 0, len(train))[:MOST_ROWS]
    return train.take(np.sort(drawn))


def _shares(target: Target, name: str, numeric: bool, train: Table) -> Iterator[tuple[str, float]]:
    """How much a column tells alone of a target, or of each of its labels: which, and 0 to 1."""
    answers: NDArray[Any] = target.apply(train)
    flat, known = answers.reshape(len(train), -1), known_answers(answers)
    names = [target.name] if flat.shape[1] == 1 else target.choices
    tells = _tells_number if target.task == "regression" else _tells_class
    for what, values, there in zip(names, flat.T, known.T, strict=True):
        if there.any():
            yield what, tells(train.column(name).take(there), numeric, values[there])


def _tells_class(column: Column, numeric: bool, values: NDArray[np.generic]) -> float:
    """How much of classes, [n], a column tells."""
    classes = values.astype(np.int64)
    two = numeric and classes.max() == 1
    return max(_told(_groups(column, numeric), classes), _cut(column, classes) if two else 0.0)


def _tells_number(column: Column, numeric: bool, values: NDArray[np.generic]) -> float:
    """How much of numbers, [n], a column tells."""
    explained = _explained(_groups(column, numeric), values)
    return max(explained, _in_step(column, values) if numeric else 0.0)


def _groups(column: Column, numeric: bool) -> NDArray[np.int64]:
    """Groups of rows that a column tells apart, int64 [n]; seldom categories are one, -1."""
    if not numeric:
        codes = labels(column)[0]
        often = np.bincount(codes) >= min_count(len(codes))
        return np.where(often[codes], codes, -1)
    numbers = column.numbers
    known = numbers[~np.isnan(numbers)]
    steps = min(STEPS, max(2, len(numbers) // ROWS_A_STEP))
    edges = np.unique(np.quantile(known, np.linspace(0, 1, steps + 1)[1:-1]))
    return np.where(np.isnan(numbers), -1, np.searchsorted(edges, numbers, side="right"))


def _told(groups: NDArray[np.int64], classes: NDArray[np.int64]) -> float:
    """The share of what the majority gets wrong that each group's own majority gets right."""
    _, places = np.unique(groups, return_inverse=True)
    counts = np.zeros((places.max() + 1, int(classes.max()) + 1))
    np.add.at(counts, (places, classes), 1)
    right, usual = counts.max(axis=1).sum(), counts.sum(axis=0).max()
    return float((right - usual) / max(1.0, len(classes) - usual))


def _cut(column: Column, classes: NDArray[np.int64]) -> float:
    """What `_told` is for the best cut of a column's numbers in two, for classes 0 and 1."""
    known = ~np.isnan(column.numbers)
    order = np.argsort(column.numbers[known], kind="stable")
    numbers, ones = column.numbers[known][order], np.cumsum(classes[known][order])
    cuts = np.flatnonzero(np.diff(numbers) > 0)
    if len(cuts) == 0:
        return 0.0
    below, total = ones[cuts], ones[-1]
    lower, upper = cuts + 1, len(numbers) - cuts - 1
    right = np.maximum(below, lower - below) + np.maximum(total - below, upper - total + below)
    usual = max(int(classes.sum()), len(classes) - int(classes.sum()))
    return float((right.max() - usual) / max(1, len(classes) - usual))


def _explained(groups: NDArray[np.int64], target: NDArray[np.generic]) -> float:
    """The share of the target's variance that the means of the groups explain."""
    _, places = np.unique(groups, return_inverse=True)
    centred = target.astype(np.float64) - target.mean(dtype=np.float64)
    sums = np.bincount(places, weights=centred)
    return float((sums**2 / np.bincount(places)).sum() / max(1e-30, float((centred**2).sum())))


def _in_step(column: Column, target: NDArray[np.generic]) -> float:
    """The squared correlation of the ranks of a column's numbers with those of the target."""
    known = ~np.isnan(column.numbers)
    ours, theirs = _ranks(column.numbers[known]), _ranks(target[known].astype(np.float64))
    spread = float((ours**2).sum() * (theirs**2).sum())
    return float(known.mean()) * float((ours * theirs).sum()) ** 2 / spread if spread else 0.0


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The place of each value among all, equal ones at the middle of theirs; 0 on average."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2
    return np.asarray(middle[places] - middle[places].mean())

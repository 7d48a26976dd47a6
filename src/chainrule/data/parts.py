"""A table made ready: its parts as arrays, with the preparation and the report."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from chainrule.data.decisions import DataReport
from chainrule.data.preparation import Preparation, WholeTask
from chainrule.data.seen import Seen
from chainrule.errors import DataError

Answers = NDArray[np.float32] | NDArray[np.int64]
"""A target of some rows: float32 [n, 1] a scaled number, int64 [n] a class, float32 [n, labels]
whether each label holds. NaN or -1 where it is not known."""


@dataclass(frozen=True, eq=False)
class Part:
    """One part of the rows, ready for a network.

    `numbers` float32 [n, features], `codes` int64 [n, slots], `targets` the answers of each
    target, `lines` int64 [n]: where the rows begin in the file `source`. `weights` float32 [n,
    columns of all answers] say how much each answer counts in the loss, 0 where it is not known;
    None: all the same.
    """

    numbers: NDArray[np.float32]
    codes: NDArray[np.int64]
    targets: tuple[Answers, ...]
    lines: NDArray[np.int64]
    source: str
    weights: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.lines)

    def first(self, rows: int) -> Part:
        """The part's first rows, all if it has no more."""
        weights = None if self.weights is None else self.weights[:rows]
        targets = tuple(answers[:rows] for answers in self.targets)
        numbers, codes, lines = self.numbers[:rows], self.codes[:rows], self.lines[:rows]
        return Part(numbers, codes, targets, lines, self.source, weights)

    @property
    def row_bytes(self) -> int:
        """How many bytes the inputs of a row take."""
        return sum(array.shape[1] * array.itemsize for array in (self.numbers, self.codes))

    def weighed(self) -> Part:
        """The same part with weights; 1 for every answer, if it has none."""
        columns = sum(answers[:1].size for answers in self.targets)
        alike = np.ones((len(self), columns), dtype=np.float32)
        return self if self.weights is not None else replace(self, weights=alike)

    @property
    def target(self) -> Answers:
        """The answers of the only target; DataError if there are several."""
        if len(self.targets) > 1:
            raise DataError(f"these rows have {len(self.targets)} targets", hint="part.targets")
        return self.targets[0]


def weighed_alike(**parts: Part) -> dict[str, Part]:
    """Parts that one loss is for: if the answers of one are weighed, those of all are."""
    if all(part.weights is None for part in parts.values()):
        return parts
    return {name: part.weighed() for name, part in parts.items()}


@dataclass(frozen=True, eq=False)
class Prepared:
    """A table made ready: the three parts, the preparation, and the report of what was done.

    `trivial` is what a model must beat, for each target a number per output: the mean of the
    training target, or the share of each class or label. `seen` says from which rows what was
    learned.
    """

    preparation: Preparation
    train: Part
    validation: Part
    test: Part
    report: DataReport
    trivial: list[list[float]]
    seen: Seen

    @property
    def task(self) -> WholeTask:
        """What is predicted: regression, classification, multi-label, or mixed."""
        return self.preparation.task

    @property
    def baseline(self) -> float | str | list[str]:
        """The trivial answer for the only target: the mean, or what most rows have."""
        target = self.preparation.target
        outputs = target.as_outputs(np.array(self.trivial))
        first: float | str | list[str] = target.inverse(outputs).tolist()[0]
        return first

"""How much each row counts in the loss: by a column of weights, by how frequent its class is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chainrule.data.report import on_lines, quoted
from chainrule.data.table import Table
from chainrule.data.target import ClassTarget, Target
from chainrule.errors import DataError, SettingError


@dataclass(frozen=True, eq=False)
class Weighing:
    """What the training rows say about weights, so that they are 1 on average.

    `column` holds weights, `mean` is theirs; `classes` float64 [classes] weigh each class. Either
    may be None.
    """

    column: str | None
    mean: float
    classes: NDArray[np.float64] | None

    @classmethod
    def fit(
        cls, train: Table, target: Target, column: str | None, class_weight: str | None
    ) -> Weighing | None:
        """Learn from the training rows; None if neither a column nor balance is asked for.

        DataError for weights that are missing or negative, SettingError to balance numbers.
        """
        if column is None and class_weight is None:
            return None
        mean = 1.0 if column is None else float(_checked(train, column).mean())
        classes = None if class_weight is None else _balance(train, target)
        return cls(column, mean or 1.0, classes)

    def apply(self, table: Table, target: NDArray[np.generic]) -> NDArray[np.float32]:
        """The weight of each row, float32 [n]; rows without the column count 1."""
        weights = np.ones(len(table))
        if self.column is not None and self.column in table.columns:
            weights = _checked(table, self.column) / self.mean
        if self.classes is not None:
            weights = weights * self.classes[target.astype(np.int64)]
        return weights.astype(np.float32)


def _checked(table: Table, name: str) -> NDArray[np.float64]:
    """A column of weights, float64 [n]; DataError that names those that are none."""
    weights = table.column(name).numbers
    wrong = np.flatnonzero(~((weights >= 0) & np.isfinite(weights)))
    if len(wrong):
        raise DataError(
            f"column {name!r} of {table.source} cannot weigh its rows",
            expected="a number from 0 on in each row",
            got=f"{quoted(str(cell) for cell in table.column(name).cells[wrong])} "
            f"({on_lines(table.lines[wrong].tolist())})",
        )
    return weights


def _balance(train: Table, target: Target) -> NDArray[np.float64]:
    """Weights with which each class of the training rows counts the same, 1 a row on average."""
    if not isinstance(target, ClassTarget):
        raise SettingError(
            f"class weights need classes, but {target.name!r} is predicted as a number",
            hint="--task classification, or no --class-weight",
        )
    counts = np.bincount(target.apply(train), minlength=len(target.classes))
    return np.asarray(len(train) / (len(counts) * np.maximum(counts, 1)))

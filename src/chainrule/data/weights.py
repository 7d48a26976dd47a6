"""How much each answer counts in the loss: by a column of weights, by how frequent its class is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data.aims import Target
from chainrule.data.report import on_lines, quoted
from chainrule.data.table import Table
from chainrule.data.target import known_answers
from chainrule.errors import DataError, SettingError

Answers = Sequence[NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Weighing:
    """What the training rows say about weights, so that they are 1 on average.

    `column` holds weights, or is None, `mean` is theirs; `classes` float64 [classes] weigh each
    class, for each column of answers, or None; an empty list weighs none. Labels are classes 0, 1.
    """

    column: str | None
    mean: float
    classes: list[NDArray[np.float64] | None]

    @classmethod
    def fit(
        cls,
        train: Table,
        targets: Sequence[Target],
        column: str | None,
        class_weight: str | None,
    ) -> Weighing:
        """Learn from the training rows.

        DataError for weights that are missing or negative, SettingError to balance numbers only.
        """
        mean = 1.0 if column is None else float(_checked(train, column).mean())
        numbers = [target for target in targets if target.task == "regression"]
        if class_weight is not None and len(numbers) == len(targets):
            raise SettingError(
                f"class weights need classes, but {targets[0].name!r} is predicted as a number",
                hint="--task classification, or no --class-weight",
            )
        classes = [] if class_weight is None else [_balance(target, train) for target in targets]
        return cls(column, mean or 1.0, [balance for found in classes for balance in found])

    @property
    def asked(self) -> bool:
        """Whether anything is weighed."""
        return self.column is not None or any(balance is not None for balance in self.classes)

    def apply(self, table: Table, answers: Answers) -> NDArray[np.float32] | None:
        """The weight of each answer, float32 [n, columns of answers]; None if all are the same.

        Rows without the column of weights count 1. An answer that is not known counts 0, and the
        others of its column so much more that the column's mean over these rows stays.
        """
        known = np.concatenate([known_answers(found) for found in answers], axis=1)
        if not self.asked and known.all():
            return None
        weights = np.where(known, 1.0, 0.0) / np.maximum(known.mean(axis=0), 1 / max(1, len(table)))
        if self.column is not None and self.column in table.columns:
            weights *= _checked(table, self.column)[:, None] / self.mean
        flat = np.concatenate([found.reshape(len(table), -1) for found in answers], axis=1)
        for place, balance in enumerate(self.classes):
            if balance is not None:
                there = known[:, place]
                weights[there, place] *= balance[flat[there, place].astype(np.int64)]
        return np.asarray(weights, dtype=np.float32)


def _checked(table: Table, name: str) -> NDArray[np.float64]:
    """A column of weights, float64 [n]; DataError that names those that are none."""
    weights = table.column(name).numbers
    wrong = np.flatnonzero(~((weights >= 0) & np.isfinite(weights)))
    if len(wrong):
        raise DataError(
            f"column {name!r} of {table.source} cannot weigh its rows",
            expected="a number from 0 on in each row",
            got=f"{quoted(str(cell) for cell in table.column(name).at(wrong))} "
            f"({on_lines(table.lines[wrong].tolist())})",
        )
    return weights


def _balance(target: Target, train: Table) -> list[NDArray[np.float64] | None]:
    """Weights with which each class of the training rows counts the same, 1 a row on average.

    For each column of the target's answers; None for numbers.
    """
    if target.task == "regression":
        return [None]
    answers: NDArray[Any] = target.apply(train)
    flat: NDArray[Any] = answers.reshape(len(train), -1)
    known = known_answers(answers)
    count = len(target.choices) if target.task == "classification" else 2
    found: list[NDArray[np.float64] | None] = []
    for column, there in zip(flat.T, known.T, strict=True):
        counts = np.bincount(column[there].astype(np.int64), minlength=count)
        found.append(np.asarray(counts.sum() / (count * np.maximum(counts, 1))))
    return found

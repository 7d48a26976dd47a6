"""What each row costs a model, and what each column is worth to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from chainrule.data import Part, Preparation, known_answers
from chainrule.explain.plain import Shown, number
from chainrule.model import Model

REPEATS = 3
"""How often a column is shuffled; its importance is the mean."""


@dataclass(frozen=True)
class WorstRow(Shown):
    """A row that costs much: its line, what the model says, what is true, and its share of all."""

    line: int
    said: str
    true: str
    loss: float
    share: float


@dataclass(frozen=True)
class Importance(Shown):
    """How much the mean loss grows when a column is shuffled: what the model loses without it."""

    column: str
    growth: float
    spread: float  # the deviation over the repeats


def row_losses(model: Model, part: Part) -> NDArray[np.float64]:
    """The loss of each row, float64 [n]: squared errors of scaled numbers, log losses of choices.

    Targets are added up; an answer that is not known costs nothing.
    """
    preparation = model.preparation
    outputs = preparation.split(model.outputs(part.numbers, part.codes))
    total = np.zeros(len(part))
    for target, found, answers in zip(preparation.targets, outputs, part.targets, strict=True):
        known = known_answers(answers).reshape(answers.shape)
        real = found.astype(np.float64)
        if target.kind == "scaled":
            losses = (real - answers) ** 2
        elif target.kind == "classes":
            right = real[np.arange(len(part)), np.maximum(answers, 0).astype(np.int64).reshape(-1)]
            losses = -np.log(np.clip(right, 1e-15, 1.0)).reshape(answers.shape)
        else:
            sure = np.clip(np.where(answers > 0.5, real, 1.0 - real), 1e-15, 1.0)
            losses = -np.log(sure)
        total += np.where(known, losses, 0.0).reshape(len(part), -1).mean(axis=1)
    return total


def worst_rows(model: Model, part: Part, most: int = 10) -> list[WorstRow]:
    """The rows that cost most, the worst first.

    >>> from chainrule.explain.rows import worst_rows
    >>> callable(worst_rows)
    True
    """
    losses = row_losses(model, part)
    order = np.argsort(-losses, kind="stable")[:most]
    outputs = model.preparation.split(model.outputs(part.numbers[order], part.codes[order]))
    said, true = [], []
    for target, found, answers in zip(
        model.preparation.targets, outputs, part.targets, strict=True
    ):
        said.append([_text(value) for value in target.inverse(found)])
        true.append([_text(value) for value in target.inverse(answers[order])])
    whole = float(losses.sum()) or 1.0
    return [
        WorstRow(
            int(part.lines[row]),
            ", ".join(texts[at] for texts in said),
            ", ".join(texts[at] for texts in true),
            float(losses[row]),
            float(losses[row]) / whole,
        )
        for at, row in enumerate(order)
    ]


def importances(model: Model, part: Part, seed: int = 0) -> list[Importance]:
    """Permutation importance of each input column, the greatest first.

    A column's cells are shuffled among the rows of `part`, `REPEATS` times (L. Breiman, 2001,
    "Random forests"; A. Fisher et al., 2019); `seed` fixes how.
    """
    usual = float(row_losses(model, part).mean())
    rng = np.random.default_rng(seed)
    found = []
    for name, numbers, codes in places_of(model.preparation):
        growths = []
        for _ in range(REPEATS):
            order = rng.permutation(len(part))
            mixed = replace(part, numbers=part.numbers.copy(), codes=part.codes.copy())
            mixed.numbers[:, numbers] = part.numbers[order][:, numbers]
            mixed.codes[:, codes] = part.codes[order][:, codes]
            growths.append(float(row_losses(model, mixed).mean()) - usual)
        found.append(Importance(name, float(np.mean(growths)), float(np.std(growths))))
    return sorted(found, key=lambda one: -one.growth)


def places_of(preparation: Preparation) -> Iterator[tuple[str, slice, slice]]:
    """Where each input column lies among the numbers, or among the codes."""
    start = 0
    for record in preparation.dense:
        yield record.name, slice(start, start + len(record.features)), slice(0)
        start += len(record.features)
    start = 0
    for coded in preparation.embedded:
        yield coded.name, slice(0), slice(start, start + coded.slots)
        start += coded.slots


def _text(value: object) -> str:
    if isinstance(value, list):
        return "|".join(map(str, value))
    return number(value, 1.0) if isinstance(value, int | float | np.number) else str(value)

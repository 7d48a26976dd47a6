"""What a model is worth: its metrics on rows whose target is known, beside the trivial answer's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data import Part, Preparation, Prepared
from chainrule.model import Model
from chainrule.train.metrics import score


def evaluate(model: Model, part: Part) -> dict[str, float]:
    """The metrics of a model on a part of one row or more, in the target's own units."""
    return _scored(model.preparation, model.outputs(part.numbers, part.codes), part)


def evaluate_trivial(model: Model, part: Part) -> dict[str, float]:
    """The metrics of giving the model's trivial answer for every row."""
    same = np.tile(np.asarray(model.card.trivial), (len(part), 1))
    target = model.preparation.target
    if target.kind == "scaled":
        same = (same - target.mean) / target.std
    return _scored(model.preparation, same, part)


def trivial_answer(prepared: Prepared) -> list[float]:
    """What needs no model: the mean of the training target, or the share of each class there."""
    target = prepared.preparation.target
    if target.kind == "scaled":
        return [target.mean]
    counts = np.bincount(prepared.train.target, minlength=len(target.classes))
    return [float(share) for share in counts / counts.sum()]


def _scored(preparation: Preparation, outputs: NDArray[Any], part: Part) -> dict[str, float]:
    """The metrics of outputs as the network gives them."""
    target = preparation.target
    if target.kind == "scaled":
        return score("regression", target.inverse(outputs), target.inverse(part.target))
    return score("classification", outputs, part.target)

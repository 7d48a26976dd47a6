"""What a model is worth: its metrics on rows whose target is known, beside the trivial answer's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data import Part, Preparation, Target, known_answers
from chainrule.model import Detail, Model
from chainrule.model.card import LABEL
from chainrule.train.heads import shares
from chainrule.train.metrics import NAMES, label_scores, overall_metrics, score

Metrics = dict[str, float]


@dataclass(frozen=True)
class Judged:
    """The metrics of a model on some rows, and those of the trivial answer.

    Of several targets they are those of all together; `details` has those of each target, and of
    each label where labels are predicted.
    """

    scores: Metrics
    baseline: Metrics
    details: list[Detail]


def judge(model: Model, part: Part) -> Judged:
    """The metrics of a model on a part of one row or more, in the targets' own units."""
    preparation = model.preparation
    ours = preparation.split(model.outputs(part.numbers, part.codes))
    theirs = _trivial(model, len(part))
    scores, baseline = _scores(preparation, ours, part), _scores(preparation, theirs, part)
    details = []
    for place, target in enumerate(preparation.targets):
        if len(preparation.targets) > 1:
            mine, trivial = scores[place], baseline[place]
            details.append(Detail(of=target.name, task=target.task, scores=mine, baseline=trivial))
        if target.task == "multi-label":
            each = (label_scores(outputs[place], part.targets[place]) for outputs in (ours, theirs))
            for label, mine, trivial in zip(target.choices, *each, strict=True):
                details.append(Detail(of=label, task=LABEL, scores=mine, baseline=trivial))
    return Judged(_all(preparation, scores), _all(preparation, baseline), details)


def _trivial(model: Model, rows: int) -> list[NDArray[Any]]:
    """The outputs that give the model's trivial answer for every row, for each target."""
    flat = np.tile(np.asarray(model.card.trivial), (rows, 1))
    parts = zip(model.preparation.targets, model.preparation.split(flat), strict=True)
    return [target.as_outputs(part) for target, part in parts]


def _scores(preparation: Preparation, outputs: list[NDArray[Any]], part: Part) -> list[Metrics]:
    """The metrics of each target, for its outputs as the network gives them."""
    parts = zip(preparation.targets, outputs, part.targets, strict=True)
    return [_scored(target, found, true) for target, found, true in parts]


def _scored(target: Target, outputs: NDArray[Any], answers: NDArray[Any]) -> Metrics:
    """The metrics of one target over the rows in which it is known; NaN if there are none."""
    known = known_answers(answers).any(axis=1)
    if not known.any():
        return dict.fromkeys(NAMES[target.task], float("nan"))
    outputs, answers = outputs[known], answers[known]
    if target.kind == "scaled":
        outputs, answers = target.inverse(outputs), target.inverse(answers)
    return score(target.task, outputs, answers)


def _all(preparation: Preparation, scores: list[Metrics]) -> Metrics:
    """The metrics of the only target, or of all together."""
    if len(scores) == 1:
        return scores[0]
    targets = preparation.targets
    losses = [_loss(target, found) for target, found in zip(targets, scores, strict=True)]
    counted = zip(shares([target.task for target in targets]), losses, strict=True)
    return overall_metrics(scores, [share * loss for share, loss in counted])


def _loss(target: Target, scores: Metrics) -> float:
    """The loss of one target: the mean squared error of the scaled number, or the log loss."""
    return (scores["rmse"] / target.std) ** 2 if target.kind == "scaled" else scores["log_loss"]

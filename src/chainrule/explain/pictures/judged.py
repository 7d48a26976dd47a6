"""Which pictures show what a model is worth: those that fit what it predicts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data import Part, Table, Target, known_answers
from chainrule.data.preparation import Inputs
from chainrule.explain.pictures import classes, numbers, plane
from chainrule.explain.pictures.picture import Picture
from chainrule.model import Model

Array = NDArray[Any]


def judged(model: Model, part: Part) -> list[Picture]:
    """The pictures of a model's predictions for rows whose answers are known, per target."""
    targets = model.preparation.targets
    outputs = model.preparation.split(model.outputs(part.numbers, part.codes))
    found = []
    for target, said, answers in zip(targets, outputs, part.targets, strict=True):
        known = known_answers(answers).any(axis=1)
        pictures = list(_of_target(target, said[known], answers[known])) if known.any() else []
        found += [_named(one, target.name) if len(targets) > 1 else one for one in pictures]
    return [*found, *_plane(model, part)]


def _of_target(target: Target, said: Array, answers: Array) -> Iterator[Picture]:
    if target.kind == "scaled":
        predicted, true = target.inverse(said), target.inverse(answers)
        yield numbers.predicted_against_true(target.name, predicted, true)
        yield numbers.residuals(target.name, predicted, true)
        yield numbers.error_histogram(predicted, true)
        return
    sure = said.astype(np.float64)
    if target.task == "classification":
        right = answers.astype(np.int64).reshape(-1)
        holds = right[:, None] == np.arange(len(target.choices))
        yield classes.confusion(target.choices, np.argmax(sure, axis=1), right)
    else:
        complete = ~np.isnan(answers).any(axis=1)
        sure, holds = sure[complete], answers[complete] > 0.5
    yield classes.roc(target.choices, sure, holds)
    yield classes.precision_recall(target.choices, sure, holds)
    yield classes.calibration(sure, holds)


def _named(picture: Picture, target: str) -> Picture:
    """The picture of one of several targets."""
    name = re.sub(r"\W+", "-", target.lower()).strip("-")
    return replace(picture, name=f"{picture.name}-{name}", title=f"{target}: {picture.title}")


def _plane(model: Model, part: Part) -> Iterator[Picture]:
    """What a model of two numbers says in the plane of both."""
    preparation = model.preparation
    names = [record.name for record in preparation.inputs if record.kind == "numeric"]
    two = len(names) == len(preparation.inputs) == 2
    if not two or len(preparation.targets) > 1 or preparation.task == "multi-label":
        return
    columns = preparation.inverse(Inputs(part.numbers, part.codes))
    x, y = (np.asarray(columns[name], np.float64) for name in names)
    edges = plane.plane_of(x, y)
    cells = plane.middles(*edges)
    inputs, _ = preparation.apply(Table.of(dict(zip(names, cells.T, strict=True))))
    target = preparation.target
    said = model.outputs(inputs.numbers, inputs.codes).astype(np.float64)
    answers = part.target
    if target.kind == "scaled":
        shades = np.minimum(1, np.abs(said[:, 0]) / 2), (said[:, 0] < 0).astype(np.int64)
        group, groups = (answers[:, 0] < 0).astype(np.int64), ["above the mean", "below"]
    else:
        shades = _sure(said), said.argmax(axis=1)
        group, groups = answers.astype(np.int64).reshape(-1), target.choices
    yield plane.boundary((names[0], names[1]), edges, shades, (x, y, group), groups)


def _sure(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """How sure a row's answer is: 0 where all classes are as probable, 1 where one is certain."""
    even = 1 / probabilities.shape[1]
    found: NDArray[np.float64] = (probabilities.max(axis=1) - even) / (1 - even)
    return found

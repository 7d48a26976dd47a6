"""Which pictures show what a model is worth: those that fit what it predicts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data import Part, Target, known_answers
from chainrule.explain.pictures import classes, numbers, plane
from chainrule.explain.pictures.ground import ground_of
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
    ground = ground_of(model.preparation, part)
    if ground is not None:
        said = model.outputs(ground.inputs.numbers, ground.inputs.codes)
        shades = ground.shades(said.astype(np.float64))
        yield plane.boundary(ground.names, ground.edges, shades, ground.rows, ground.groups)

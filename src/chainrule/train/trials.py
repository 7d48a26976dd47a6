"""Remedies tried on a run: its first steps again, from its first weights, with other settings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.compiler.epoch import run_epoch
from chainrule.core.state import no_grad
from chainrule.data import Part, row_order
from chainrule.errors import ChainruleError, TrainingError
from chainrule.explain.findings import LOSS, Trial
from chainrule.explain.rows import places_of
from chainrule.tensors import Tensor
from chainrule.train.keeping import load_state
from chainrule.train.kept_rows import KeptRows, Rows
from chainrule.train.loop import Loop
from chainrule.train.metrics import classification_metrics
from chainrule.train.replay import Replay, fixed_draws, put

MORE_RATES = 3
"""So many more rates are tried, each further by the same factor, while none helps."""

TRIED_STEPS = 1000
"""A remedy is tried over at most so many steps of the run."""

BALANCED = "balanced accuracy"

MEASURES = {"class_weight": BALANCED}
"""What a setting is to improve, where that is not the validation loss."""


class Trials:
    """Tries remedies on a run: its first steps again, from its first state, with other settings."""

    def __init__(self, replay: Replay) -> None:
        self.replay = replay
        self.steps = min(TRIED_STEPS, replay.steps)
        self._known: dict[str, dict[str, float]] = {}  # the measures by settings

    def attempt(self, settings: Mapping[str, Any]) -> Trial | None:
        """What the settings do; None where they cannot be tried."""
        measure = next((MEASURES[name] for name in settings if name in MEASURES), LOSS)
        try:
            without, found = self._found({})[measure], self._found(settings)[measure]
            trial = Trial(dict(settings), self.steps, 1, without, found, measure)
            factor = settings.get("lr", 0.0) / self.replay.settings.lr
            for _ in range(MORE_RATES if set(settings) == {"lr"} else 0):
                if not trial.helps:  # further in the same direction
                    further = {"lr": float(f"{trial.settings['lr'] * factor:.3g}")}
                    found = self._found(further)[measure]
                    trial = replace(trial, settings=further, with_it=found)
        except ChainruleError:
            return None
        return trial

    def _found(self, settings: Mapping[str, Any]) -> dict[str, float]:
        """Each measure after as many rows as `steps` of the run had; what is tried is kept."""
        key = repr(sorted(settings.items()))
        if key not in self._known:
            self._known[key] = self._measured(settings)
        return self._known[key]

    def _measured(self, settings: Mapping[str, Any]) -> dict[str, float]:
        """An infinite loss if it diverged; the score of classes only where one target has them."""
        replay = self.replay
        loop, _ = replay.loop_with(settings, changed(replay.prepared, settings))
        with replay.cells_kept(), fixed_draws(replay.settings.seed):
            loop.network.train()
            state = load_state(replay.path, replay.kept[0])
            numbers = {name: np.asarray(cell.held()) for name, cell in loop.state().items()}
            shapes = {name: array.shape for name, array in state.items()}
            if shapes == {name: array.shape for name, array in numbers.items()}:
                own = {name: numbers[name] for name in numbers if numbers[name].ndim == 0}
                put(loop, {**state, **own})  # the same first weights, the rates of its own
            loss = self._run(loop, settings)
            (target, *others) = replay.prepared.preparation.targets
            classes = target.kind == "classes" and not others and math.isfinite(loss)
            score = _balanced_accuracy(loop) if classes else math.nan
            return {LOSS: loss, BALANCED: score}

    def _run(self, loop: Loop, settings: Mapping[str, Any]) -> float:
        rows, seed, epoch = len(loop.train[0]), self.replay.settings.seed, 0
        own = self.replay.settings.batch_size
        size = int(settings.get("batch_size", own))
        left = math.ceil(self.steps * min(own, rows) / min(size, rows))
        while left > 0:
            epoch += 1
            order = row_order(rows, seed, epoch)[: left * size]
            count = math.ceil(len(order) / size)
            planned = loop.planned(epoch) or {}
            part = {cell: rates[:count] for cell, rates in planned.items()}
            losses = run_epoch(loop.step, loop.train, order, size, part)
            if not np.isfinite(losses).all():
                return math.inf
            left -= count
        try:
            return loop.validate(epoch)
        except TrainingError:
            return math.inf


def changed(rows: Rows, settings: Mapping[str, Any]) -> Rows:
    """The rows as these settings would have prepared them; the network stays the same.

    A column that is dropped says the same in every row.
    """
    train, validation = rows.train, rows.validation
    if dropped := settings.get("drop"):
        train, validation = (_without(rows, part, dropped) for part in (train, validation))
    if settings.get("class_weight"):
        weights = _balance(train)
        train = replace(train, weights=weights)
        validation = validation.weighed()
    return KeptRows(rows.preparation, train, validation, rows.report)


def _without(rows: Rows, part: Part, dropped: Sequence[str]) -> Part:
    numbers, codes = np.array(part.numbers), np.array(part.codes)
    for name, columns, slots in places_of(rows.preparation):
        if name in dropped:
            numbers[:, columns], codes[:, slots] = 0, 0
    return replace(part, numbers=numbers, codes=codes)


def _balance(train: Part) -> np.ndarray:
    """Weights with which each class counts the same, float32 [rows, 1], 1 on average."""
    classes = train.targets[0].astype(np.int64).reshape(-1)
    counts = np.bincount(np.maximum(classes, 0))
    weights = len(classes) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    return np.asarray(weights[np.maximum(classes, 0)][:, None], np.float32)


def _balanced_accuracy(loop: Loop) -> float:
    """The balanced accuracy on the validation rows, of a single target of classes."""
    assert loop.validation is not None
    loop.network.eval()
    with no_grad():
        scores = loop.network(*(Tensor(array) for array in loop.validation[: loop.inputs]))
    classes = loop.validation[loop.inputs].astype(np.int64).reshape(-1)
    return classification_metrics(scores.numpy(), classes)["balanced_accuracy"]

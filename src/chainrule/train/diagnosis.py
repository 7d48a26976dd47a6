"""The diagnosis of a run: what it left behind is looked at, and remedies are tried."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.compiler.epoch import run_epoch
from chainrule.data import Prepared, row_order
from chainrule.errors import ChainruleError, TrainingError
from chainrule.explain.checks import CHECKS
from chainrule.explain.checks.course import COURSE
from chainrule.explain.checks.tables import TABLES
from chainrule.explain.evidence import Broken, Course, Evidence, first_not_finite
from chainrule.explain.findings import Finding, Trial, findings
from chainrule.explain.trace import trace
from chainrule.train.history import EpochResult, History
from chainrule.train.keeping import load_state
from chainrule.train.kept_rows import Rows
from chainrule.train.loop import Loop
from chainrule.train.probes import probe_at, spread
from chainrule.train.replay import Replay, fixed_draws, put

PROBES = 6
"""So many of the kept states are opened, spread evenly."""

PROBED_ROWS = 512
"""The rows that a state is opened on."""

MORE_RATES = 3
"""So many more rates are tried, each further by the same factor, while none helps."""

TRIED_STEPS = 1000
"""A remedy is tried over at most so many steps of the run."""


def diagnose_replay(
    replay: Replay, epochs: list[EpochResult], try_remedies: bool = True
) -> list[Finding]:
    """What is wrong with a run; remedies that are settings are tried, unless told not to."""
    attempt = Trials(replay).attempt if try_remedies else None
    found = findings(evidence_of(replay, epochs), CHECKS, attempt)
    # The network is not the user's own code: no line of it would tell him anything.
    places = [{k: v for k, v in one.where.items() if k != "line"} for one in found]
    return [replace(one, where=where) for one, where in zip(found, places, strict=True)]


def noticed(prepared: Prepared, history: History) -> list[Finding]:
    """What the losses and the data of a training say by themselves, as soon as it ends."""
    epochs = history.epochs
    course = Course(
        np.array([epoch.train_loss for epoch in epochs]),
        np.array([epoch.validation_loss for epoch in epochs]),
        np.array([epoch.train_loss for epoch in epochs]),
        trivial_loss(prepared),
    )
    return findings(Evidence(course=course, notes=prepared.report.notes), [*TABLES, *COURSE])


def diagnose_data(prepared: Prepared) -> list[Finding]:
    """What is wrong with a table that is ready for a training."""
    evidence = Evidence(notes=prepared.report.notes, shares=class_shares(prepared))
    return findings(evidence, CHECKS)


def evidence_of(replay: Replay, epochs: list[EpochResult]) -> Evidence:
    """All that the checks look at."""
    prepared, settings = replay.prepared, replay.settings.model_dump()
    course = Course(
        np.array([epoch.train_loss for epoch in epochs]),
        np.array([epoch.validation_loss for epoch in epochs]),
        replay.losses,
        trivial_loss(prepared),
    )
    probes = [probe_at(replay, epoch, PROBED_ROWS) for epoch in spread(replay.kept, PROBES)]
    return Evidence(
        program=replay.loop.step.programs[0],
        names=[name for name, _ in replay.loop.network.named_parameters()],
        probes=[probe for probe in probes if probe is not None],
        course=course,
        broken=_broken(replay),
        notes=prepared.report.notes,
        shares={} if settings.get("class_weight") else class_shares(prepared),
        settings=settings,
        rows=len(prepared.train),
    )


def class_shares(prepared: Rows) -> dict[str, float]:
    """The share of each class of the training rows; none unless one target of classes is alone."""
    (target, *others) = prepared.preparation.targets
    if others or target.kind != "classes":
        return {}
    answers = prepared.train.targets[0].astype(np.int64)
    counts = np.bincount(answers[answers >= 0], minlength=len(target.choices))
    names = [f"{target.name} {choice}" for choice in target.choices]
    return dict(zip(names, (counts / counts.sum()).tolist(), strict=True))


def trivial_loss(prepared: Rows) -> float:
    """What the trivial answer costs in training: the variance, or the entropy; NaN if unknown."""
    (target, *others) = prepared.preparation.targets
    if others or prepared.train.weights is not None:
        return math.nan
    if target.kind == "scaled":
        return float(np.mean(np.square(prepared.train.targets[0], dtype=np.float64)))
    shares = np.array(list(class_shares(prepared).values()))
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum()) if len(shares) else math.nan


def _broken(replay: Replay) -> Broken | None:
    """Where the training left the finite numbers, if it did: the step before may be to blame."""
    wrong = np.flatnonzero(~np.isfinite(replay.losses))
    for step in (int(wrong[0]), int(wrong[0]) + 1) if len(wrong) else ():
        if step >= 1:
            place = replay.place(step)
            state = {**replay.before(step), **replay.planned(place)}
            with replay.cells_kept():
                program = replay.program(place)
            args = [array[place.rows] for array in replay.loop.train]
            lines = replay.prepared.train.lines[place.rows].tolist()
            found = first_not_finite(trace(program, args, state), lines, step)
            if found is not None:
                return found
    return None


class Trials:
    """Tries remedies on a run: its first steps again, from its first state, with other settings."""

    def __init__(self, replay: Replay) -> None:
        self.replay = replay
        self.steps = min(TRIED_STEPS, replay.steps)
        self._without: float | None = None

    def attempt(self, settings: Mapping[str, Any]) -> Trial | None:
        """What the settings do; None where they cannot be tried."""
        try:
            if self._without is None:
                self._without = self._loss({})
            trial = Trial(dict(settings), self.steps, 1, self._without, self._loss(settings))
            factor = settings.get("lr", 0.0) / self.replay.settings.lr
            for _ in range(MORE_RATES if set(settings) == {"lr"} else 0):
                if not trial.helps:  # further in the same direction
                    further = {"lr": float(f"{trial.settings['lr'] * factor:.3g}")}
                    trial = replace(trial, settings=further, with_it=self._loss(further))
        except ChainruleError:
            return None
        return trial

    def _loss(self, settings: Mapping[str, Any]) -> float:
        """The validation loss after as many rows as `steps` of the run; infinite if it diverged."""
        replay = self.replay
        loop, _ = replay.loop_with(settings)
        with replay.cells_kept(), fixed_draws(replay.settings.seed):
            loop.network.train()
            state = load_state(replay.path, replay.kept[0])
            numbers = {name: np.asarray(cell.held()) for name, cell in loop.state().items()}
            shapes = {name: array.shape for name, array in state.items()}
            if shapes == {name: array.shape for name, array in numbers.items()}:
                own = {name: numbers[name] for name in numbers if numbers[name].ndim == 0}
                put(loop, {**state, **own})  # the same first weights, the rates of its own
            return self._run(loop, settings)

    def _run(self, loop: Loop, settings: Mapping[str, Any]) -> float:
        size = int(settings.get("batch_size", self.replay.settings.batch_size))
        left = math.ceil(self.steps * self.replay.settings.batch_size / size)
        rows, seed, epoch = len(loop.train[0]), self.replay.settings.seed, 0
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

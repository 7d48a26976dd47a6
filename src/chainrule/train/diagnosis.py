"""The diagnosis of a run: what it left behind is looked at, and remedies are tried."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data import Part, Prepared
from chainrule.errors import ChainruleError
from chainrule.explain.checks import CHECKS
from chainrule.explain.checks.course import COURSE
from chainrule.explain.checks.probes import PROBES as PROBED
from chainrule.explain.checks.tables import TABLES
from chainrule.explain.evidence import Broken, Course, Evidence, Probe, first_not_finite
from chainrule.explain.findings import Finding, findings
from chainrule.explain.rows import importances, row_losses
from chainrule.explain.trace import trace
from chainrule.model.store import load
from chainrule.train.history import EpochResult, History
from chainrule.train.keeping import kept_losses
from chainrule.train.kept_rows import Rows
from chainrule.train.learning import ARGUMENTS
from chainrule.train.probes import probe_at, spread
from chainrule.train.replay import Replay
from chainrule.train.trials import Trials

PROBES = 6
"""So many of the kept states are opened, spread evenly."""

PROBED_ROWS = 512
"""The rows that a state is opened on."""

WEIGHED_CELLS = 200_000
"""To see what columns are worth, so many cells of the validation rows are shuffled at most."""

FEWEST_WEIGHED = 100
"""Fewer validation rows do not say what a column is worth."""


def diagnose_replay(
    replay: Replay, epochs: list[EpochResult], try_remedies: bool = True
) -> list[Finding]:
    """What is wrong with a run; remedies that are settings are tried, unless told not to."""
    attempt = Trials(replay).attempt if try_remedies else None
    evidence = evidence_of(replay, epochs)
    if try_remedies:  # what columns are worth is only said with proof
        evidence = replace(evidence, worth=_worth(replay))
    found = findings(evidence, CHECKS, attempt)
    # The network is not the user's own code: no line of it would tell him anything.
    places = [{k: v for k, v in one.where.items() if k != "line"} for one in found]
    return [replace(one, where=where) for one, where in zip(found, places, strict=True)]


def noticed(prepared: Prepared, history: History, look: Callable[[], Probe]) -> list[Finding]:
    """What losses, data and units of a training say by themselves, as soon as it ends."""
    evidence = Evidence(
        course=_course(prepared, history.epochs, np.empty(0)),
        notes=prepared.report.notes,
        shares={} if prepared.train.weights is not None else class_shares(prepared),
        probes=[look()] if history.epochs else [],
    )
    return findings(evidence, [*TABLES, *COURSE, *(check for check in PROBED if check.live)])


def diverged(path: Path, settings: Mapping[str, Any]) -> list[Finding]:
    """What the losses of a training say that did not stay finite."""
    course = Course(np.empty(0), np.empty(0), kept_losses(path))
    return findings(Evidence(course=course, settings=settings), COURSE)


def _course(prepared: Rows, epochs: list[EpochResult], losses: NDArray[np.float64]) -> Course:
    """How the losses went; those of epochs stand for those of steps that are not known."""
    train = np.array([epoch.train_loss for epoch in epochs])
    return Course(
        train,
        np.array([epoch.validation_loss for epoch in epochs]),
        losses if len(losses) else train,
        trivial_loss(prepared, prepared.train),
        trivial_loss(prepared, prepared.validation),
        len(prepared.validation),
    )


def diagnose_data(prepared: Prepared) -> list[Finding]:
    """What is wrong with a table that is ready for a training."""
    evidence = Evidence(notes=prepared.report.notes, shares=class_shares(prepared))
    return findings(evidence, CHECKS)


def evidence_of(replay: Replay, epochs: list[EpochResult]) -> Evidence:
    """All that the checks look at."""
    prepared, settings = replay.prepared, replay.settings.model_dump()
    course = _course(prepared, epochs, replay.losses)
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


def trivial_loss(prepared: Rows, part: Part) -> float:
    """What the best constant answer for the training rows costs on a part; NaN if unknown.

    Of numbers the mean square around their mean, of classes the cross-entropy of their shares.
    """
    (target, *others) = prepared.preparation.targets
    if others or prepared.train.weights is not None or not len(part):
        return math.nan
    answers = part.targets[0]
    if target.kind == "scaled":
        return float(np.mean(np.square(answers, dtype=np.float64)))
    shares = np.array(list(class_shares(prepared).values()))
    known = answers[answers >= 0].astype(np.int64)
    if not len(shares) or not len(known) or not shares[known].all():
        return math.nan
    return float(-np.log(shares[known]).mean())


def _worth(replay: Replay) -> dict[str, float]:
    """The share by which the validation loss clearly grows as each column is shuffled.

    Clearly: by more than twice the deviation over the repeats. None without a model; and few rows
    say nothing.
    """
    part = replay.prepared.validation
    try:
        model = load(replay.path / "model")
    except ChainruleError:
        return {}
    most = WEIGHED_CELLS // max(1, len(model.preparation.inputs))
    if min(most, len(part)) < FEWEST_WEIGHED:
        return {}
    part = part.first(most)
    usual = float(row_losses(model, part).mean()) or 1.0
    found = importances(model, part)
    return {one.column: max(0.0, one.growth - 2 * one.spread) / usual for one in found}


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
            names, features = ARGUMENTS, replay.prepared.preparation.features
            found = first_not_finite(trace(program, args, state), lines, step, names, features)
            if found is not None:
                return found
    return None

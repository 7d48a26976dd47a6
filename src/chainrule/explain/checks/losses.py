"""Checks of what a network ends in and the loss that takes it: each alone may be right.

They look at numbers, not at names: a loss is known by what it does with the outputs it is given.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.core.program import Instruction
from chainrule.core.value import Symbol
from chainrule.explain.evidence import Evidence, Probe
from chainrule.explain.findings import Check, Seen

Numbers = NDArray[np.float64]

OVER_THE_EDGE = 1e6
"""A gradient of this size, a row: what the logarithm of a number that is no probability has."""


def squashed_twice(evidence: Evidence) -> Iterator[Seen]:
    """Probabilities that are given to a loss which makes probabilities itself."""
    for probe, output, _ in _outputs(evidence):
        values = _numbers(probe, output)
        made = _softmax_again(probe, output) or _sigmoid_again(probe, output)
        if made is not None:
            what = "The network ends in probabilities, and the loss makes probabilities of them"
            where = {"op": made.op.name, "line": made.line}
            yield Seen(what, {"smallest": values.min(), "largest": values.max()}, where)


def no_logarithm(evidence: Evidence) -> Iterator[Seen]:
    """A loss that takes logarithms of probabilities, and is given something else."""
    for probe, output, gradient in _outputs(evidence):
        values = _numbers(probe, output)
        if not _takes_one_of_each_row(values, gradient):
            continue
        with np.errstate(all="ignore"):
            sums = np.exp(values).sum(axis=1)
        if not np.allclose(sums, 1.0, atol=1e-3):
            what = "The loss takes logarithms of probabilities; the network gives "
            what += "probabilities" if _sums_to_one(values) else "other numbers"
            numbers = {"smallest": values.min(), "largest": values.max(), "sum of a row": sums[0]}
            yield Seen(what, numbers)


def one_class(evidence: Evidence) -> Iterator[Seen]:
    """A loss of classes that is given a single one: it is 0, whatever the network says."""
    for probe, output, gradient in _outputs(evidence):
        loss = probe.trace.loss
        nothing = loss is not None and float(probe.trace[loss]) == 0 and not gradient.any()
        if nothing and output.shape[1] == 1 and np.ptp(_numbers(probe, output)) > 0:
            what = "The loss is 0 and its gradient is 0, whatever the network says"
            yield Seen(what, {"loss": 0.0, "outputs": 1})


def no_probabilities(evidence: Evidence) -> Iterator[Seen]:
    """A loss of probabilities that is given numbers below 0 or above 1."""
    for probe, output, gradient in _outputs(evidence):
        values = _numbers(probe, output)
        outside = (values < 0) | (values > 1)
        steep = np.abs(gradient[outside]) * values.size > OVER_THE_EDGE
        if outside.any() and steep.all() and _yes_or_no(probe, output) is not None:
            what = f"The loss takes probabilities; the network gives {values.min():.4g} to "
            what += f"{values.max():.4g}"
            numbers = {"smallest": values.min(), "largest": values.max(), "outside": outside.mean()}
            yield Seen(what, numbers)


def _outputs(evidence: Evidence) -> Iterator[tuple[Probe, Symbol, Numbers]]:
    """What the network gives to its loss before the first step, [rows, n], and its gradient."""
    for probe in evidence.probes[:1]:
        output = probe.output()
        if output is None or len(output.shape) != 2 or output.dtype.kind != "f":
            continue
        gradient = probe.trace.gradient(output)
        if gradient is not None and output.size and np.isfinite(gradient).all():
            yield probe, output, gradient.astype(np.float64)


def _numbers(probe: Probe, symbol: Symbol) -> Numbers:
    return probe.trace[symbol].astype(np.float64)


def _softmax_again(probe: Probe, output: Symbol) -> Instruction | None:
    """Where in the loss the logarithms of new probabilities come about, if they do."""
    if output.shape[1] < 2 or not _sums_to_one(_numbers(probe, output)):
        return None
    for made in _loss_of(probe, output):
        with np.errstate(all="ignore"):
            if _sums_to_one(np.exp(_numbers(probe, made.outputs[0]))):
                return made
    return None


def _sigmoid_again(probe: Probe, output: Symbol) -> Instruction | None:
    """Where in the loss new probabilities come about of what a sigmoid gave, if they do.

    The gradient of such a loss is sigmoid(output) - target; the mean over all outputs or the sum.
    """
    last, target, gradient = output.made, _yes_or_no(probe, output), probe.trace.gradient(output)
    if last is None or target is None or gradient is None or not isinstance(last.inputs[0], Symbol):
        return None
    values = _numbers(probe, output)
    before = _numbers(probe, last.inputs[0])
    if before.shape != values.shape or not np.allclose(values, _sigmoid(before), atol=1e-5):
        return None
    again = _sigmoid(values) - target
    same = any(np.allclose(gradient * n, again, atol=1e-4) for n in (values.size, 1))
    return next(_loss_of(probe, output), None) if same else None


def _loss_of(probe: Probe, output: Symbol) -> Iterator[Instruction]:
    """The operations of the loss that make numbers of the output's shape."""
    for made in probe.trace.program.instructions:
        out = made.outputs[0]
        if made.phase == "loss" and out.shape == output.shape and out.dtype.kind == "f":
            yield made


def _yes_or_no(probe: Probe, output: Symbol) -> Numbers | None:
    """The argument of the output's shape that is nothing but 0 and 1."""
    for arg in probe.trace.program.args:
        values: Any = probe.trace[arg]
        if arg.shape == output.shape and np.isin(values, (0, 1)).all():
            return np.asarray(values, np.float64)
    return None


def _takes_one_of_each_row(values: Numbers, gradient: Numbers) -> bool:
    """Whether the loss is minus one number of each row, each as it is."""
    chosen = gradient != 0
    rows = chosen.sum(axis=1)
    if values.shape[1] < 2 or not rows.any() or (rows > 1).any() or (gradient > 0).any():
        return False
    sizes = gradient[chosen]
    return bool(len(sizes) > 1 and np.allclose(sizes, sizes[0], rtol=1e-4))


def _sigmoid(values: Numbers) -> Numbers:
    return np.asarray(1.0 / (1.0 + np.exp(-values)))


def _sums_to_one(values: Numbers) -> bool:
    inside = bool((values >= 0).all() and (values <= 1).all())
    return inside and bool(np.allclose(values.sum(axis=1), 1.0, atol=1e-4))


LOSSES = [
    Check(
        "probabilities twice",
        "the gradients are flattened: learning is slow and stays unsure.",
        "let the network end in its last linear layer; the loss takes its outputs as they are.",
        squashed_twice,
    ),
    Check(
        "no logarithm",
        "the loss can be made small without being right more often, and hardly punishes what is "
        "surely wrong.",
        "end the network in log_softmax; or let it end in a linear layer and take the cross-entropy"
        " of that.",
        no_logarithm,
    ),
    Check(
        "one class alone",
        "there is nothing to learn from.",
        "for yes or no one output with BCEWithLogitsLoss, or two with CrossEntropyLoss; for a "
        "number MSELoss.",
        one_class,
    ),
    Check(
        "no probabilities",
        "logarithms of such numbers do not exist; what is learned there is an accident.",
        "end the network in a sigmoid; better, keep its outputs and take BCEWithLogitsLoss.",
        no_probabilities,
    ),
]

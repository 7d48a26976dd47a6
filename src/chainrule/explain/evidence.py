"""What a diagnosis looks at: the program, its course, states opened on the way, and the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.core.op import Pointwise
from chainrule.core.program import Instruction, Program
from chainrule.core.value import Symbol
from chainrule.data import Note
from chainrule.explain.trace import Trace, local_derivatives, parameters, wants_gradient
from chainrule.explain.updates import Update, rms, updates_of


@dataclass(frozen=True, eq=False)
class Course:
    """How the losses went: per epoch, and per step; `trivial`: what the trivial answer costs."""

    train: NDArray[np.float64]
    validation: NDArray[np.float64]
    losses: NDArray[np.float64]
    trivial: float = float("nan")


@dataclass(frozen=True, eq=False)
class Probe:
    """The step opened on many rows, at a state of the training: before `step`, from 1."""

    step: int
    trace: Trace

    def activations(self) -> dict[str, Instruction]:
        """The activations by layer: layers that are one pointwise operation of one input."""
        groups: dict[str, list[Instruction]] = {}
        for made in self.trace.program.instructions:
            if made.phase == "forward":
                groups.setdefault(made.scope, []).append(made)
        return {
            layer: first
            for layer, (first, *others) in groups.items()
            if isinstance(first.op.lower, Pointwise)
            and len(first.inputs) == 1
            and not others
            and wants_gradient(self.trace, first.inputs[0])
        }

    def units(self) -> dict[str, NDArray[Any]]:
        """The sizes of the local derivatives of each activation, [rows, units], by layer."""
        found = {}
        for layer, made in self.activations().items():
            local = local_derivatives(self.trace, made)[0]
            found[layer] = np.abs(local).reshape(-1, local.shape[-1])
        return found

    def updates(self) -> list[Update]:
        """The updates of the weights, matrices and larger; in forward order."""
        return [update for update in updates_of(self.trace) if update.before.ndim > 1]

    def gradients(self) -> dict[str, float]:
        """The size of the gradient of each weight, matrices and larger; in forward order."""
        found = {}
        for weights in parameters(self.trace.program):
            if weights.gradient is not None and len(weights.before.shape) > 1:
                found[weights.name] = rms(self.trace[weights.gradient])
        return found

    def output(self) -> Symbol | None:
        """What the network gives to the loss: the last value of the forward phase."""
        forward = [m for m in self.trace.program.instructions if m.phase == "forward"]
        return forward[-1].outputs[0] if forward else None


@dataclass(frozen=True)
class Broken:
    """The first operation, in the order of computing, whose result was no longer finite."""

    step: int
    op: str
    phase: str
    layer: str
    line: str
    inputs: list[str]
    rows: list[int] = field(default_factory=list)  # lines in the file
    columns: list[str] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that checks may look at; whatever is not known is None or empty.

    `program` is the recorded step, `names` those of the network's parameters, `probes` the states
    that were opened, the first one before the first step. `shares`: the share of each class.
    """

    program: Program | None = None
    names: Sequence[str] = ()
    probes: Sequence[Probe] = ()
    course: Course | None = None
    broken: Broken | None = None
    notes: Sequence[Note] = ()
    shares: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    rows: int = 0

    def middle(self) -> Sequence[Probe]:
        """The states that are neither the first nor the last, where rates may be near zero."""
        return self.probes[1:-1]


def first_not_finite(traced: Trace, lines: Sequence[int], step: int) -> Broken | None:
    """The first instruction with finite inputs and an output that is not; None if there is none.

    `lines`: of the rows of the batch.
    """
    for made in traced.program.instructions:
        inputs = [x for x in made.inputs if isinstance(x, Symbol)]
        out = traced[made.outputs[0]]
        if out.dtype.kind != "f" or np.isfinite(out).all():
            continue
        rows = _bad_rows(out, len(lines))
        names = {symbol: name for name, symbol in traced.program.reads.items()}
        shown = [names.get(x, str(x)) + ": " + _range(traced[x]) for x in inputs]
        return Broken(
            step,
            made.op.name,
            made.phase,
            made.scope,
            made.line,
            shown,
            [int(lines[i]) for i in rows],
        )
    return None


def _bad_rows(out: NDArray[Any], rows: int) -> list[int]:
    if out.shape[:1] != (rows,):
        return []
    wrong = ~np.isfinite(out).reshape(rows, -1).all(axis=1)
    return [int(i) for i in np.flatnonzero(wrong)]


def _range(values: NDArray[Any]) -> str:
    if values.dtype.kind != "f":
        return str(values.dtype)
    finite = values[np.isfinite(values)]
    if not finite.size:
        return "nothing finite"
    odd = "" if finite.size == values.size else f", {values.size - finite.size} not finite"
    return f"from {finite.min():.4g} to {finite.max():.4g}{odd}"

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
from chainrule.explain.layers import names_of
from chainrule.explain.trace import Trace, local_derivatives, parameters, wants_gradient
from chainrule.explain.updates import Update, rms, updates_of

FAR_OFF, TINY = 10.0, 1e-3
"""So many times the largest number of all other rows, which is no less than this, is far off."""


@dataclass(frozen=True, eq=False)
class Course:
    """How the losses went: per epoch, and per step.

    `trivial`: what the trivial answer costs on the training rows, `trivial_validation`: the same
    answer on the `judged` validation rows.
    """

    train: NDArray[np.float64]
    validation: NDArray[np.float64]
    losses: NDArray[np.float64]
    trivial: float = float("nan")
    trivial_validation: float = float("nan")
    judged: int = 0


@dataclass(frozen=True, eq=False)
class Probe:
    """The step opened on many rows, at a state of the training: before `step`, from 1.

    `more`: other rows at the same state.
    """

    step: int
    trace: Trace
    more: Sequence[Trace] = ()

    def units(self) -> dict[str, NDArray[Any]]:
        """The sizes of the local derivatives of each activation, [rows, units], by layer.

        Where rows have positions, each of them counts as a row; a unit is a channel, where there
        are any.
        """
        return {layer: self._slopes(made) for layer, made in self.activations().items()}

    def activations(self) -> dict[str, Instruction]:
        """The activations by layer: layers that are one pointwise operation of one input."""
        groups: dict[str, list[Instruction]] = {}
        for made in self.trace.program.instructions:
            if made.phase == "forward":
                groups.setdefault(made.scope, []).append(made)
        return {
            layer: first
            for layer, (first, *others) in groups.items()
            if not others
            and isinstance(first.op.lower, Pointwise)
            and len(first.inputs) == 1
            and wants_gradient(self.trace, first.inputs[0])
        }

    def _slopes(self, made: Instruction) -> NDArray[Any]:
        found = [np.abs(local_derivatives(t, made)[0]) for t in (self.trace, *self.more)]
        # Pictures are [rows, channels, height, width]; the units of all else come last.
        flat = [np.moveaxis(one, 1, -1) if one.ndim == 4 else one for one in found]
        return np.concatenate([one.reshape(-1, one.shape[-1]) for one in flat])

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
    `worth`: the share by which the validation loss clearly grows as each column is shuffled.
    """

    program: Program | None = None
    names: Sequence[str] = ()
    probes: Sequence[Probe] = ()
    course: Course | None = None
    broken: Broken | None = None
    notes: Sequence[Note] = ()
    shares: Mapping[str, float] = field(default_factory=dict)
    worth: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    rows: int = 0

    def middle(self) -> Sequence[Probe]:
        """The states that are neither the first nor the last, where rates may be near zero."""
        return self.probes[1:-1]


def first_not_finite(
    traced: Trace,
    lines: Sequence[int],
    step: int,
    arguments: Sequence[str] = (),
    features: Sequence[str] = (),
) -> Broken | None:
    """The first instruction, in the order of computing, whose output is not finite; None if none.

    `lines`: of the rows of the batch; `arguments`: what the program's are called; `features`: what
    the columns of the first one are.
    """
    for made in traced.program.instructions:
        inputs = [x for x in made.inputs if isinstance(x, Symbol)]
        out = traced[made.outputs[0]]
        if out.dtype.kind != "f" or np.isfinite(out).all():
            continue
        rows = _bad_rows(out, len(lines))
        names = names_of(traced.program, arguments)
        shown = [names.get(x, str(x)) + ": " + _range(traced[x]) for x in inputs]
        return Broken(
            step,
            made.op.name,
            made.phase,
            made.scope,
            made.line,
            shown,
            [int(lines[i]) for i in rows],
            _odd_columns(traced, rows, arguments, features),
        )
    return None


def _odd_columns(
    traced: Trace, rows: Sequence[int], arguments: Sequence[str], features: Sequence[str]
) -> list[str]:
    """The columns in which these rows are not finite, or far from all others, by name."""
    found = []
    for place, arg in enumerate(traced.program.args):
        values = traced[arg]
        if values.dtype.kind != "f" or values.ndim != 2 or not len(rows):
            continue
        with np.errstate(all="ignore"):
            sizes = np.abs(values.astype(np.float64))
            others = np.delete(sizes, rows, axis=0)
            usual = np.where(np.isfinite(others), others, 0.0).max(axis=0, initial=TINY)
            odd = ~(sizes[rows] <= (FAR_OFF * usual if len(others) else np.inf)).all(axis=0)
            odd |= ~np.isfinite(sizes[rows]).all(axis=0)
        name = names_of(traced.program, arguments)[arg]
        own = features if place == 0 and len(features) == values.shape[1] else ()
        places = [int(place) for place in np.flatnonzero(odd)]
        found += [own[at] if own else f"{name}[{at}]" for at in places]
    return found


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

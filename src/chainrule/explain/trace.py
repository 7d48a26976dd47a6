"""A recorded step run with NumPy and everything kept: each value, and each gradient beside it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.core.op import Pointwise, Reduce, Reindex
from chainrule.core.program import Instruction, Program
from chainrule.core.value import Raw, Symbol
from chainrule.errors import ProgramError

LEARNED = ("forward", "loss")
"""The phases that the loss is computed in: what the others differentiate."""

PHASES = (*LEARNED, "backward", "update")


@dataclass(frozen=True, eq=False)
class Weights:
    """A parameter of a program: its value on entry, its gradient, and its value at the end."""

    name: str
    before: Symbol
    gradient: Symbol | None
    after: Symbol | None


@dataclass(frozen=True, eq=False)
class Trace:
    """What every value of a program was; nothing was assigned to any cell."""

    program: Program
    values: dict[Any, Raw]

    def __getitem__(self, operand: Any) -> NDArray[Any]:
        return np.asarray(self.values[operand] if isinstance(operand, Symbol) else operand)

    def gradient(self, symbol: Symbol) -> NDArray[Any] | None:
        """The loss's gradient with respect to a value, if the step computed it."""
        found = self.program.gradients.get(symbol)
        return None if found is None else self[found]

    @property
    def rows(self) -> int:
        """How many rows the batch has."""
        args = self.program.args
        return args[0].shape[0] if args and args[0].shape else 1

    @cached_property
    def live(self) -> set[Symbol]:
        """The values that the step computed a gradient with respect to; the parameters, too."""
        return {*self.program.gradients, *(found.before for found in parameters(self.program))}

    @property
    def loss(self) -> Symbol | None:
        """What was differentiated: the value that the sweep began at."""
        return next(iter(self.program.gradients), None)

    def row_losses(self) -> NDArray[np.float64] | None:
        """The loss of each row, float64 [rows], whose mean is the loss; None if it has no such.

        The loss is followed back to where rows were added up. How much each counts there is the
        gradient at that place, if what comes after only scales the sum.
        """
        symbol = self.loss
        while symbol is not None and symbol.made is not None:
            made = symbol.made
            if isinstance(made.op.lower, Reduce):
                inside = self[made.inputs[0]]
                factor = self.gradient(symbol)
                if inside.shape[:1] != (self.rows,) or factor is None:
                    return None
                return self._scaled(inside, factor)
            symbol = next((x for x in made.inputs if x in self.program.gradients), None)
        return None

    def _scaled(self, inside: NDArray[Any], factor: NDArray[Any]) -> NDArray[np.float64] | None:
        if factor.size != 1 or self.loss is None:
            return None
        sums = inside.astype(np.float64).reshape(self.rows, -1).sum(axis=1)
        losses = sums * factor.item() * self.rows
        whole = self[self.loss].item()
        return losses if np.isclose(losses.mean(), whole, rtol=1e-3, equal_nan=True) else None


def trace(
    program: Program,
    args: Sequence[Raw],
    state: Mapping[str, Raw] | None = None,
    phases: Collection[str] = PHASES,
) -> Trace:
    """Run a program on arguments; `state`: what its cells hold, by name; else what they do now.

    `phases`: those to run, from the first on. No cell is assigned. ProgramError for another number
    of arguments.
    """
    if len(args) != len(program.args):
        raise ProgramError(
            "a program runs on a value per argument", expected=len(program.args), got=len(args)
        )
    held = {n: c.held() for n, c in program.cells.items()} if state is None else state
    values: dict[Any, Raw] = dict(zip(program.args, args, strict=True))
    values |= {symbol: held[name] for name, symbol in program.reads.items()}
    values |= program.captured | program.constants
    with np.errstate(all="ignore"):
        for made in program.instructions:
            if made.phase not in phases:
                continue
            inputs = [values[x] if isinstance(x, Symbol) else x for x in made.inputs]
            out = made.op.forward(*inputs, **made.settings)
            outs = out if type(out) is tuple else (out,)
            values.update(zip(made.outputs, outs, strict=True))
    return Trace(program, values)


def parameters(program: Program) -> list[Weights]:
    """The parameters that a program reads, each with what becomes of it."""
    names = {id(cell): name for name, cell in program.cells.items()}
    found = []
    for name, before in program.reads.items():
        cell = program.cells.get(name)
        if getattr(cell, "requires_grad", False):
            kept = program.assigns.get(names.get(id(cell.grad_cell), ""))  # type: ignore[union-attr]
            gradient = program.gradients.get(before) if kept is None else kept
            found.append(Weights(name, before, gradient, program.assigns.get(name)))
    return found


def passed_on(trace: Trace, made: Instruction, gradient: Raw) -> dict[int, NDArray[Any]]:
    """What an instruction's rules make of its output's gradient, per input that wants one."""
    live = [i for i, x in enumerate(made.inputs) if wants_gradient(trace, x)]
    inputs = [trace.values[x] if isinstance(x, Symbol) else x for x in made.inputs]
    outs = [trace.values[x] for x in made.outputs]
    saved = (outs[0] if len(outs) == 1 else tuple(outs), *inputs)
    rules = made.op.grad
    with np.errstate(all="ignore"):
        if not isinstance(rules, tuple):
            needed = tuple(i in live for i in range(len(inputs)))
            every = rules(gradient, *saved, needed=needed, **made.settings)
            return {i: np.asarray(every[i]) for i in live if every[i] is not None}
        found = {}
        for i in live:
            rule = rules[i]
            if rule is not None:
                picked = made.op.picks[i](saved)
                found[i] = np.asarray(rule(gradient, *picked, **made.settings))
        return found


def local_derivatives(trace: Trace, made: Instruction) -> dict[int, NDArray[Any]]:
    """The local derivative of a pointwise instruction, element by element, per input."""
    if not isinstance(made.op.lower, Pointwise):
        return {}
    out = trace[made.outputs[0]]
    return passed_on(trace, made, np.ones(out.shape, out.dtype))


def wants_gradient(trace: Trace, operand: Any) -> bool:
    """Whether the loss's gradient with respect to a value was needed.

    What is only a parameter repeated or cast, as recording does of its own, counts as well.
    """
    if not isinstance(operand, Symbol):
        return False
    return operand in trace.live or wants_gradient(trace, repeated(operand))


def repeated(operand: Any) -> Any:
    """What a value repeats or casts; None if it is another computation, or no value."""
    made = operand.made if isinstance(operand, Symbol) else None
    same = made is not None and (
        isinstance(made.op.lower, Reindex) or made.op.written == made.op.inputs[0]
    )
    return made.inputs[0] if made is not None and same else None

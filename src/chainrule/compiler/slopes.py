"""Sums of products with the same gradient become the gradient times one slope.

Backpropagation through y = x (1 + erf(x)) gives g (1 + erf(x)) + (g x) erf'(x): three values of the
forward pass are kept for it. Written as g ((1 + erf(x)) + x erf'(x)), what is multiplied with g
depends on the forward pass alone, is computed there, in the loop that has x at hand, and is the
only value kept. Products are taken in another order by that, which moves the last bit or two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from chainrule.compiler.linear import is_linear
from chainrule.core.op import OPS, Pointwise
from chainrule.core.program import Instruction, Program
from chainrule.core.value import Symbol

BACKWARD = "backward"

Slopes = dict[Symbol, Any]
"""For gradients that a value is a multiple of, in the order they are made: what it is multiplied
with, a number or a `_Slope`."""


@dataclass(frozen=True, eq=False)
class _Slope:
    """A factor that can be computed from the forward pass: an instruction, but for its place."""

    made: Instruction
    inputs: tuple[Any, ...]  # symbols, numbers, and other slopes


def with_slopes(program: Program) -> Program:
    """The program with one factor in place of several, where that leaves fewer values to keep."""
    work = _Work(program)
    for made in program.instructions:
        work.add(made)
    return replace(program, instructions=work.instructions, derived={}).pruned()


class _Work:
    def __init__(self, program: Program) -> None:
        self.instructions: list[Instruction] = []
        self.made_by = {out: made for made in program.instructions for out in made.outputs}
        self.numbers = count(1 + max((s.id for s in [*self.made_by, *program.heads()]), default=0))
        self.slopes: dict[Any, Slopes] = {}  # of every gradient
        self.written: dict[_Slope, Symbol] = {}

    def add(self, made: Instruction) -> None:
        """One instruction more, itself or as a product of a gradient and a slope."""
        if made.phase == BACKWARD and not self._is_early(made):
            found = self._slopes(made)
            for out in made.outputs:
                self.slopes[out] = {**found, out: 1.0}
            for gradient, slope in found.items():
                if self._is_worth(made, slope):
                    factor = self._write(slope)
                    made = replace(made, op=OPS["mul"], inputs=(gradient, factor), settings={})
                    break
        self.instructions.append(made)

    def _is_early(self, made: Instruction) -> bool:
        """Whether it needs no gradient, so that the forward pass could compute it."""
        pointwise = isinstance(made.op.lower, Pointwise)
        return pointwise and not any(x in self.slopes for x in made.inputs)

    def _slopes(self, made: Instruction) -> Slopes:
        """Of the gradients that the result is a multiple of."""
        late = [i for i, x in enumerate(made.inputs) if x in self.slopes]
        if not is_linear(made, late):
            return {}
        of_inputs = [self.slopes[made.inputs[i]] for i in late]
        shared = [s for s in of_inputs[0] if all(s in other for other in of_inputs)]
        found = {gradient: self._slope(made, gradient) for gradient in shared}
        return {gradient: slope for gradient, slope in found.items() if slope is not None}

    def _slope(self, made: Instruction, gradient: Symbol) -> Any:
        """What an instruction gives where every multiple of the gradient is its slope.

        None if only numbers are left to choose from, as in where(mask, 1, 0): they have no dtype.
        """
        inputs = tuple(self.slopes[x][gradient] if x in self.slopes else x for x in made.inputs)
        values = [x.made.outputs[0] if isinstance(x, _Slope) else x for x in inputs]
        symbols = [x for x in values if isinstance(x, Symbol)]
        if not symbols:
            return float(made.op.forward(*inputs))
        return _Slope(made, inputs) if made.outputs[0].dtype in [x.dtype for x in symbols] else None

    def _is_worth(self, made: Instruction, slope: Any) -> bool:
        """Whether a sum reads several values of the forward pass beside the gradient."""
        is_sum = sum(x in self.slopes for x in made.inputs) > 1
        return is_sum and isinstance(slope, _Slope) and len(set(self._kept(slope))) > 1

    def _kept(self, slope: Any) -> Iterator[Symbol]:
        """The values of the forward pass that a slope is computed from."""
        if isinstance(slope, _Slope):
            for x in slope.inputs:
                yield from self._kept(x)
        elif isinstance(slope, Symbol):
            made = self.made_by.get(slope)
            if made and made.phase == BACKWARD and isinstance(made.op.lower, Pointwise):
                for x in made.inputs:
                    yield from self._kept(x)
            elif made:
                yield slope

    def _write(self, slope: Any) -> Any:
        """The instructions that compute a slope, once; gives its value."""
        if not isinstance(slope, _Slope):
            return slope
        if slope not in self.written:
            like = slope.made.outputs[0]
            inputs = tuple(self._write(x) for x in slope.inputs)
            out = Symbol(tuple(like.shape), like.dtype, next(self.numbers))
            out.made = replace(slope.made, inputs=inputs, outputs=(out,))
            self.instructions.append(out.made)
            self.written[slope] = out
        return self.written[slope]

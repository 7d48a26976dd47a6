"""From composites, such as convolutions, to the ops that they are written in.

An op of the kind Composite says itself how it is written in others; convolution and pooling do so
with the channels last. So that the results stay in memory as they are computed, what follows
element by element is computed in their order of axes too, and a permute at its end, which only
names the axes, costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from chainrule.compiler.views import Linear
from chainrule.core.op import OPS, Composite, Pointwise, Reduce, Reindex
from chainrule.core.program import Instruction, Program
from chainrule.core.record import record
from chainrule.core.value import Symbol
from chainrule.ops.layout import inverse
from chainrule.spec import Spec

Axes = tuple[int, ...]


def expand(program: Program) -> Program:
    """The program without instructions of the kind Composite, in bodies of scans too."""
    if not _has_windows(program):
        return program
    work = _Expansion(program)
    for made in program.instructions:
        bodies = {k: expand(v) for k, v in made.settings.items() if isinstance(v, Program)}
        work.add(replace(made, settings={**made.settings, **bodies}) if bodies else made)
    return replace(program, instructions=work.instructions, derived={})


def _has_windows(program: Program) -> bool:
    return any(
        isinstance(made.op.lower, Composite)
        or any(isinstance(v, Program) and _has_windows(v) for v in made.settings.values())
        for made in program.instructions
    )


class _Expansion:
    def __init__(self, program: Program) -> None:
        self.instructions: list[Instruction] = []
        made = [out.id for made in program.instructions for out in made.outputs]
        self.numbers = count(1 + max([*made, *(head.id for head in program.heads())]))
        self.stored: dict[Symbol, tuple[Symbol, Axes]] = {}  # value -> what it is a permute of
        self.roots: dict[Any, Symbol] = {}  # value -> what it is a reshape of
        self.reshaped: dict[Symbol, Symbol] = {}  # the same, where that has more axes
        self.known: dict[Any, tuple[Symbol, ...]] = {}  # an instruction's key -> its outputs
        # What becomes a cell's new value keeps its order of axes, and is written over the old one.
        self.of_cells = set(program.reads.values())

    def add(self, made: Instruction) -> None:
        lower = made.op.lower
        if isinstance(lower, Composite):
            self._written_out(made, lower)
        elif isinstance(lower, Pointwise) and self._shaped_like_a_cell(made):
            self.of_cells.update(made.outputs)
            self.instructions.append(made)
        elif isinstance(lower, Pointwise) and any(s in self.stored for s in made.inputs):
            self._pointwise(made)
        elif isinstance(lower, Pointwise):
            self._in_shape(made)
        elif isinstance(lower, Reduce) and made.inputs[0] in self.stored:
            self._reduce(made)
        else:
            self._append(made)

    def _append(self, made: Instruction) -> None:
        self.instructions.append(made)
        order = _order(made)
        if order:
            source, axes = self.stored.get(made.inputs[0], (made.inputs[0], range(len(order))))
            order = tuple(axes[axis] for axis in order)
            if order != tuple(range(len(order))):
                self.stored[made.outputs[0]] = source, order

    def _written_out(self, made: Instruction, lower: Composite) -> None:
        """What the op says it is, in place of it."""
        specs = [Spec(tuple(x.shape), x.dtype) for x in made.inputs]
        body, _ = record(lambda *xs: (lower.expand(*xs, **made.settings),), specs)
        at: dict[Any, Any] = dict(zip(body.args, made.inputs, strict=True))
        at[body.returns[0]] = made.outputs[0]
        for one in body.instructions:
            inputs = tuple(at.get(x, x) for x in one.inputs)
            key = one.op, inputs, *one.settings.items()
            if key in self.known and body.returns[0] not in one.outputs:
                at.update(zip(one.outputs, self.known[key], strict=True))
                continue
            outputs = self.known[key] = tuple(
                at.get(x) or self._new(x, range(x.ndim)) for x in one.outputs
            )
            at.update(zip(one.outputs, outputs, strict=True))
            self.add(self._made(made, one, inputs, outputs))
            self._note_reshape(one, inputs[0] if inputs else None, outputs[0])

    def _new(self, like: Symbol, axes: Sequence[int]) -> Symbol:
        """A value of the same dtype, its axes permuted."""
        return Symbol(tuple(like.shape[axis] for axis in axes), like.dtype, next(self.numbers))

    def _made(
        self, like: Instruction, one: Instruction, inputs: Any, outputs: tuple[Symbol, ...]
    ) -> Instruction:
        """An instruction of the phase, layer and line of another."""
        return replace(
            one, inputs=inputs, outputs=outputs, phase=like.phase, scope=like.scope, line=like.line
        )

    def _shaped_like_a_cell(self, made: Instruction) -> bool:
        return any(s in self.of_cells for s in made.inputs)

    def _pointwise(self, made: Instruction) -> None:
        """Computed in the order of axes in which its first stored input lies."""
        order = next(self.stored[s][1] for s in made.inputs if s in self.stored)
        inputs = tuple(
            self._in_order(made, s, order) if isinstance(s, Symbol) else s for s in made.inputs
        )
        out = made.outputs[0]
        stored = self._new(out, inverse(order))
        self._in_shape(self._made(made, made, inputs, (stored,)))
        self._permuted(made, stored, order, out)

    def _note_reshape(self, made: Instruction, source: Any, out: Symbol) -> None:
        """Whether the output is something of more axes, such as windows side by side, joined."""
        if not isinstance(made.op.lower, Reindex) or not made.op.lower.keeps_order:
            return
        self.roots[out] = source = self.roots.get(source, source)
        if _axes(source) > _axes(out):
            self.reshaped[out] = source

    def _in_shape(self, made: Instruction) -> None:
        """Computed in the shape of more axes that its first reshaped input has, if one is."""
        shape = next((self.reshaped[s].shape for s in made.inputs if s in self.reshaped), None)
        if shape is None:
            self.instructions.append(made)
            return
        inputs = []
        for source in made.inputs:
            if isinstance(source, Symbol):
                inside = self.reshaped.get(source, source)
                if inside.shape != shape:
                    inside = Symbol(shape, source.dtype, next(self.numbers))
                    self._reshape(made, source, inside)
                inputs.append(inside)
            else:
                inputs.append(source)
        out = made.outputs[0]
        apart = self.reshaped[out] = self.roots[out] = Symbol(shape, out.dtype, next(self.numbers))
        self.instructions.append(self._made(made, made, tuple(inputs), (apart,)))
        self._reshape(made, apart, out)

    def _reshape(self, like: Instruction, source: Symbol, out: Symbol) -> None:
        one = Instruction(OPS["reshape"], (source,), {"shape": out.shape}, (out,))
        self._append(self._made(like, one, (source,), (out,)))

    def _in_order(self, made: Instruction, source: Symbol, order: Axes) -> Symbol:
        """An input of which `source` is the permute by `order`."""
        stored, axes = self.stored.get(source, (source, None))
        if axes == order:
            return stored
        undone = self._new(source, inverse(order))
        self._permuted(made, source, inverse(order), undone)
        return undone

    def _reduce(self, made: Instruction) -> None:
        """Reduced over the same axes where they lie."""
        stored, order = self.stored[made.inputs[0]]
        axes = tuple(sorted(order[axis] for axis in made.settings["axes"]))
        kept = [axis for axis in order if axis not in axes]
        left = tuple(sorted(kept).index(axis) for axis in kept)
        out = made.outputs[0]
        result = out if left == tuple(range(len(left))) else self._new(out, inverse(left))
        one = replace(made, settings={**made.settings, "axes": axes})
        self.instructions.append(self._made(made, one, (stored,), (result,)))
        if result is not out:
            self._permuted(made, result, left, out)

    def _permuted(self, like: Instruction, source: Symbol, axes: Axes, out: Symbol) -> None:
        one = Instruction(OPS["permute"], (source,), {"axes": axes}, (out,))
        self._append(self._made(like, one, (source,), (out,)))


def _order(made: Instruction) -> Axes | None:
    """Which axis of its input each axis of the output is, where the instruction is a permute."""
    lower, out = made.op.lower, made.outputs[0]
    if (
        not isinstance(lower, Reindex)
        or lower.keeps_order
        or not isinstance(made.inputs[0], Symbol)
    ):
        return None
    at = tuple(Linear(0, {axis: 1}) for axis in range(len(out.shape)))
    places = lower.index(at, tuple(made.inputs[0].shape), **made.settings)
    whole = [p for p in places if isinstance(p, Linear) and p.constant == 0]
    axes = [axis for p in whole for axis, times in p.terms.items() if times == 1]
    if sorted(axes) != list(range(len(out.shape))) or len(axes) != len(places):
        return None
    shape = tuple(out.shape[axis] for axis in axes)
    return inverse(tuple(axes)) if shape == tuple(made.inputs[0].shape) else None


def _axes(symbol: Symbol) -> int:
    """How many axes are more than one long."""
    return sum(size != 1 for size in symbol.shape)

"""Contractions: a tree of loops around tiles of sums that are held in registers.

Of the output's last axis the lanes are made; the operand that has it gives vectors, the other one
single numbers. What follows element by element is computed on the sums before they are stored.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from chainrule.compiler.ir import Index, Reg
from chainrule.compiler.loops import leaves_of
from chainrule.compiler.views import View, collapsed
from chainrule.compiler.writer import Writer
from chainrule.ops.contract import split

LEFT, RIGHT, OUT = range(3)
"""Operands, in this order everywhere: the one of the rows, the one of the columns, the output; then
what the members after the product read."""


@dataclass(frozen=True)
class Axes:
    """Some of the product's dimensions: their sizes and, per operand, their strides."""

    sizes: tuple[int, ...]
    strides: list[tuple[int, ...]]  # operand by operand

    @staticmethod
    def of(names: Sequence[str], sizes: dict[str, int], operands: Sequence[dict[str, int]]) -> Axes:
        """The axes of these names, neighbours joined where every operand allows it."""
        shape = tuple(sizes[n] for n in names)
        steps = [tuple(operand.get(n, 0) for n in names) for operand in operands]
        return Axes(*collapsed(shape, steps))

    @property
    def count(self) -> int:
        """How many elements they have together."""
        return math.prod(self.sizes)

    @property
    def outer(self) -> Axes:
        """All of them but the last."""
        return Axes(self.sizes[:-1], [s[:-1] for s in self.strides])

    def steps(self, axis: int) -> list[int]:
        """How far each operand moves along one of the axes."""
        return [s[axis] for s in self.strides]

    def laid(self, operand: int, strides: tuple[int, ...]) -> Axes:
        """The same axes, one operand laid out anew."""
        return Axes(
            self.sizes, [strides if i == operand else s for i, s in enumerate(self.strides)]
        )


class Product:
    """A contraction and the members after it: what its axes are, and where its operands lie."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        root = writer.kernel.root
        assert root is not None
        self.out = root.outputs[0]
        x, y = (writer.fused.views[s] for s in root.inputs)
        left, right, out = split(root.settings["dims"])
        named = [(left, x), (right, y)]
        sizes = {n: size for dims, v in named for n, size in zip(dims, v.shape, strict=True)}
        self.empty = 0 in (sizes[n] for n in out)
        lane = next((n for n in reversed(out) if sizes[n] > 1), "")
        if lane in left and lane not in right:
            named.reverse()  # the second operand has the columns
        (left, x), (right, y) = named
        self.tail = [m for m in writer.kernel.members if m is not root]
        inside = {s for m in self.tail for s in m.outputs} | {self.out}
        self.leaves = [s for s in leaves_of(writer, self.tail) if s not in inside]
        leaves = [writer.fused.views[s] for s in self.leaves]
        self.views: list[View] = [x, y, View.of(self.out), *leaves]
        names = [left, right, *[out] * (1 + len(leaves))]
        steps = [
            dict(zip(n, v.strides, strict=True)) for n, v in zip(names, self.views, strict=True)
        ]
        inner = [n for n in left if n in right and n not in out]
        inner.sort(key=lambda n: -abs(steps[LEFT][n]) - abs(steps[RIGHT][n]))

        def axes(names: Sequence[str]) -> Axes:
            return Axes.of(names, sizes, steps)

        self.batch = axes([n for n in out if n in left and n in right and n != lane])
        self.rows = axes([n for n in out if n not in right])
        self.columns = axes([n for n in out if n not in left or n == lane])
        self.inner = axes(inner)
        self.starts: list[Index] = [v.start for v in self.views]
        self.piece_steps: dict[
            int, int
        ] = {}  # of packed operands: from a tile or panel to the next

    @property
    def lane_steps(self) -> list[int]:
        """How far each operand moves from one lane to the next."""
        return self.columns.steps(-1)

    def added(self, a: Reg, b: Reg, sum_: Reg) -> Reg:
        """a * b + sum."""
        emitter = self.writer.emitter
        if sum_.dtype.kind == "f":
            return emitter.call("fmuladd", a, b, sum_)
        return emitter.add(emitter.mul(a, b), sum_)

    def moved(self, at: Sequence[Index], axes: Axes, position: Index) -> list[Index]:
        """The operands' offsets at an element of some axes, counted row by row."""
        code, found = self.writer.code, list(at)
        for axis, place in enumerate(code.split(position, axes.sizes)):
            found = self.along(found, axes.steps(axis), place)
        return found

    def along(self, at: Sequence[Index], steps: Sequence[int], count: Index) -> list[Index]:
        """The operands' offsets so many steps further."""
        code = self.writer.code
        return [code.add(o, code.mul(count, s)) for o, s in zip(at, steps, strict=True)]

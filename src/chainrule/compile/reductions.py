"""Kernels that fold axes of a tree's values."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from chainrule.compile.ir import Index, Reg
from chainrule.compile.loops import leaves_of
from chainrule.compile.views import collapsed, contiguous
from chainrule.compile.writer import Writer
from chainrule.core.op import Reduce
from chainrule.core.program import Instruction
from chainrule.core.value import Symbol

_AT_ONCE = 4  # independent running results, so that they do not wait for each other


def write_reduce(writer: Writer) -> None:
    """A fold over axes of a tree's values."""
    kernel, root = writer.kernel, writer.kernel.root
    assert root is not None
    shape, axes = tuple(root.inputs[0].shape), root.settings["axes"]
    kept = [i for i in range(len(shape)) if i not in axes]
    fold = _Fold(writer, root, shape)
    if kept and kept[-1] == len(shape) - 1 and shape[-1] > 1:
        fold.down(kept, sorted(axes))
    else:
        fold.along(kept, sorted(axes))
    assert kernel.stores


_COMBINE = {"add": "add", "max": "maximum", "min": "minimum"}


class _Fold:
    """One reduction: what is read, how it is combined."""

    def __init__(self, writer: Writer, root: Instruction, shape: tuple[int, ...]) -> None:
        self.writer, self.root, self.shape = writer, root, shape
        self.members = [m for m in writer.kernel.members if m is not root]
        if self.members:
            self.leaves = leaves_of(writer, self.members)
        else:
            self.leaves = [root.inputs[0]]
        self.views = [writer.fused.views[leaf] for leaf in self.leaves]
        lower = root.op.lower
        assert isinstance(lower, Reduce)
        self.combine = getattr(writer.emitter, _COMBINE[lower.combine])
        self.start = lower.start
        self.out = root.outputs[0]

    def value(self, offsets: list[Index], steps: Sequence[int], lanes: int, count: int) -> Reg:
        """What is folded at these offsets."""
        at = dict(zip(self.leaves, zip(self.views, offsets, steps, strict=True), strict=True))

        def leaf(symbol: Symbol) -> Reg:
            view, offset, step = at[symbol]
            return self.writer.read(view, offset, step, lanes, count)

        if not self.members:
            return self._as_result(leaf(self.leaves[0]))
        known: dict[Symbol, Reg] = {}
        self.writer.tree(self.members, known, leaf)
        source = self.root.inputs[0]
        found = self.writer.code.splat(known[self.writer.fused.same.get(source, source)], lanes)
        return self._as_result(found)

    def _as_result(self, value: Reg) -> Reg:
        return self.writer.emitter.cast(value, self.out.dtype.name)

    def first(self, lanes: int) -> Reg:
        dtype = self.out.dtype
        start = self.start
        if dtype.kind in "iu" and not np.isfinite(start):
            start = np.iinfo(dtype).max if start > 0 else np.iinfo(dtype).min
        return self.writer.code.constant(start, dtype, lanes)

    def strides(self, axes: Sequence[int]) -> list[tuple[int, ...]]:
        return [tuple(v.strides[a] for a in axes) or (0,) for v in self.views]

    def down(self, kept: list[int], axes: list[int]) -> None:
        """The last axis stays: its lanes are folded side by side."""
        writer, code = self.writer, self.writer.code
        outs = contiguous(tuple(self.shape[a] for a in kept))
        shape, steps = collapsed(tuple(self.shape[a] for a in kept), [*self.strides(kept), outs])
        inner, inner_steps = collapsed(
            tuple(self.shape[a] for a in axes) or (1,), self.strides(axes)
        )

        def body(offsets: list[Index], lanes: int, count: int) -> None:
            def level(axis: int, at: list[Index], held: list[Reg]) -> list[Reg]:
                if axis == len(inner):
                    value = self.value(at, [s[-1] for s in steps[:-1]], lanes, count)
                    return [self.combine(held[0], value)]
                return code.loop(
                    inner[axis],
                    lambda i, now: level(axis + 1, writer.moved(at, inner_steps, axis, i), now),
                    held,
                )

            total = level(0, offsets[:-1], [self.first(lanes)])
            writer.write(total[0], self.out, offsets[-1], count)

        weight = math.prod(inner) * (len(self.leaves) + len(self.members))
        among = writer.share_nest(shape, writer.lanes, weight)
        starts = [*(v.start for v in self.views), 0]
        writer.nest(shape, steps, starts, body, writer.lanes, among)

    def along(self, kept: list[int], axes: list[int]) -> None:
        """The last axis goes: lanes are folded apart, then into each other."""
        writer, code = self.writer, self.writer.code
        outs = contiguous(tuple(self.shape[a] for a in kept)) or (0,)
        sizes = tuple(self.shape[a] for a in kept) or (1,)
        shape, steps = collapsed(sizes, [*self.strides(kept), outs])
        inner, inner_steps = collapsed(
            tuple(self.shape[a] for a in axes) or (1,), self.strides(axes)
        )
        lanes = writer.lanes if inner[-1] > 1 else 1

        def row(at: list[Index], held: list[Reg]) -> list[Reg]:
            """The innermost axis: several running results, then the rest."""
            size, last = inner[-1], [s[-1] for s in inner_steps]

            def move(i: Index) -> list[Index]:
                return writer.moved(at, inner_steps, len(inner) - 1, i)

            many = size // (lanes * _AT_ONCE) * lanes * _AT_ONCE

            def several(i: Index, now: list[Reg]) -> list[Reg]:
                return [
                    self.combine(reg, self.value(move(code.add(i, n * lanes)), last, lanes, lanes))
                    for n, reg in enumerate(now)
                ]

            if many:
                held = code.loop(many, several, held, lanes * _AT_ONCE)
            for begin in range(many, size, lanes):
                count = min(lanes, size - begin)
                value = self.value(move(begin), last, lanes, count)
                held = [self.combine(held[0], self._only(value, count)), *held[1:]]
            return held

        def level(axis: int, at: list[Index], held: list[Reg]) -> list[Reg]:
            if axis == len(inner) - 1:
                return row(at, held)
            return code.loop(
                inner[axis],
                lambda i, now: level(axis + 1, writer.moved(at, inner_steps, axis, i), now),
                held,
            )

        def body(offsets: list[Index], _: int, __: int) -> None:
            held = [self.first(lanes)] * _AT_ONCE
            if 0 not in inner:
                held = level(0, offsets[:-1], held)
            writer.write(self._folded(held), self.out, offsets[-1], 1)

        weight = math.prod(inner) / lanes * (len(self.leaves) + len(self.members))
        among = writer.share_nest(shape, 1, weight)
        writer.nest(shape, steps, [*(v.start for v in self.views), 0], body, 1, among)

    def _only(self, value: Reg, count: int) -> Reg:
        """Lanes beyond `count` made to change nothing."""
        if count == value.lanes:
            return value
        code = self.writer.code
        mask = ", ".join(f"i1 {'true' if i < count else 'false'}" for i in range(value.lanes))
        name = code.let(
            f"select <{value.lanes} x i1> <{mask}>, {value.type} {value.name}, "
            f"{value.type} {self.first(value.lanes).name}"
        )
        return Reg(name, value.dtype, value.lanes)

    def _folded(self, held: list[Reg]) -> Reg:
        """Running results into one, then its halves into each other: a tree fixed by the lanes."""
        code = self.writer.code
        while len(held) > 1:
            held = [self.combine(a, b) for a, b in zip(held[::2], held[1::2], strict=True)]
        (reg,) = held
        while reg.lanes > 2:
            reg = self.combine(*(self._half(reg, start) for start in (0, reg.lanes // 2)))
        return reg if reg.lanes == 1 else self.combine(code.lane(reg, 0), code.lane(reg, 1))

    def _half(self, reg: Reg, start: int) -> Reg:
        half = reg.lanes // 2
        order = ", ".join(f"i32 {start + i}" for i in range(half))
        name = self.writer.code.let(
            f"shufflevector {reg.type} {reg.name}, {reg.type} poison, <{half} x i32> <{order}>"
        )
        return Reg(name, reg.dtype, half)

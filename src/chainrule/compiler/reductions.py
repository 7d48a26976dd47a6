"""Folds, and the kernels that fold axes before the last one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from chainrule.compiler.ir import Index, Reg
from chainrule.compiler.loops import leaves_of
from chainrule.compiler.views import collapsed, contiguous
from chainrule.compiler.writer import Writer
from chainrule.core.op import Reduce
from chainrule.core.program import Instruction
from chainrule.core.value import Symbol

_COMBINE = {"add": "add", "max": "maximum", "min": "minimum"}
_MOST = 4  # vectors folded side by side
_PARTS = 4  # so many at least are left to share among threads


class Fold:
    """What a reduction starts from and how it goes on."""

    def __init__(self, writer: Writer, made: Instruction) -> None:
        lower = made.op.lower
        assert isinstance(lower, Reduce)
        self.writer, self.out, self.start = writer, made.outputs[0], lower.start
        self.combine = getattr(writer.emitter, _COMBINE[lower.combine])

    def first(self, lanes: int) -> Reg:
        """What changes nothing."""
        dtype = self.out.dtype
        start = self.start
        if dtype.kind in "iu" and not np.isfinite(start):
            start = np.iinfo(dtype).max if start > 0 else np.iinfo(dtype).min
        return self.writer.code.constant(start, dtype, lanes)

    def more(self, held: Reg, value: Reg, count: int) -> Reg:
        """With the first `count` lanes of a value."""
        cast = self.writer.emitter.cast(value, self.out.dtype.name)
        return self.combine(held, self._only(cast, count))  # type: ignore[no-any-return]

    def _only(self, value: Reg, count: int) -> Reg:
        """Lanes beyond `count` made to change nothing."""
        if count == value.lanes:
            return value
        mask = ", ".join(f"i1 {'true' if i < count else 'false'}" for i in range(value.lanes))
        name = self.writer.code.let(
            f"select <{value.lanes} x i1> <{mask}>, {value.type} {value.name}, "
            f"{value.type} {self.first(value.lanes).name}"
        )
        return Reg(name, value.dtype, value.lanes)

    def folded(self, held: Sequence[Reg]) -> Reg:
        """Running results into one, then its halves into each other: a tree fixed by the lanes."""
        held = list(held)
        while len(held) > 1:
            held = [self.combine(a, b) for a, b in zip(held[::2], held[1::2], strict=True)]
        (reg,) = held
        while reg.lanes > 2:
            reg = self.combine(*(self._half(reg, start) for start in (0, reg.lanes // 2)))
        code = self.writer.code
        return reg if reg.lanes == 1 else self.combine(code.lane(reg, 0), code.lane(reg, 1))

    def _half(self, reg: Reg, start: int) -> Reg:
        half = reg.lanes // 2
        order = ", ".join(f"i32 {start + i}" for i in range(half))
        name = self.writer.code.let(
            f"shufflevector {reg.type} {reg.name}, {reg.type} poison, <{half} x i32> <{order}>"
        )
        return Reg(name, reg.dtype, half)


def write_reduce(writer: Writer) -> None:
    """The last axis stays: its lanes are folded side by side."""
    root = writer.kernel.root
    assert root is not None
    _Down(writer, root).write()


class _Down:
    def __init__(self, writer: Writer, root: Instruction) -> None:
        self.writer, self.root, self.fold = writer, root, Fold(writer, root)
        self.members = [m for m in writer.kernel.members if m is not root]
        self.leaves = leaves_of(writer, self.members) if self.members else [root.inputs[0]]
        self.views = [writer.fused.views[leaf] for leaf in self.leaves]
        shape, axes = tuple(root.inputs[0].shape), sorted(root.settings["axes"])
        kept = [axis for axis in range(len(shape)) if axis not in axes]
        sizes = tuple(shape[axis] for axis in kept)
        outs = contiguous(sizes)
        self.shape, self.steps = collapsed(sizes, [*self._strides(kept), outs])
        self.inner, self.inner_steps = collapsed(
            tuple(shape[axis] for axis in axes), self._strides(axes)
        )

    def _strides(self, axes: Sequence[int]) -> list[tuple[int, ...]]:
        return [tuple(view.strides[axis] for axis in axes) for view in self.views]

    def write(self) -> None:
        weight = math.prod(self.inner) * (len(self.leaves) + len(self.members))
        lanes = self._lanes()
        among = self.writer.share_nest(
            self.shape, lanes, weight * max(1, lanes / self.writer.lanes)
        )
        starts = [*(view.start for view in self.views), 0]
        self.writer.nest(self.shape, self.steps, starts, self._column, lanes, among)

    def _lanes(self) -> int:
        """Several vectors side by side: their additions need not wait for each other."""
        lanes, width = self.writer.lanes, self.shape[-1]
        wanted = min(_MOST, max(1, width // (lanes * _PARTS)))
        return lanes << (wanted.bit_length() - 1) if width > 1 else 1

    def _column(self, offsets: list[Index], lanes: int, count: int) -> None:
        code = self.writer.code

        def level(axis: int, at: list[Index], held: list[Reg]) -> list[Reg]:
            if axis == len(self.inner):
                return [self.fold.more(held[0], self._value(at, lanes, count), lanes)]
            return code.loop(
                self.inner[axis],
                lambda i, now: level(
                    axis + 1, self.writer.moved(at, self.inner_steps, axis, i), now
                ),
                held,
            )

        total = level(0, offsets[:-1], [self.fold.first(lanes)])
        self.writer.write(total[0], self.fold.out, offsets[-1], count)

    def _value(self, offsets: list[Index], lanes: int, count: int) -> Reg:
        """What is folded at these offsets."""
        places = zip(self.views, offsets, self.steps, strict=False)
        at = dict(zip(self.leaves, places, strict=True))

        def leaf(symbol: Symbol) -> Reg:
            view, offset, steps = at[symbol]
            return self.writer.read(view, offset, steps[-1], lanes, count)

        source = self.root.inputs[0]
        if not self.members:
            return leaf(source)
        known: dict[Symbol, Reg] = {}
        self.writer.tree(self.members, known, leaf)
        return self.writer.code.splat(known[self.writer.source(source)], lanes)

"""Kernels of loops: pointwise trees, reductions, copies, and rows read or added by index."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule.compile.emitter import Emitter
from chainrule.compile.fuse import Fused, Kernel
from chainrule.compile.ir import Code, Index, Reg
from chainrule.compile.views import Linear, View, collapsed, contiguous
from chainrule.core.op import Join, Place, Reduce
from chainrule.core.program import Instruction
from chainrule.core.value import Symbol
from chainrule.spec import I64

STATUS = Symbol((), I64, 0)
"""Where kernels note that something was wrong: not 0 after an index out of range."""

_AT_ONCE = 4  # independent running results of a reduction, so that they do not wait for each other


class Writer:
    """Writes the function of one kernel: its parameters point to what it reads and writes."""

    def __init__(self, fused: Fused, kernel: Kernel, lanes: int, registers: int) -> None:
        self.fused, self.kernel = fused, kernel
        self.lanes, self.registers = lanes, registers
        self.code = Code()
        self.emitter = Emitter(self.code)
        self.parameters: dict[Symbol, str] = {}
        self.scratch: list[Symbol] = []  # memory that only this kernel needs

    def pointer(self, base: Symbol) -> str:
        """The parameter that points to a value's memory."""
        return self.parameters.setdefault(base, f"%p{len(self.parameters)}")

    def text(self, name: str) -> str:
        """The function as LLVM reads it."""
        arguments = ", ".join(f"ptr {p}" for p in self.parameters.values())
        body = "\n".join(self.code.lines)
        return f"define internal void @{name}({arguments}) #0 {{\nentry:\n{body}\n  ret void\n}}\n"

    # -- reading and writing

    def read(self, view: View, at: Index, step: int, lanes: int, count: int) -> Reg:
        """`count` of so many lanes, `step` elements apart, from an offset on."""
        dtype, pointer = view.base.dtype, self.pointer(view.base)
        if step == 0 or lanes == 1:
            one = self.code.load(self.code.at(pointer, at, dtype), dtype)
            return self.code.splat(one, lanes)
        if step == 1:
            address = self.code.at(pointer, at, dtype)
            if count == lanes:
                return self.code.load(address, dtype, lanes)
            return self.code.load_some(address, dtype, lanes, count)
        offsets = [self.code.add(at, min(i, count - 1) * step) for i in range(lanes)]
        singles = [self.code.load(self.code.at(pointer, o, dtype), dtype) for o in offsets]
        return self.code.gathered(singles)

    def write(self, value: Reg, base: Symbol, at: Index, count: int) -> None:
        """`count` lanes, one after the other."""
        address = self.code.at(self.pointer(base), at, value.dtype)
        if count == value.lanes:
            self.code.store(value, address)
        else:
            self.code.store_some(value, address, count)

    # -- the loops of a pointwise tree

    def tree(self, members: Sequence[Instruction], known: dict[Symbol, Reg], leaf: Any) -> None:
        """Compute the members in order into `known`; `leaf(symbol)` reads what is not there."""
        for made in members:
            inputs = []
            for source in made.inputs:
                symbol = self.fused.same.get(source, source)
                if isinstance(symbol, Symbol) and symbol not in known:
                    known[symbol] = leaf(symbol)
                inputs.append(known[symbol] if isinstance(symbol, Symbol) else symbol)
            lower: Any = made.op.lower
            known[made.outputs[0]] = lower.expression(self.emitter, *inputs, **made.settings)

    def nest(
        self,
        shape: tuple[int, ...],
        strides: Sequence[tuple[int, ...]],
        starts: Sequence[int],
        body: Callable[[list[Index], int, int], None],
        lanes: int,
    ) -> None:
        """Loops over `shape`, the last axis by vectors: body(offset per operand, lanes, count)."""

        def level(axis: int, offsets: list[Index]) -> None:
            size = shape[axis]
            if axis < len(shape) - 1:
                self.code.loop(
                    size, lambda i, _: level(axis + 1, self.moved(offsets, strides, axis, i))
                )
                return
            whole = size // lanes * lanes
            if whole:
                self.code.loop(
                    whole,
                    lambda i, _: body(self.moved(offsets, strides, axis, i), lanes, lanes),
                    step=lanes,
                )
            if size > whole:
                body(self.moved(offsets, strides, axis, whole), lanes, size - whole)

        if 0 not in shape:
            level(0, list(starts))

    def moved(
        self, offsets: list[Index], strides: Sequence[tuple[int, ...]], axis: int, i: Index
    ) -> list[Index]:
        """The operands' offsets `i` steps further along an axis."""
        return [
            self.code.add(o, self.code.mul(i, s[axis]))
            for o, s in zip(offsets, strides, strict=True)
        ]


def write_pointwise(writer: Writer) -> None:
    """Every element of the members' shape, once."""
    kernel = writer.kernel
    leaves = leaves_of(writer, kernel.members)
    views = [writer.fused.views[leaf] for leaf in leaves]
    plain = contiguous(kernel.shape)
    shape, strides = collapsed(kernel.shape, [*(v.strides for v in views), plain])
    lanes = 1 if shape[-1] == 1 else writer.lanes
    fixed = {
        leaf: writer.read(view, view.start, 0, lanes, lanes)
        for leaf, view, s in zip(leaves, views, strides, strict=False)
        if not any(s)
    }

    def body(offsets: list[Index], lanes: int, count: int) -> None:
        known = dict(fixed)
        at = dict(zip(leaves, zip(views, offsets, strides, strict=False), strict=True))

        def leaf(symbol: Symbol) -> Reg:
            view, offset, steps = at[symbol]
            return writer.read(view, offset, steps[-1], lanes, count)

        writer.tree(kernel.members, known, leaf)
        for symbol in kernel.stores:
            value = writer.code.splat(known[symbol], lanes)
            writer.write(value, symbol, offsets[-1], count)

    writer.nest(shape, strides, [*(v.start for v in views), 0], body, lanes)


def leaves_of(writer: Writer, members: Sequence[Instruction]) -> list[Symbol]:
    """What a tree reads from memory, each once."""
    inside = {out for made in members for out in made.outputs}
    same = writer.fused.same
    sources = (same.get(source, source) for made in members for source in made.inputs)
    return list(dict.fromkeys(s for s in sources if isinstance(s, Symbol) and s not in inside))


def write_copy(writer: Writer) -> None:
    """A reshape that no strides can express: the elements laid out anew."""
    (made,) = writer.kernel.members
    source = writer.fused.views[made.inputs[0]]
    copy_view(writer, source, View(made.outputs[0], source.shape, contiguous(source.shape)))


def copy_view(writer: Writer, source: View, target: View) -> None:
    """The elements of one view into the places of another."""
    shape, (read, written) = collapsed(source.shape, [source.strides, target.strides])
    lanes = writer.lanes if written[-1] == 1 and shape[-1] > 1 else 1

    def body(offsets: list[Index], lanes: int, count: int) -> None:
        value = writer.read(source, offsets[0], read[-1], lanes, count)
        writer.write(value, target.base, offsets[1], count)

    writer.nest(shape, [read, written], [source.start, target.start], body, lanes)


def write_join(writer: Writer) -> None:
    """Each input into its part of the output."""
    root = writer.kernel.root
    assert root is not None
    assert isinstance(root.op.lower, Join)
    out, begin = root.outputs[0], 0
    steps = contiguous(tuple(out.shape))
    for source in root.inputs:
        view = writer.fused.views[source]
        part = View(out, view.shape, steps, begin * steps[root.settings["axis"]])
        copy_view(writer, view, part)
        begin += view.shape[root.settings["axis"]]


def write_place(writer: Writer) -> None:
    """Zeros, and the elements at their places."""
    root = writer.kernel.root
    assert root is not None
    assert isinstance(root.op.lower, Place)
    out, source = root.outputs[0], writer.fused.views[root.inputs[0]]
    write_zeros(writer, out)
    at = tuple(Linear(0, {axis: 1}) for axis in range(len(source.shape)))
    places = root.op.lower.index(at, **root.settings)
    start, strides = 0, [0] * len(source.shape)
    for place, step in zip(places, contiguous(tuple(out.shape)), strict=True):
        start += place.constant * step
        for axis, times in place.terms.items():
            strides[axis] += times * step
    copy_view(writer, source, View(out, source.shape, tuple(strides), start))


def write_zeros(writer: Writer, out: Symbol) -> None:
    """Zeros everywhere."""
    size = math.prod(out.shape)
    zero = writer.code.constant(0, out.dtype, writer.lanes if size > 1 else 1)
    writer.nest(
        (size,),
        [(1,)],
        [0],
        lambda at, lanes, count: writer.write(zero, out, at[0], count),
        zero.lanes,
    )


# -- reductions


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

        writer.nest(shape, steps, [*(v.start for v in self.views), 0], body, writer.lanes)

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

        writer.nest(shape, steps, [*(v.start for v in self.views), 0], body, 1)

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


# -- rows by index


def write_index(writer: Writer) -> None:
    """Rows read by index, or added into zeros by index."""
    root = writer.kernel.root
    assert root is not None
    source, index = (writer.fused.views[x] for x in root.inputs)
    out = root.outputs[0]
    if root.op.lower.adds:  # type: ignore[attr-defined]
        _scatter(writer, source, index, out)
    else:
        _take(writer, source, index, out)


def _take(writer: Writer, source: View, index: View, out: Symbol) -> None:
    row_shape = source.shape[1:]
    width = math.prod(row_shape)

    def one(offsets: list[Index], _: int, __: int) -> None:
        at, place = offsets
        number = _row_number(writer, index, at, source.shape[0])
        begin = writer.code.dot([number.name], [source.strides[0]], source.start)
        _row(writer, source, row_shape, begin, out, writer.code.mul(place, width), add=False)

    shape, steps = collapsed(index.shape, [index.strides, contiguous(index.shape)])
    writer.nest(shape, steps, [index.start, 0], one, 1)


def _scatter(writer: Writer, source: View, index: View, out: Symbol) -> None:
    write_zeros(writer, out)
    ndim = len(index.shape)
    row_shape, width = source.shape[ndim:], math.prod(source.shape[ndim:])

    def one(offsets: list[Index], _: int, __: int) -> None:
        at, begin = offsets
        number = _row_number(writer, index, at, out.shape[0])
        target = writer.code.mul(number.name, width)
        _row(writer, source, row_shape, begin, out, target, add=True)

    shape, steps = collapsed(index.shape, [index.strides, source.strides[:ndim]])
    writer.nest(shape, steps, [index.start, source.start], one, 1)


def _row_number(writer: Writer, index: View, at: Index, rows: int) -> Reg:
    """The index at an offset; one that is out of range is noted, and taken for 0."""
    e, number = writer.emitter, writer.emitter.cast(writer.read(index, at, 0, 1, 1), "int64")
    wrong = e.logical_or(e.less(number, 0), e.greater_equal(number, rows))
    seen = writer.read(View.of(STATUS), 0, 0, 1, 1)
    writer.write(e.where(wrong, 1, seen), STATUS, 0, 1)
    return e.where(wrong, 0, number)


def _row(
    writer: Writer,
    source: View,
    shape: tuple[int, ...],
    begin: Index,
    out: Symbol,
    target: Index,
    *,
    add: bool,
) -> None:
    """One row copied to, or added at, an offset of the output."""
    strides = source.strides[len(source.strides) - len(shape) :]
    sizes, (read, written) = collapsed(shape, [strides, contiguous(shape)])
    code = writer.code
    lanes = writer.lanes if sizes[-1] > 1 else 1

    def body(offsets: list[Index], lanes: int, count: int) -> None:
        value = writer.read(source, code.add(begin, offsets[0]), read[-1], lanes, count)
        place = code.add(target, offsets[1])
        if add:
            before = writer.read(View.of(out), place, 1, lanes, count)
            value = writer.emitter.add(before, value)
        writer.write(value, out, place, count)

    writer.nest(sizes, [read, written], [0, 0], body, lanes)

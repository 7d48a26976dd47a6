"""Kernels that are loops over every element: pointwise trees, copies, joining, placing."""

from __future__ import annotations

import math
from collections.abc import Sequence

from chainrule.compiler.ir import Index, Reg
from chainrule.compiler.views import Linear, View, collapsed, contiguous
from chainrule.compiler.writer import Writer
from chainrule.core.op import Join, Place
from chainrule.core.program import Instruction
from chainrule.core.value import Symbol


def write_pointwise(writer: Writer) -> None:
    """Every element of the members' shape, once."""
    kernel = writer.kernel
    leaves = leaves_of(writer, kernel.members)
    views = [writer.fused.views[leaf] for leaf in leaves]
    plain = contiguous(kernel.shape)
    shape, strides = collapsed(kernel.shape, [*(v.strides for v in views), plain])
    lanes = 1 if shape[-1] == 1 else writer.together(kernel.members, shape[-1])
    weight = (len(leaves) + len(kernel.members)) * max(1, lanes // writer.lanes)
    among = writer.share_nest(shape, lanes, weight)
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

    writer.nest(shape, strides, [*(v.start for v in views), 0], body, lanes, among)


def leaves_of(writer: Writer, members: Sequence[Instruction]) -> list[Symbol]:
    """What a tree reads from memory, each once."""
    inside = {out for made in members for out in made.outputs}
    read = (s for made in members for s in made.inputs if isinstance(s, Symbol))
    return list(dict.fromkeys(s for s in map(writer.source, read) if s not in inside))


def write_copy(writer: Writer) -> None:
    """A reshape that no strides can express: the elements laid out anew."""
    (made,) = writer.kernel.members
    source = writer.fused.views[made.inputs[0]]
    copy_view(writer, source, View(made.outputs[0], source.shape, contiguous(source.shape)))


def copy_view(writer: Writer, source: View, target: View) -> None:
    """The elements of one view into the places of another."""
    shape, (read, written) = collapsed(source.shape, [source.strides, target.strides])
    lanes = writer.lanes if written[-1] == 1 and shape[-1] > 1 else 1
    among = writer.share_nest(shape, lanes, lanes if read[-1] > 1 else 2)

    def body(offsets: list[Index], lanes: int, count: int) -> None:
        value = writer.read(source, offsets[0], read[-1], lanes, count)
        writer.write(value, target.base, offsets[1], count)

    writer.nest(shape, [read, written], [source.start, target.start], body, lanes, among)


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
    """Zeros, or another number, and the elements at their places."""
    root = writer.kernel.root
    assert root is not None
    assert isinstance(root.op.lower, Place)
    out, source = root.outputs[0], writer.fused.views[root.inputs[0]]
    write_fill(writer, out, root.settings.get("value", 0))
    at = tuple(Linear(0, {axis: 1}) for axis in range(len(source.shape)))
    places = root.op.lower.index(at, **root.settings)
    start, strides = 0, [0] * len(source.shape)
    for place, step in zip(places, contiguous(tuple(out.shape)), strict=True):
        start += place.constant * step
        for axis, times in place.terms.items():
            strides[axis] += times * step
    copy_view(writer, source, View(out, source.shape, tuple(strides), start))


def write_fill(writer: Writer, out: Symbol, value: float) -> None:
    """One number everywhere."""
    size = math.prod(out.shape)
    filled = writer.code.constant(value, out.dtype, writer.lanes if size > 1 else 1)
    among = writer.share_nest((size,), filled.lanes, 1)
    writer.nest(
        (size,),
        [(1,)],
        [0],
        lambda at, lanes, count: writer.write(filled, out, at[0], count),
        filled.lanes,
        among,
    )

"""Kernels that read or add rows by index."""

from __future__ import annotations

import math

from chainrule.compiler.ir import Index, Reg
from chainrule.compiler.loops import write_fill
from chainrule.compiler.plan import STATUS
from chainrule.compiler.views import View, collapsed, contiguous
from chainrule.compiler.writer import Writer
from chainrule.core.value import Symbol


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
    among = writer.share_nest(shape, 1, 4 + width / writer.lanes)
    writer.nest(shape, steps, [index.start, 0], one, 1, among)


def _scatter(writer: Writer, source: View, index: View, out: Symbol) -> None:
    write_fill(writer, out, 0)
    ndim = len(index.shape)
    row_shape, width = source.shape[ndim:], math.prod(source.shape[ndim:])

    def one(offsets: list[Index], _: int, __: int) -> None:
        at, begin = offsets
        number = _row_number(writer, index, at, out.shape[0])
        target = writer.code.mul(number.name, width)
        _row(writer, source, row_shape, begin, out, target, add=True)

    shape, steps = collapsed(index.shape, [index.strides, source.strides[:ndim]])
    writer.share(1, 0)  # rows may come twice
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

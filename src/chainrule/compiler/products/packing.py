"""Operands of a product laid out anew: piece by piece, in the order in which tiles read them."""

from __future__ import annotations

import math

from chainrule.compiler.ir import Index, Reg
from chainrule.compiler.products.axes import Axes, Product
from chainrule.compiler.products.pieces import Pieces
from chainrule.compiler.products.shuffles import transposed
from chainrule.compiler.views import View, collapsed, contiguous
from chainrule.core.value import Symbol


class Packing:
    """One operand as [batch, outer axes, piece, inner, width]: width elements of its last axis.

    `axes` are the operand's own, its rows or columns; pieces smaller than `width` leave the rest.
    """

    def __init__(
        self, product: Product, operand: int, axes: Axes, pieces: Pieces, width: int, lanes: int
    ) -> None:
        self.product, self.operand, self.axes = product, operand, axes
        self.pieces, self.width, self.lanes = pieces, width, lanes
        self.writer, self.code = product.writer, product.writer.code
        self.source = product.views[operand]
        self.step = axes.strides[operand][-1]
        self.inner = product.inner.strides[operand]
        self.shape = (product.batch.count, axes.outer.count, pieces.total)
        depth = product.inner.count
        self.target = Symbol((*self.shape, depth, width), product.out.dtype, -1)

    def write(self) -> None:
        """The phase that does it."""
        self.writer.scratch.append(self.target)
        begin, end = self.writer.share(
            math.prod(self.shape), 3 * math.prod(self.target.shape) / self.lanes
        )
        self.code.loop(end, self._part, begin=begin)
        self._use()

    def _use(self) -> None:
        """From now on the product reads the operand where it lies now."""
        product, one = self.product, self.operand
        inner = tuple(s * self.width for s in contiguous(product.inner.sizes))
        piece = product.inner.count * self.width
        line = self.pieces.total * piece
        outer = tuple(s * line for s in contiguous(self.axes.outer.sizes))
        batch = tuple(s * line * self.shape[1] for s in contiguous(product.batch.sizes))
        axes = self.axes.laid(one, (*outer, 1))
        if self.axes is product.rows:
            product.rows = axes
        else:
            product.columns = axes
        product.batch = product.batch.laid(one, batch)
        product.inner = product.inner.laid(one, inner)
        product.views[one], product.starts[one] = View.of(self.target), 0
        product.piece_steps[one] = piece

    def _part(self, part: Index, _: list[Reg]) -> None:
        code = self.code
        batch, outer, piece = code.split(part, self.shape)
        at = self.product.moved(self.product.starts, self.product.batch, batch)
        at = self.product.moved(at, self.axes.outer, outer)
        to = code.mul(part, self.product.inner.count * self.width)

        def one(_: Index, first: Index, size: int) -> None:
            begin = code.add(at[self.operand], code.mul(first, self.step))
            self._lines(0, begin, to, size)

        self.pieces.each(code, piece, code.add(piece, 1), one)

    def _lines(self, axis: int, at: Index, to: Index, size: int) -> None:
        """The inner axes one by one; the last by squares where its elements lie side by side."""
        sizes = self.product.inner.sizes
        if axis == len(sizes):
            self._line(at, to, size)
            return
        if axis == len(sizes) - 1 and self.inner[axis] == 1 and self.step != 1:
            self._squares(at, to, size)
            return
        across = self.width * math.prod(sizes[axis + 1 :])

        def body(i: Index, _: list[Reg]) -> None:
            there = self.code.add(at, self.code.mul(i, self.inner[axis]))
            self._lines(axis + 1, there, self.code.add(to, self.code.mul(i, across)), size)

        self.code.loop(sizes[axis], body)

    def _line(self, at: Index, to: Index, size: int) -> None:
        """One element of the inner axes: all of the piece."""
        for begin in range(0, size, self.lanes):
            there = self.code.add(at, begin * self.step)
            count = min(self.lanes, size - begin)
            value = self.writer.read(self.source, there, self.step, self.lanes, count)
            self._store(value, self.code.add(to, begin))

    def _squares(self, at: Index, to: Index, size: int) -> None:
        """As many inner elements as there are lanes, transposed in registers."""
        depth, lanes = self.product.inner.sizes[-1], self.lanes

        def square(k: Index, count: int) -> None:
            for begin in range(0, size, lanes):
                rows = self._rows(self.code.add(at, k), begin, size, count)
                for i, value in enumerate(transposed(self.code, rows)[:count]):
                    there = self.code.add(to, self.code.mul(self.code.add(k, i), self.width))
                    self._store(value, self.code.add(there, begin))

        self.code.loop(depth // lanes * lanes, lambda k, _: square(k, lanes), step=lanes)
        if depth % lanes:
            square(depth // lanes * lanes, depth % lanes)

    def _rows(self, at: Index, begin: int, size: int, count: int) -> list[Reg]:
        rows = []
        for i in range(begin, begin + self.lanes):
            if i < size:
                there = self.code.add(at, i * self.step)
                rows.append(self.writer.read(self.source, there, 1, self.lanes, count))
            else:
                rows.append(self.code.constant(0, self.target.dtype, self.lanes))
        return rows

    def _store(self, value: Reg, to: Index) -> None:
        pointer = self.writer.pointer(self.target)
        self.code.store(value, self.code.at(pointer, to, value.dtype))


def joined(axes: Axes) -> Axes:
    """Neighbours joined wherever every operand allows it."""
    return Axes(*collapsed(axes.sizes, axes.strides))

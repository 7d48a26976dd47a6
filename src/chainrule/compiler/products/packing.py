"""Operands of a product laid out anew: piece by piece, in the order in which tiles read them."""

from __future__ import annotations

import math

from chainrule.compiler.ir import Index, Reg
from chainrule.compiler.products.axes import Axes, Product
from chainrule.compiler.products.pieces import Pieces
from chainrule.compiler.products.shuffles import transposed
from chainrule.compiler.views import View, collapsed, contiguous
from chainrule.core.value import Symbol

_LINE, _LINES = 64, 2  # bytes of a line of memory; as many are read at once


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
        self.piece = depth * width
        self.target = Symbol((*self.shape, depth, width), product.out.dtype, -1)
        self.groups = Pieces.balanced(pieces.count, self._together())
        self.parts = (*self.shape[:2], self.groups.total + pieces.others)

    def _together(self) -> int:
        """Pieces that are filled at once: where they lie beside each other a line of memory is of
        several, and else would be read for each of them.
        """
        if self.step != 1:
            return 1
        return max(1, _LINES * _LINE // (self.pieces.size * self.target.dtype.itemsize))

    def write(self) -> None:
        """The phase that does it."""
        self.writer.scratch.append(self.target)
        begin, end = self.writer.share(
            math.prod(self.parts), 3 * math.prod(self.target.shape) / self.lanes
        )
        self.code.loop(end, self._part, begin=begin)
        self._use()

    def _use(self) -> None:
        """From now on the product reads the operand where it lies now."""
        product, one = self.product, self.operand
        inner = tuple(s * self.width for s in contiguous(product.inner.sizes))
        line = self.pieces.total * self.piece
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
        product.piece_steps[one] = self.piece

    def _part(self, part: Index, _: list[Reg]) -> None:
        code, pieces, whole = self.code, self.pieces, self.groups.total
        batch, outer, group = code.split(part, self.parts)
        at = self.product.moved(self.product.starts, self.product.batch, batch)
        at = self.product.moved(at, self.axes.outer, outer)
        line = code.add(code.mul(batch, self.shape[1]), outer)

        def some(piece: Index, first: Index, size: int, count: int) -> None:
            begin = code.add(at[self.operand], code.mul(first, self.step))
            to = code.mul(code.add(code.mul(line, pieces.total), piece), self.piece)
            self._lines(0, begin, to, (size, count))

        def groups() -> None:
            self.groups.each(
                code,
                group,
                code.add(group, 1),
                lambda _, first, count: some(
                    first, code.mul(first, pieces.size), pieces.size, count
                ),
            )

        def others() -> None:
            piece = code.add(group, pieces.count - whole)
            pieces.each(
                code, piece, code.add(piece, 1), lambda p, first, size: some(p, first, size, 1)
            )

        if not pieces.others:
            groups()
            return
        code.when(code.let(f"icmp ult i64 {group}, {whole}"), groups)
        code.when(code.let(f"icmp uge i64 {group}, {whole}"), others)

    def _lines(self, axis: int, at: Index, to: Index, piece: tuple[int, int]) -> None:
        """The inner axes one by one; the last by squares where its elements lie side by side.

        `piece`: the elements of a piece, and how many pieces.
        """
        sizes = self.product.inner.sizes
        if axis == len(sizes):
            self._line(at, to, *piece)
            return
        if axis == len(sizes) - 1 and self.inner[axis] == 1 and self.step != 1:
            self._squares(at, to, piece[0])
            return
        across = self.width * math.prod(sizes[axis + 1 :])

        def body(i: Index, _: list[Reg]) -> None:
            there = self.code.add(at, self.code.mul(i, self.inner[axis]))
            self._lines(axis + 1, there, self.code.add(to, self.code.mul(i, across)), piece)

        self.code.loop(sizes[axis], body)

    def _line(self, at: Index, to: Index, size: int, count: int) -> None:
        """One element of the inner axes: all of the pieces."""
        for piece in range(count):
            for begin in range(0, size, self.lanes):
                there = self.code.add(at, (piece * size + begin) * self.step)
                some = min(self.lanes, size - begin)
                value = self.writer.read(self.source, there, self.step, self.lanes, some)
                self._store(value, self.code.add(to, piece * self.piece + begin), begin)

    def _squares(self, at: Index, to: Index, size: int) -> None:
        """As many inner elements as there are lanes, transposed in registers."""
        depth, lanes = self.product.inner.sizes[-1], self.lanes

        def square(k: Index, count: int) -> None:
            for begin in range(0, size, lanes):
                rows = self._rows(self.code.add(at, k), begin, size, count)
                for i, value in enumerate(transposed(self.code, rows)[:count]):
                    there = self.code.add(to, self.code.mul(self.code.add(k, i), self.width))
                    self._store(value, self.code.add(there, begin), begin)

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

    def _store(self, value: Reg, to: Index, begin: int) -> None:
        """What a piece has from its element `begin` on."""
        address = self.code.at(self.writer.pointer(self.target), to, value.dtype)
        if self.width - begin >= value.lanes:
            self.code.store(value, address)
        else:
            self.code.store_some(value, address, self.width - begin)


def joined(axes: Axes) -> Axes:
    """Neighbours joined wherever every operand allows it."""
    return Axes(*collapsed(axes.sizes, axes.strides))

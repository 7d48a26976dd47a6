"""The loops around a product's tiles: parts that threads share, strips of tiles, and their ends.

A part is one panel of columns times some rows. Its sums are collected strip by strip (tiles above
each other) in a small memory of the function's own, then the members after the product run on it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from chainrule.compiler.ir import SCALARS, Index, Reg
from chainrule.compiler.products.axes import LEFT, OUT, RIGHT, Product
from chainrule.compiler.products.costs import Plan
from chainrule.core.value import Symbol

_LINE = 64  # bytes that memory fetches at once


class Multiplier(Protocol):
    """What sums the products of one tile."""

    def sums(
        self, at: Sequence[Index], rows: int, columns: int, depth: int, sums: list[Reg]
    ) -> list[Reg]:
        """The sums over `depth` elements of the first inner axis and all of the others, added."""


class Tiles:
    """Writes the phase of a product that multiplies."""

    def __init__(self, product: Product, plan: Plan, multiplier: Multiplier) -> None:
        self.product, self.plan, self.multiplier = product, plan, multiplier
        self.writer, self.code = product.writer, product.writer.code
        self.lines, self.strips = plan.blocks(product)
        self.width = plan.vectors * plan.lanes
        most = self.writer.together(product.tail, self.width)
        self.tail_lanes = plan.lanes if self.width % most or most < plan.lanes else most

    def write(self) -> None:
        """Every part, shared by threads."""
        product, plan = self.product, self.plan
        self.grid = (
            product.batch.count,
            self.lines.total,
            self.strips.total,
            product.columns.outer.count,
            plan.panels.total,
        )
        begin, end = self.writer.share(math.prod(self.grid), plan.work)
        most = max(self.strips.size, self.strips.other) * plan.tiles.size
        kind = SCALARS[product.out.dtype]
        self.strip = self.code.let(f"alloca [{most * self.width} x {kind}], align {_LINE}")
        self.code.loop(end, self._part, begin=begin)

    def _part(self, part: Index, _: list[Reg]) -> None:
        code, product = self.code, self.product
        batch, line, strip, outer, panel = code.split(part, self.grid)
        at = product.moved(product.starts, product.batch, batch)
        at = product.moved(at, product.columns.outer, outer)

        def columns(piece: Index, first: Index, size: int) -> None:
            there = self._at_piece(at, RIGHT, piece, first)
            self.lines.each(
                code,
                line,
                code.add(line, 1),
                lambda _, first, count: self._lines(there, first, count, strip, size),
            )

        self.plan.panels.each(code, panel, code.add(panel, 1), columns)

    def _at_piece(
        self, at: Sequence[Index], operand: int, piece: Index, first: Index
    ) -> list[Index]:
        """The operands' offsets where a tile or panel begins."""
        axes = self.product.rows if operand == LEFT else self.product.columns
        steps, apart = axes.steps(-1), self.product.piece_steps.get(operand)
        if apart is None:
            return self.product.along(at, steps, first)
        steps[operand] = 0
        found = self.product.along(at, steps, first)
        found[operand] = self.code.add(at[operand], self.code.mul(piece, apart))
        return found

    # -- strips

    def _lines(self, at: list[Index], first: Index, count: int, strip: Index, columns: int) -> None:
        def line(i: Index, _: list[Reg]) -> None:
            there = self.product.moved(at, self.product.rows.outer, self.code.add(first, i))
            self.strips.each(
                self.code,
                strip,
                self.code.add(strip, 1),
                lambda _, first, tiles: self._strips(there, first, tiles, columns),
            )

        self.code.loop(count, line)

    def _strips(self, at: list[Index], first: Index, count: int, columns: int) -> None:
        end, most = self.code.add(first, count), self.plan.ahead(self.product)

        def strip(first: Index, _: list[Reg]) -> None:
            last = self.code.least(self.code.add(first, most), end) if most < count else end
            self._strip(at, first, last, columns)

        self.code.loop(end, strip, step=most, begin=first)

    def _strip(self, at: list[Index], first: Index, end: Index, columns: int) -> None:
        """Some tiles above each other: their sums, block by block of the inner axis; their ends."""
        code, tiles = self.code, self.plan.tiles
        top = tiles.start(code, first)
        depth, block = self.product.inner.sizes[0], self.plan.block
        if block >= depth:
            self._tiles(at, first, end, top, columns, depth, fresh=True)
        else:
            self._clear(at, first, end, top, columns)
            steps = self.product.inner.steps(0)

            def part(k: Index, _: list[Reg], depth: int = block) -> None:
                there = self.product.along(at, steps, k)
                self._tiles(there, first, end, top, columns, depth, fresh=False)

            code.loop(depth // block * block, part, step=block)
            if depth % block:
                part(depth // block * block, [], depth % block)
        rows = code.add(tiles.start(code, end), code.mul(top, -1))
        code.loop(rows, lambda row, _: self._row(at, top, row, columns))

    def _clear(self, at: list[Index], first: Index, end: Index, top: Index, columns: int) -> None:
        """Zeros for the sums: all blocks then run the same code, which is to be compiled once."""

        def tile(piece: Index, row: Index, rows: int) -> None:
            self._prefetch(self._at_piece(at, LEFT, piece, row), rows, columns)
            for place in self._sums(row, top, rows, columns):
                self.code.store(self._load(place, fresh=True), place)

        self.plan.tiles.each(self.code, first, end, tile)

    def _tiles(
        self,
        at: list[Index],
        first: Index,
        end: Index,
        top: Index,
        columns: int,
        depth: int,
        fresh: bool,
    ) -> None:
        def tile(piece: Index, row: Index, rows: int) -> None:
            there = self._at_piece(at, LEFT, piece, row)
            if fresh:
                self._prefetch(there, rows, columns)
            places = self._sums(row, top, rows, columns)
            held = [self._load(p, fresh) for p in places]
            sums = self.multiplier.sums(there, rows, columns, depth, held)
            for place, value in zip(places, sums, strict=True):
                self.code.store(value, place)

        self.plan.tiles.each(self.code, first, end, tile)

    def _sums(self, row: Index, top: Index, rows: int, columns: int) -> list[str]:
        """The addresses of a tile's sums: those of `row`, where the strip begins at `top`."""
        begin = self.code.mul(self.code.add(row, self.code.mul(top, -1)), self.width)
        dtype, lanes = self.product.out.dtype, self.plan.lanes
        start = self.code.at(self.strip, begin, dtype)
        return [
            self.code.at(start, r * self.width + v, dtype)
            for r in range(rows)
            for v in range(0, columns, lanes)
        ]

    def _load(self, place: str, fresh: bool) -> Reg:
        dtype, lanes = self.product.out.dtype, self.plan.lanes
        if fresh:
            return self.code.constant(0, dtype, lanes)
        return self.code.load(place, dtype, lanes)

    def _prefetch(self, at: Sequence[Index], rows: int, columns: int) -> None:
        """Ask for what the members after the product will read, before its inner loops."""
        row_steps, col_steps = self.product.rows.steps(-1), self.product.lane_steps
        for i, view in list(enumerate(self.product.views))[OUT + 1 :]:
            if col_steps[i] != 1 or not row_steps[i]:
                continue
            dtype = view.base.dtype
            start = self.code.at(self.writer.pointer(view.base), at[i], dtype)
            for r in range(rows):
                for v in range(0, columns, _LINE // dtype.itemsize):
                    self.code.prefetch(self.code.at(start, r * row_steps[i] + v, dtype))

    # -- ends

    def _row(self, at: Sequence[Index], top: Index, row: Index, columns: int) -> None:
        """The members after the product, on one row of a strip; and storing."""
        there = self.product.along(at, self._row_steps(), self.code.add(top, row))
        start = self.code.at(self.strip, self.code.mul(row, self.width), self.product.out.dtype)
        lanes = self.tail_lanes
        for v in range(0, columns, lanes):
            here = self.product.along(there, self.product.lane_steps, v)
            place = self.code.at(start, v, self.product.out.dtype)
            total = self.code.load(place, self.product.out.dtype, lanes)
            self._finish(total, here, min(lanes, columns - v))

    def _row_steps(self) -> list[int]:
        steps = self.product.rows.steps(-1)
        return [0, 0, *steps[OUT:]]

    def _finish(self, total: Reg, at: Sequence[Index], count: int) -> None:
        product = self.product
        known = {product.out: total}
        places = {
            symbol: (product.views[i], at[i], product.lane_steps[i])
            for i, symbol in enumerate(product.leaves, OUT + 1)
        }

        def leaf(symbol: Symbol) -> Reg:
            view, offset, step = places[symbol]
            return self.writer.read(view, offset, step, self.tail_lanes, count)

        self.writer.tree(product.tail, known, leaf)
        for symbol in self.writer.kernel.stores:
            value = self.code.splat(known[symbol], self.tail_lanes)
            self.writer.write(value, symbol, at[OUT], count)

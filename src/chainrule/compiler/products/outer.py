"""Sums of outer products: single numbers of the rows times vectors of the columns."""

from __future__ import annotations

import math
from collections.abc import Sequence

from chainrule.compiler.ir import Index, Reg
from chainrule.compiler.products.axes import LEFT, RIGHT, Product
from chainrule.compiler.products.costs import Plan

_ROUND = 2  # inner elements that one round of the innermost loop takes
_FEW = 4  # as many in the last axis need no loop
_SHORT = 9  # nor so many in several last axes, a window's

Place = tuple[str, int]
"""An address, and how many elements further."""


class OuterProducts:
    """The inner loops of one tile: rows x vectors sums."""

    def __init__(self, product: Product, plan: Plan) -> None:
        self.product, self.plan = product, plan
        self.code = product.writer.code
        self.left, self.right = product.inner.strides[:2]
        self.packed = RIGHT in product.piece_steps

    def sums(
        self, at: Sequence[Index], rows: int, columns: int, depth: int, sums: list[Reg]
    ) -> list[Reg]:
        """The sums over `depth` elements of the first inner axis and all of the others, added."""
        self.rows, self.columns = rows, columns
        self.vectors = -(-columns // self.plan.lanes)
        self.sizes = (depth, *self.product.inner.sizes[1:])
        dtype = self.product.out.dtype
        left, right = (
            (self.code.at(self.product.writer.pointer(self.product.views[i].base), at[i], dtype), 0)
            for i in (LEFT, RIGHT)
        )
        return self._level(0, left, right, sums)

    def _level(self, axis: int, left: Place, right: Place, sums: list[Reg]) -> list[Reg]:
        if axis == len(self.sizes):
            return self._multiplied(left, right, sums)
        size = self.sizes[axis]
        last = axis == len(self.sizes) - 1
        short = math.prod(self.sizes[axis:]) <= (_FEW if last else _SHORT)
        round_ = size if short else _ROUND if last else 1

        def some(i: Index, held: list[Reg], count: int = round_) -> list[Reg]:
            a = self._further(left, i, self.left[axis])
            b = self._further(right, i, self.right[axis])
            for u in range(count):
                there = (a[0], a[1] + u * self.left[axis]), (b[0], b[1] + u * self.right[axis])
                held = self._level(axis + 1, *there, held)
            return held

        whole = size // round_ * round_ if size else 0
        sums = self.code.loop(whole, some, sums, round_)
        return some(whole, sums, size - whole) if size > whole else sums

    def _further(self, place: Place, count: Index, step: int) -> Place:
        if isinstance(count, int):
            return place[0], place[1] + count * step
        dtype = self.product.out.dtype
        return self.code.at(place[0], self.code.mul(count, step), dtype), place[1]

    def _multiplied(self, left: Place, right: Place, sums: list[Reg]) -> list[Reg]:
        lanes, vectors = self.plan.lanes, self.vectors
        row_step = self.product.rows.steps(-1)[LEFT]
        across, step = self.product.lane_steps[:2]
        counts = [min(lanes, self.columns - v * lanes) for v in range(vectors)]
        bs = [
            self._vector(right, v * lanes * step, step, lanes if self.packed else count)
            for v, count in enumerate(counts)
        ]
        found = []
        for r in range(self.rows):
            a = None
            for v in range(vectors):
                if a is None or across:
                    a = self._vector(left, r * row_step + v * lanes * across, across, counts[v])
                found.append(self.product.added(a, bs[v], sums[r * vectors + v]))
        return found

    def _vector(self, place: Place, further: int, step: int, count: int) -> Reg:
        """Numbers `step` elements apart; 0 apart, the same one in every lane."""
        dtype, lanes = self.product.out.dtype, self.plan.lanes
        at = place[1] + further
        if step == 0 or lanes == 1:
            one = self.code.load(self.code.at(place[0], at, dtype), dtype)
            return self.code.splat(one, lanes)
        if step == 1:
            address = self.code.at(place[0], at, dtype)
            if count == lanes:
                return self.code.load(address, dtype, lanes)
            return self.code.load_some(address, dtype, lanes, count)
        places = [
            self.code.at(place[0], at + min(i, count - 1) * step, dtype) for i in range(lanes)
        ]
        return self.code.gathered([self.code.load(address, dtype) for address in places])

"""Sums of products along the inner axis: vectors of both operands, whose lanes are summed last."""

from __future__ import annotations

from collections.abc import Sequence

from chainrule.compiler.ir import Index, Reg
from chainrule.compiler.products.axes import LEFT, RIGHT, Product
from chainrule.compiler.products.costs import Plan
from chainrule.compiler.products.shuffles import summed


class Dots:
    """The inner loops of one tile: rows x columns dot products, a vector of them for each row."""

    def __init__(self, product: Product, plan: Plan) -> None:
        self.product, self.plan = product, plan
        self.writer, self.code = product.writer, product.writer.code
        self.lanes = plan.inner_lanes

    def sums(
        self, at: Sequence[Index], rows: int, columns: int, depth: int, sums: list[Reg]
    ) -> list[Reg]:
        """The sums over all inner axes, which are never taken in blocks."""
        self.rows, self.columns = rows, columns
        zero = self.code.constant(0, self.product.out.dtype, self.lanes)
        held = self._level(0, list(at), [zero] * (rows * columns))
        add = self.writer.emitter.add
        return [
            summed(self.code, add, held[r * columns : (r + 1) * columns], self.plan.lanes)
            for r in range(rows)
        ]

    def _level(self, axis: int, at: list[Index], sums: list[Reg]) -> list[Reg]:
        inner = self.product.inner
        size, steps = inner.sizes[axis], inner.steps(axis)
        if axis < len(inner.sizes) - 1:
            return self.code.loop(
                size,
                lambda i, held: self._level(axis + 1, self.product.along(at, steps, i), held),
                sums,
            )
        whole = size // self.lanes * self.lanes

        def some(i: Index, held: list[Reg], count: int = self.lanes) -> list[Reg]:
            return self._multiplied(self.product.along(at, steps, i), held, count)

        sums = self.code.loop(whole, some, sums, self.lanes)
        return some(whole, sums, size - whole) if size > whole else sums

    def _multiplied(self, at: Sequence[Index], sums: list[Reg], count: int) -> list[Reg]:
        product = self.product
        across, step = product.lane_steps[LEFT], product.lane_steps[RIGHT]
        right = [self._vector(RIGHT, at, c * step, count) for c in range(self.columns)]
        found = []
        for r in range(self.rows):
            start, a = r * product.rows.steps(-1)[LEFT], None
            for c, b in enumerate(right):
                if a is None or across:
                    a = self._vector(LEFT, at, start + c * across, count)
                found.append(product.added(a, b, sums[r * self.columns + c]))
        return found

    def _vector(self, operand: int, at: Sequence[Index], further: int, count: int) -> Reg:
        view, offset = self.product.views[operand], self.code.add(at[operand], further)
        return self.writer.read(view, offset, 1, self.lanes, count)

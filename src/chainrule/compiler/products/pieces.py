"""An axis in pieces of at most two sizes, and loops over some of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chainrule.compiler.ir import Code, Index, Reg


@dataclass(frozen=True)
class Pieces:
    """First `count` pieces of `size`, then `others` of `other`."""

    count: int
    size: int
    others: int
    other: int

    @staticmethod
    def balanced(total: int, most: int) -> Pieces:
        """Pieces of at most `most`, as equal as can be."""
        parts = -(-total // most)
        small, larger = divmod(total, parts)
        return (
            Pieces(larger, small + 1, parts - larger, small)
            if larger
            else Pieces(parts, small, 0, 0)
        )

    @staticmethod
    def filled(total: int, most: int) -> Pieces:
        """Pieces of `most`, and what is left."""
        whole, rest = divmod(total, most)
        return Pieces(whole, most, 1 if rest else 0, rest) if whole else Pieces(1, rest, 0, 0)

    @property
    def total(self) -> int:
        """How many they are."""
        return self.count + self.others

    def start(self, code: Code, piece: Index) -> Index:
        """The axis's element that a piece begins with; where the axis ends for the one after."""
        larger = code.mul(code.least(piece, self.count), self.size - self.other)
        return code.add(code.mul(piece, self.other), larger)

    def each(
        self,
        code: Code,
        begin: Index,
        end: Index,
        body: Callable[[Index, Index, int], None],
    ) -> None:
        """`body(piece, its first element, its size)` for the pieces from begin to below end."""
        shift = self.count * (self.size - self.other)
        runs = [(0, self.count, self.size, 0), (self.count, self.total, self.other, shift)]
        for low, high, size, shift in runs[: 2 if self.others else 1]:
            first = code.greatest(begin, low) if low else begin
            last = code.least(end, high) if high < self.total else end
            self._run(code, first, last, size, shift, body)

    def _run(
        self,
        code: Code,
        first: Index,
        last: Index,
        size: int,
        shift: int,
        body: Callable[[Index, Index, int], None],
    ) -> None:
        def one(piece: Index, _: list[Reg]) -> None:
            body(piece, code.add(code.mul(piece, size), shift), size)

        if self.others and not (isinstance(first, int) and isinstance(last, int)):
            some = code.let(f"icmp ult i64 {first}, {last}")
            code.when(some, lambda: code.loop(last, one, begin=first) and None)
        else:
            code.loop(last, one, begin=first)

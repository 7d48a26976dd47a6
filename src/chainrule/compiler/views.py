"""Where the elements of a value lie: the same memory read with other strides, without a copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chainrule.core.op import Reindex
from chainrule.core.program import Instruction
from chainrule.core.value import Symbol

Shape = tuple[int, ...]


def contiguous(shape: Shape) -> Shape:
    """The strides, in elements, of an array laid out row by row."""
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= size
    return tuple(strides[::-1])


@dataclass(frozen=True)
class View:
    """The elements of `base`'s memory at start + the sum of positions times strides."""

    base: Symbol
    shape: Shape
    strides: Shape
    start: int = 0

    @staticmethod
    def of(symbol: Symbol) -> View:
        """A value as it lies in its own memory, row by row."""
        return View(symbol, tuple(symbol.shape), contiguous(tuple(symbol.shape)))

    @property
    def whole(self) -> bool:
        """Whether the elements lie row by row without gaps."""
        plain = contiguous(self.shape)
        return all(
            n == 1 or s == p for n, s, p in zip(self.shape, self.strides, plain, strict=True)
        )

    def reindexed(self, made: Instruction) -> View | None:
        """This view through a Reindex instruction; None where only a copy can do it."""
        lower, out = made.op.lower, made.outputs[0]
        assert isinstance(lower, Reindex)
        shape = tuple(out.shape)
        if 0 in shape:
            return View(self.base, shape, (0,) * len(shape))
        if lower.keeps_order:
            if self.whole:
                return View(self.base, shape, contiguous(shape), self.start)
            return self._regrouped(shape)
        at = tuple(Linear(0, {axis: 1}) for axis in range(len(shape)))
        places = lower.index(at, self.shape, **made.settings)
        start, strides = self.start, [0] * len(shape)
        for place, stride in zip(places, self.strides, strict=True):
            linear = place if isinstance(place, Linear) else Linear(int(place), {})
            start += linear.constant * stride
            for axis, times in linear.terms.items():
                strides[axis] += times * stride
        return View(self.base, shape, tuple(strides), start)

    def _regrouped(self, shape: Shape) -> View | None:
        """Another shape over gaps: possible where axes are only split, or of size 1."""
        strides: list[int] = []
        mine = [(n, s) for n, s in zip(self.shape, self.strides, strict=True) if n != 1]
        wanted = list(shape)
        while wanted:
            size = wanted.pop(0)
            if size == 1:
                strides.append(0)
                continue
            if not mine or mine[0][0] % size:
                return None
            n, s = mine.pop(0)
            strides.append(s * (n // size))
            if n // size > 1:
                mine.insert(0, (n // size, s))
        return None if mine else View(self.base, shape, tuple(strides), self.start)


class Linear:
    """constant + the sum of times * position: what an index map works on to show its strides."""

    def __init__(self, constant: int, terms: dict[int, int]) -> None:
        self.constant, self.terms = constant, terms

    def __add__(self, other: Any) -> Linear:
        if isinstance(other, Linear):
            axes = self.terms.keys() | other.terms.keys()
            terms = {a: self.terms.get(a, 0) + other.terms.get(a, 0) for a in axes}
            return Linear(self.constant + other.constant, terms)
        return Linear(self.constant + int(other), self.terms)

    __radd__ = __add__

    def __mul__(self, other: Any) -> Linear:
        times = int(other)
        return Linear(self.constant * times, {a: t * times for a, t in self.terms.items()})

    __rmul__ = __mul__

    def __sub__(self, other: Any) -> Linear:
        return self.__add__(other * -1)

    def __rsub__(self, other: Any) -> Linear:
        return self.__mul__(-1).__add__(other)


def collapsed(shape: Shape, strides: Sequence[Shape]) -> tuple[Shape, list[Shape]]:
    """The same loops with fewer axes: neighbours joined wherever every operand allows it.

    `strides`: one tuple per operand. Axes of size 1 go away; one axis at least stays.
    """
    axes: list[tuple[int, list[int]]] = []
    for axis, size in enumerate(shape):
        if size == 1:
            continue
        steps = [s[axis] for s in strides]
        if axes and all(
            before == step * size for before, step in zip(axes[-1][1], steps, strict=True)
        ):
            axes[-1] = (axes[-1][0] * size, steps)
        else:
            axes.append((size, steps))
    if not axes:
        axes = [(1, [0] * len(strides))]
    return tuple(n for n, _ in axes), [
        tuple(steps[i] for _, steps in axes) for i in range(len(strides))
    ]

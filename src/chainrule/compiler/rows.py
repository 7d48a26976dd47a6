"""What can run row by row: reductions over the same last axes, or those of a small window, and the
pointwise work around them.

A row kernel has reductions of one shape over the same axes. Its other members work element by
element on that shape, or on one number per row: they come before, between and after the reductions,
and the rows stay near while all of it is done.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from chainrule.compiler.views import Shape, View, contiguous
from chainrule.core.op import Reduce
from chainrule.core.program import Instruction

_WINDOW = 16
"""Elements of a row that may lie apart; of more, what is done with each is not written out."""

_NARROW = 8192
"""Bytes of a row of which several values stay in the nearest cache between the stages."""


@dataclass(frozen=True)
class Rows:
    """A shape whose elements belong to rows: positions along `axes` are in the same row."""

    shape: Shape
    axes: Shape

    @staticmethod
    def of(made: Instruction) -> Rows | None:
        """The rows that an instruction reduces; None where it reduces anything else."""
        if not isinstance(made.op.lower, Reduce):
            return None
        shape, axes = tuple(made.inputs[0].shape), tuple(sorted(made.settings["axes"]))
        before = [a for a, n in enumerate(shape) if n != 1 and a not in axes]
        inside = [a for a in axes if shape[a] != 1]
        found = Rows(shape, axes)
        if 0 in shape or not inside:
            return None
        if before and before[-1] > inside[0]:
            return found if found.windows and found.width <= _WINDOW else None
        return found

    @property
    def lead(self) -> Shape:
        """The axes that count rows."""
        return tuple(axis for axis in range(len(self.shape)) if axis not in self.axes)

    @property
    def windows(self) -> bool:
        """Whether the axis whose elements lie side by side counts rows: of each they are apart."""
        large = [axis for axis, size in enumerate(self.shape) if size != 1]
        return bool(large) and large[-1] not in self.axes

    @property
    def width(self) -> int:
        """Elements of a row."""
        return math.prod(self.shape[axis] for axis in self.axes)

    @property
    def alone(self) -> bool:
        """Whether there is only one row."""
        return self.width == math.prod(self.shape)

    def narrow(self, made: Instruction) -> bool:
        """Whether rows of an instruction's results are short enough for several stages."""
        return self.width * made.outputs[0].dtype.itemsize <= _NARROW

    def is_full(self, shape: Shape) -> bool:
        """Whether values of this shape have an element for each of the rows'."""
        return shape == self.shape

    def is_row(self, shape: Shape) -> bool:
        """Whether values of this shape have one number per row."""
        dropped = tuple(self.shape[axis] for axis in self.lead)
        ones = tuple(1 if axis in self.axes else n for axis, n in enumerate(self.shape))
        return shape in (dropped, ones)

    def takes(self, shape: Shape) -> bool:
        """Whether values of this shape can be members' results."""
        return self.is_full(shape) or self.is_row(shape)

    def in_step(self, view: View) -> bool:
        """Whether who reads a member's value so reads, at each place, what is of the same row."""
        if view.start or self.is_full(tuple(view.base.shape)) or not self.is_full(view.shape):
            return view.start == 0 and view.whole and self._alike(view)
        steps = iter(contiguous(tuple(self.shape[axis] for axis in self.lead)))
        plain = [0 if axis in self.axes else next(steps) for axis in range(len(self.shape))]
        return all(
            n == 1 or s == p for n, s, p in zip(view.shape, view.strides, plain, strict=True)
        )

    def _alike(self, view: View) -> bool:
        """Whether the view and what it views are both full, or both one number per row."""
        return self.is_full(view.shape) == self.is_full(tuple(view.base.shape))

    def lead_strides(self, view: View) -> Shape:
        """How far apart rows lie."""
        if self.is_full(view.shape) or len(view.shape) == len(self.shape):
            return tuple(view.strides[axis] for axis in self.lead)
        return view.strides

    def row_strides(self, view: View) -> Shape:
        """How far apart the elements of a row lie: 0 for one number per row."""
        if self.is_full(view.shape):
            return tuple(0 if self.shape[a] == 1 else view.strides[a] for a in self.axes)
        return (0,) * len(self.axes)

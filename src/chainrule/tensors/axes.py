"""Axes and sizes as people name them, as tuples counted from the first."""

from __future__ import annotations

import operator
from collections.abc import Sequence

from chainrule.errors import ShapeError

Axis = int | Sequence[int] | None


def every_axis(axis: Axis, ndim: int) -> tuple[int, ...]:
    """The axes named, all of them for None."""
    if axis is None:
        return tuple(range(ndim))
    if isinstance(axis, tuple | list):
        axes = tuple([one_axis(a, ndim) for a in axis])
    else:
        axes = (one_axis(axis, ndim),)  # type: ignore[arg-type]
    if len(axes) > 1 and len(set(axes)) < len(axes):
        raise ShapeError("an axis is named twice", got=axis)
    return axes


def one_axis(axis: int, ndim: int) -> int:
    """The axis counted from the first."""
    if not -ndim <= axis < ndim:
        raise ShapeError(
            "no such axis",
            expected=f"{-ndim} to {ndim - 1}",
            got=axis,
            hint="axes are counted from 0, or from -1 backwards",
        )
    return operator.index(axis) % ndim


def sizes_of(shape: tuple[int | Sequence[int], ...]) -> tuple[int, ...]:
    """The sizes given one by one, or as one sequence."""
    sizes = shape[0] if len(shape) == 1 and isinstance(shape[0], Sequence) else shape
    return tuple([operator.index(n) for n in sizes])  # type: ignore[arg-type]

"""Axes and sizes as people name them, as tuples counted from the first."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from chainrule.core.value import Value
from chainrule.errors import SettingError, ShapeError
from chainrule.spec import Spec

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


def either(axis: Any, dim: Any) -> Any:
    """NumPy's name for an axis, or PyTorch's."""
    if axis is not None and dim is not None:
        raise SettingError("axis and dim are two names of one argument", got=f"{axis} and {dim}")
    return dim if axis is None else axis


def class_axis(name: str, x: Value, axis: int | None, dim: int | None) -> int:
    """The one axis, named as `axis` or as `dim`, that `name` compares scores along."""
    chosen = axis if dim is None else dim
    if chosen is None:
        raise SettingError(
            f"{name} needs to know along which axis the classes lie", hint="axis=-1 is the last"
        )
    if not -x.ndim <= chosen < x.ndim:
        raise ShapeError(
            f"{name}: no axis {chosen}",
            expected=axis_range(x),
            got=Spec(tuple(x.shape), x.dtype),
            hint="axis=-1 is the last",
        )
    return chosen % x.ndim


def axis_range(x: Value) -> str:
    """The axes that `x` has, in words."""
    return f"an axis from {-x.ndim} to {x.ndim - 1}" if x.ndim else "a tensor with axes"


def kept(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape with these axes reduced to size 1, so that it broadcasts back."""
    return tuple([1 if i in axes else n for i, n in enumerate(shape)])

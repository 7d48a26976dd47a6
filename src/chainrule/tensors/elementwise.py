"""Composites element by element that are functions here and methods of Tensor."""

from __future__ import annotations

from typing import Any

from chainrule.errors import SettingError
from chainrule.ops.pointwise import div, greater, less, not_equal, sqrt, where


def clamp(input: Any, min: Any = None, max: Any = None) -> Any:
    """`input` with what is below `min` made `min`, and what is above `max` made `max`.

    Bounds: numbers or tensors. The slope is 1 from bound to bound, both included, and 0 outside.
    Raises SettingError without any bound.

    >>> import chainrule as cr
    >>> clamp(cr.tensor([-2.0, 0.5, 2.0]), -1, 1)
    tensor([-1. ,  0.5,  1. ])
    """
    if min is None and max is None:
        raise SettingError("clamp needs a bound", expected="min, max or both")
    out = input
    if min is not None:
        out = where(less(out, min), min, out)
    if max is not None:
        out = where(greater(out, max), max, out)
    return out


def isnan(input: Any) -> Any:
    """Where the numbers are nan, as bool."""
    return not_equal(input, input)


def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """`value` where the bool mask is true, else the element; both are broadcast.

    >>> import chainrule as cr
    >>> masked_fill(cr.tensor([1.0, 2.0]), cr.tensor([True, False]), 0.0)
    tensor([0., 2.])
    """
    return where(mask, value, input)


def reciprocal(input: Any) -> Any:
    """1 / x."""
    return div(1.0, input)


def rsqrt(input: Any) -> Any:
    """1 / √x."""
    return div(1.0, sqrt(input))

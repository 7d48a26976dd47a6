"""Pooling as machine code knows it: reductions over sliding windows, with the channels last."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.ops.create import full, iota
from chainrule.ops.layout import permute, reshape
from chainrule.ops.pointwise import cast, equal, less, not_equal, sub, where
from chainrule.ops.reduce import max as largest
from chainrule.ops.reduce import min as smallest
from chainrule.ops.reduce import sum as total
from chainrule.ops.sliding import (
    channels_first,
    channels_last,
    covering,
    joined,
    surrounded,
    tapped,
    windows,
)
from chainrule.spec import DType

Shape = tuple[int, ...]


def lowest(dtype: DType) -> Any:
    """What every number wins against."""
    return -math.inf if dtype.kind == "f" else int(np.iinfo(dtype).min)


def position_dtype(window: Shape) -> DType:
    """As narrow as the numbers of a window allow: they are kept until the backward pass."""
    return np.dtype(np.uint8 if math.prod(window) < 256 else np.int64)


def _window_axes(window: Shape) -> Shape:
    """Where the windows' own axes are in [batch, *space, *window, channels]."""
    return tuple(range(1 + len(window), 1 + 2 * len(window)))


def _numbers(window: Shape, dtype: DType) -> Any:
    """The number of each position of a window, row by row."""
    return reshape(iota(shape=(math.prod(window),), axis=0, dtype=dtype.name), shape=window)


def _per_window(x: Any, window: Shape) -> Any:
    """[batch, *space, channels] with an axis of size 1 for each of the window's."""
    return reshape(x, shape=(*x.shape[:-1], *(1,) * len(window), x.shape[-1]))


def _views(
    x: Any, window: Shape, stride: Shape, low: Shape, high: Shape, dilation: Shape, value: Any
) -> Any:
    """[batch, *space, *window, channels] of what surrounds x too."""
    around = surrounded(channels_last(x), low, high, value)
    return windows(around, axis=1, window=window, stride=stride, dilation=dilation)


def max_pool(x: Any, window: Shape, **settings: Any) -> Any:
    """The largest over the axes of the windows."""
    views = _views(x, window, **settings, value=lowest(x.dtype))
    return channels_first(largest(views, axes=_window_axes(window)))


def max_pool_position(
    x: Any, out: Any, window: Shape, low: Shape, high: Shape, **settings: Any
) -> Any:
    """The least number of those that won; a number n of a nan counts as -1 - n, the last first."""
    views = _views(x, window, low=low, high=high, **settings, value=lowest(x.dtype))
    none, numbers = math.prod(window), _numbers(window, x.dtype)
    numbers = reshape(numbers, shape=(*window, 1))
    if any((*low, *high)):  # what is around does not win, not even where all is -inf
        inside = full(shape=(1, 1, *x.shape[2:]), value=True, dtype="bool")
        inside = _views(inside, window, low=low, high=high, **settings, value=0)
        numbers = where(inside, numbers, none)
    ranks = where(equal(views, _per_window(channels_last(out), window)), numbers, none)
    ranks = where(not_equal(views, views), sub(-1, numbers), ranks)
    first = smallest(ranks, axes=_window_axes(window))
    found = where(less(first, 0), sub(-1, first), first)
    return channels_first(cast(found, dtype=position_dtype(window).name))


def max_pool_pick(x: Any, at: Any, window: Shape, **settings: Any) -> Any:
    """The sum of all but what lies elsewhere."""
    views = _views(x, window, **settings, value=0)
    numbers = reshape(_numbers(window, at.dtype), shape=(*window, 1))
    won = equal(_per_window(channels_last(at), window), numbers)
    return channels_first(total(where(won, views, 0.0), axes=_window_axes(window)))


def sum_pool(x: Any, window: Shape, **settings: Any) -> Any:
    """The sum over the axes of the windows."""
    views = _views(x, window, **settings, dilation=(1,) * len(window), value=0)
    return channels_first(total(views, axes=_window_axes(window)))


def max_pool_spread(
    g: Any, at: Any, space: Shape, window: Shape, stride: Shape, low: Shape, high: Shape,
    dilation: Shape,
) -> Any:  # fmt: skip
    """For every place what those of its windows say whose largest it was."""
    numbers = _laid(_numbers(window, at.dtype), stride, low, dilation, math.prod(window))
    g, at = (_covering(one, window, space, stride, low, dilation) for one in (g, at))
    return _added_up(where(equal(at, numbers), g, 0.0), space)


def sum_pool_spread(
    g: Any, space: Shape, window: Shape, stride: Shape, low: Shape, high: Shape
) -> Any:
    """For every place what all of its windows say."""
    ones = (1,) * len(window)
    reached = _laid(full(shape=window, value=True, dtype="bool"), stride, low, ones)
    return _added_up(where(reached, _covering(g, window, space, stride, low, ones), 0.0), space)


# -- [batch, place, phase, ..., windows that hold the place, channels]


def _covering(g: Any, window: Shape, *settings: Shape) -> Any:
    views = covering(channels_last(g), window, *settings)
    n = len(window)
    places = (size for place in views.shape[1 : 1 + n] for size in (place, 1))
    return reshape(views, shape=(views.shape[0], *places, *views.shape[1 + n :]))


def _laid(x: Any, stride: Shape, low: Shape, dilation: Shape, value: float = 0.0) -> Any:
    """What a window has at its positions, beside what covers the places."""
    x = tapped(x, stride, low, dilation, value)
    x = permute(x, axes=(*range(1, x.ndim, 2), *range(0, x.ndim, 2)))
    n = x.ndim // 2
    phases = (size for phase in x.shape[:n] for size in (1, phase))
    return reshape(x, shape=(1, *phases, *x.shape[n:], 1))


def _added_up(x: Any, space: Shape) -> Any:
    """Summed over the windows, and the phases put between each other."""
    end = 1 + 2 * len(space)
    if any(n != 1 for n in x.shape[end:-1]):
        x = total(x, axes=tuple(range(end, x.ndim - 1)))
    return channels_first(joined(reshape(x, shape=(*x.shape[:end], x.shape[-1])), space))

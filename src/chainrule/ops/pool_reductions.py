"""Pooling as machine code knows it: reductions over sliding windows, with the channels last."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.ops.create import full, iota
from chainrule.ops.layout import flip, reshape
from chainrule.ops.pointwise import cast, equal, less, not_equal, sub, where
from chainrule.ops.reduce import broadcast_to
from chainrule.ops.reduce import max as largest
from chainrule.ops.reduce import min as smallest
from chainrule.ops.reduce import sum as total
from chainrule.ops.sliding import channels_first, channels_last, covering, surrounded, windows
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


def _numbers(window: Shape, dtype: DType, *, from_end: bool = False) -> Any:
    """The number of each position of a window, [*window, 1]."""
    count = math.prod(window)
    numbers = iota(shape=(count,), axis=0, dtype=dtype.name)
    if from_end:
        numbers = flip(numbers, axes=(0,))
    return reshape(numbers, shape=(*window, 1))


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
    won = equal(_per_window(channels_last(at), window), _numbers(window, at.dtype))
    return channels_first(total(where(won, views, 0.0), axes=_window_axes(window)))


def sum_pool(x: Any, window: Shape, **settings: Any) -> Any:
    """The sum over the axes of the windows."""
    views = _views(x, window, **settings, dilation=(1,) * len(window), value=0)
    return channels_first(total(views, axes=_window_axes(window)))


def max_pool_spread(
    g: Any, at: Any, space: Shape, window: Shape, stride: Shape, low: Shape, high: Shape,
    dilation: Shape,
) -> Any:  # fmt: skip
    """A comparison where windows lie side by side; else a sum over the windows of a place."""
    g, at = channels_last(g), channels_last(at)
    if _tile(window, stride, dilation):
        won = equal(_apart(at, window), _numbers_apart(window, at.dtype))
        return channels_first(_tiles(where(won, _apart(g, window), 0.0), space, low))
    grads, winners = (covering(one, window, space, stride, low, dilation) for one in (g, at))
    won = equal(winners, _numbers(window, at.dtype, from_end=True))
    return channels_first(total(where(won, grads, 0.0), axes=_window_axes(window)))


def sum_pool_spread(
    g: Any, space: Shape, window: Shape, stride: Shape, low: Shape, high: Shape
) -> Any:
    """A repetition where windows lie side by side; else a sum over the windows of a place."""
    g, ones = channels_last(g), (1,) * len(window)
    if _tile(window, stride, ones):
        apart = _apart(g, window)
        sizes = (n for pair in zip(g.shape[1:-1], window, strict=True) for n in pair)
        spread = broadcast_to(apart, shape=(g.shape[0], *sizes, g.shape[-1]))
        return channels_first(_tiles(spread, space, low))
    views = covering(g, window, space, stride, low, ones)
    return channels_first(total(views, axes=_window_axes(window)))


# -- windows side by side: every place belongs to one window, and nothing is added up


def _tile(window: Shape, stride: Shape, dilation: Shape) -> bool:
    return window == stride and all(d == 1 for d in dilation)


def _apart(x: Any, window: Shape) -> Any:
    """[batch, *space, channels] with an axis of size 1 after each axis of space."""
    space = (n for size in x.shape[1:-1] for n in (size, 1))
    return reshape(x, shape=(x.shape[0], *space, x.shape[-1]))


def _numbers_apart(window: Shape, dtype: DType) -> Any:
    """The number of each position of a window, its axes between those of space."""
    sizes = (n for size in window for n in (1, size))
    return reshape(_numbers(window, dtype), shape=(1, *sizes, 1))


def _tiles(x: Any, space: Shape, low: Shape) -> Any:
    """[batch, windows, window, ..., channels] as [batch, *space, channels], what is around cut."""
    sizes = tuple(m * k for m, k in zip(x.shape[1:-1:2], x.shape[2:-1:2], strict=True))
    x = reshape(x, shape=(x.shape[0], *sizes, x.shape[-1]))
    after = tuple(n + p - size for n, p, size in zip(space, low, sizes, strict=True))
    return surrounded(x, tuple(-p for p in low), after)

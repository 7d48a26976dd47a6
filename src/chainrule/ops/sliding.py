"""Windows sliding over an array, and what convolution and pooling share.

Written out for machine code, both work on arrays with the channels last: there the lanes lie side
by side, whatever the window and its stride. [batch, channels, *space] stays the order of the names.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.core.apply import Call, define
from chainrule.core.op import Reindex
from chainrule.errors import ShapeError
from chainrule.ops.layout import flip, pad, permute, reshape, slice
from chainrule.ops.pointwise import add
from chainrule.spec import Spec

Shape = tuple[int, ...]


def fitting(size: int, window: int, stride: int, dilation: int) -> int:
    """How many windows lie within an axis of this size."""
    return (size - dilation * (window - 1) - 1) // stride + 1


def _windows_spec(x: Spec, axis: int, window: Shape, stride: Shape, dilation: Shape) -> Spec:
    end = axis + len(window)
    space = tuple(map(fitting, x.shape[axis:end], window, stride, dilation))
    if len(space) < len(window) or any(n < 1 for n in space):
        raise ShapeError(
            "a window is larger than what it slides over",
            expected=f"{len(window)} axes from axis {axis} on, each as long as the window at least",
            got=f"{x}, window {window}, dilation {dilation}",
        )
    return Spec((*x.shape[:axis], *space, *window, *x.shape[end:]), x.dtype)


def _windows(x: Any, axis: int, window: Shape, stride: Shape, dilation: Shape) -> Any:
    shape = _windows_spec(Spec(x.shape, x.dtype), axis, window, stride, dilation).shape
    end = axis + len(window)
    before, slid, after = x.strides[:axis], x.strides[axis:end], x.strides[end:]
    steps = [n * s for n, s in zip((*slid, *slid), (*stride, *dilation), strict=True)]
    strides = (*before, *steps, *after)
    return np.lib.stride_tricks.as_strided(x, shape, strides, writeable=False)


def _windows_grad(
    g: Any, x_shape: Shape, axis: int, window: Shape, stride: Shape, dilation: Shape
) -> Any:
    """The overlapping sum: what lies at each position of the windows, put back to its places."""
    end = axis + len(window)
    last = (0,) * (g.ndim - end - len(window))
    kept = (*g.shape[:end], *g.shape[end + len(window) :])
    interior = (*(0,) * axis, *(s - 1 for s in stride), *last)
    total = None
    for at in np.ndindex(*window):
        start = (*(0,) * end, *at, *last)
        stop = (*g.shape[:end], *(a + 1 for a in at), *g.shape[end + len(window) :])
        part = reshape(slice(g, start=start, stop=stop, step=(1,) * g.ndim), shape=kept)
        low = (*(0,) * axis, *(a * d for a, d in zip(at, dilation, strict=True)), *last)
        high = tuple(
            n - a - (m + max(m - 1, 0) * i)
            for n, a, m, i in zip(x_shape, low, kept, interior, strict=True)
        )
        placed = pad(part, low=low, high=high, interior=interior)
        total = placed if total is None else add(total, placed)
    return total


windows: Call = define(
    "windows",
    inputs="x",
    doc="Windows sliding over the axes from `axis` on; their own axes come right after those.",
    formula="dx = the sum of g over the windows that hold the element",
    spec=_windows_spec,
    forward=_windows,
    grad=(_windows_grad,),
    lower=Reindex(
        lambda at, inside, axis, window, stride, dilation: (
            *at[:axis],
            *(
                y * s + k * d
                for y, k, s, d in zip(
                    at[axis : axis + len(window)],
                    at[axis + len(window) : axis + 2 * len(window)],
                    stride,
                    dilation,
                    strict=True,
                )
            ),
            *at[axis + 2 * len(window) :],
        )
    ),
    samples=lambda rng: [
        (
            [rng.standard_normal(shape)],
            {"axis": axis, "window": window, "stride": stride, "dilation": dilation},
        )
        for shape, axis, window, stride, dilation in [
            ((2, 5, 6, 3), 1, (3, 2), (1, 1), (1, 1)),
            ((2, 7, 6), 1, (2, 3), (2, 3), (3, 1)),
            ((8,), 0, (3,), (2,), (1,)),
            ((0, 4, 2), 1, (2,), (2,), (1,)),
        ]
    ],
)


def channels_last(x: Any) -> Any:
    """[batch, channels, *space] as [batch, *space, channels]."""
    return permute(x, axes=(0, *range(2, x.ndim), 1))


def channels_first(x: Any) -> Any:
    """[batch, *space, channels] as [batch, channels, *space]."""
    return permute(x, axes=(0, x.ndim - 1, *range(1, x.ndim - 1)))


def surrounded(x: Any, low: Shape, high: Shape, value: float = 0.0) -> Any:
    """[batch, *space, channels] with so many more before and after it; negative ones cut off."""
    more = [(0, *(max(n, 0) for n in side), 0) for side in (low, high)]
    if any((*more[0], *more[1])):
        sides = {"low": more[0], "high": more[1], "interior": (0,) * x.ndim}
        x = pad(x, **sides, value=value) if value else pad(x, **sides)
    if any(n < 0 for n in (*low, *high)):
        less = [(0, *(max(-n, 0) for n in side), 0) for side in (low, high)]
        stop = tuple(n - cut for n, cut in zip(x.shape, less[1], strict=True))
        x = slice(x, start=less[0], stop=stop, step=(1,) * x.ndim)
    return x


# -- from the windows back to the places they hold
#
# Along an axis window Y holds the place i at its position k where i + low = Y stride + k dilation.
# With i = Q stride + r the places of equal r have the same positions k, and these windows are
# neighbours: so g is slid over as it is, for all r at once, and never spread out with zeros.


def phases(stride: Shape, dilation: Shape) -> Shape:
    """How many kinds of places there are, per axis; 1 where g is spread out all the same."""
    return tuple(s if d == 1 else 1 for s, d in zip(stride, dilation, strict=True))


def _taps(window: Shape, phase: Shape, low: Shape) -> list[tuple[int, int, int]]:
    """Per axis: how many windows hold a place, zeros before their positions, the last window."""
    found = []
    for k, s, p in zip(window, phase, low, strict=True):
        last = (s - 1 + p) // s
        before = s * last - p
        found.append((-(-(before + k) // s), before, last))
    return found


def covering(
    g: Any, window: Shape, space: Shape, stride: Shape, low: Shape, dilation: Shape
) -> Any:
    """What g says of the windows that hold each place: [batch, *places, *windows, channels].

    g: [batch, *windows, channels]. There is one for all phases of a place; `tapped` tells them
    apart.
    """
    phase = phases(stride, dilation)
    if phase != stride:
        none = (0,) * g.ndim
        apart = (s - 1 if s != n else 0 for s, n in zip(stride, phase, strict=True))
        g = pad(g, low=none, high=none, interior=(0, *apart, 0))
    counts, _, last = zip(*_taps(window, phase, low), strict=True)
    before = tuple((n - 1) * d - e for n, d, e in zip(counts, dilation, last, strict=True))
    after = tuple(
        -(-n // s) + e - m for n, s, e, m in zip(space, phase, last, g.shape[1:-1], strict=True)
    )
    g = surrounded(g, before, after)
    return windows(g, axis=1, window=counts, stride=(1,) * len(counts), dilation=dilation)


def tapped(x: Any, stride: Shape, low: Shape, dilation: Shape, value: float = 0.0) -> Any:
    """[*window, ...] as [windows, phase, ..., ...]: what each of the windows has for a place.

    The windows are in the order of `covering`; `value` stands where a window does not reach.
    """
    phase = phases(stride, dilation)
    n = len(phase)
    taps = _taps(x.shape[:n], phase, low)
    before = tuple(zeros for _, zeros, _ in taps)
    after = tuple(
        count * s - zeros - k
        for (count, zeros, _), s, k in zip(taps, phase, x.shape[:n], strict=True)
    )
    if any((*before, *after)):
        rest = (0,) * (x.ndim - n)
        sides = {"low": (*before, *rest), "high": (*after, *rest), "interior": (0,) * x.ndim}
        x = pad(x, **sides, value=value) if value else pad(x, **sides)
    sizes = (size for (count, _, _), s in zip(taps, phase, strict=True) for size in (count, s))
    x = reshape(x, shape=(*sizes, *x.shape[n:]))
    return flip(x, axes=tuple(range(0, 2 * n, 2)))


def joined(x: Any, space: Shape) -> Any:
    """[batch, place, phase, ..., channels] as [batch, *space, channels]."""
    sizes = tuple(n * s for n, s in zip(x.shape[1:-1:2], x.shape[2:-1:2], strict=True))
    x = reshape(x, shape=(x.shape[0], *sizes, x.shape[-1]))
    more = tuple(n - size for n, size in zip(space, sizes, strict=True))
    return surrounded(x, (0,) * len(more), more)

"""Pooling over any number of spatial axes: the largest, or the sum, of every window.

x is [batch, channels, *space]; `low` and `high` say how many places that never win, and add
nothing, surround it. Which element of a window won is an array of its own, so that the gradient of
the largest is linear: `max_pool_spread` and `max_pool_pick` are each other's gradients, as
`sum_pool` and `sum_pool_spread` are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from chainrule.core.apply import Call, define
from chainrule.core.op import Composite
from chainrule.errors import ShapeError
from chainrule.ops import pool_reductions as written
from chainrule.ops.pool_reductions import lowest, position_dtype
from chainrule.ops.sliding import fitting
from chainrule.spec import Spec

Shape = tuple[int, ...]


def _pooled(
    x: Spec, window: Shape, stride: Shape, low: Shape, high: Shape, dilation: Shape
) -> Shape:
    """The shape with an element per window."""
    if x.ndim != len(window) + 2:
        raise ShapeError(
            f"pooling over {len(window)} axes",
            expected=f"an array of {len(window) + 2} axes, [batch, channels, *space]",
            got=Spec(tuple(x.shape), x.dtype),
        )
    sizes = [n + a + b for n, a, b in zip(x.shape[2:], low, high, strict=True)]
    space = tuple(map(fitting, sizes, window, stride, dilation))
    if any(n < 1 for n in space):
        raise ShapeError(
            "the window is larger than what it slides over",
            expected=f"at least {window}, spread by dilation {dilation}",
            got=f"{Spec(tuple(x.shape), x.dtype)}, {low} before and {high} after it",
            hint="a smaller window",
        )
    return (*x.shape[:2], *space)


# -- in NumPy: a strided view per position of the window


def _around(x: Any, low: Shape, high: Shape, value: Any) -> Any:
    if not any((*low, *high)):
        return x
    sides = [(0, 0), (0, 0), *zip(low, high, strict=True)]
    return np.pad(x, sides, constant_values=value)


def _places(out: Shape, window: Shape, stride: Shape, dilation: Shape) -> Iterator[Any]:
    """For each position in the window where it lies in all of the windows."""
    for at in np.ndindex(*window):
        starts = [a * d for a, d in zip(at, dilation, strict=True)]
        yield (
            ...,
            *(
                slice(a, a + (n - 1) * s + 1, s)
                for a, n, s in zip(starts, out[2:], stride, strict=True)
            ),
        )


def _max(x: Any, window: Shape, stride: Shape, low: Shape, high: Shape, dilation: Shape) -> Any:
    shape = _pooled(x, window, stride, low, high, dilation)
    x = _around(x, low, high, lowest(x.dtype))
    out = np.full(shape, lowest(x.dtype), x.dtype)
    for places in _places(shape, window, stride, dilation):
        np.maximum(out, x[places], out=out)
    return out


def _position(
    x: Any, out: Any, window: Shape, stride: Shape, low: Shape, high: Shape, dilation: Shape
) -> Any:
    inside = _around(np.ones((1, 1, *x.shape[2:]), bool), low, high, False)
    x = _around(x, low, high, lowest(x.dtype))
    found = np.zeros(out.shape, position_dtype(window))
    places = list(enumerate(_places(out.shape, window, stride, dilation)))
    for number, place in reversed(places):
        found[(x[place] == out) & inside[place]] = number
    if x.dtype.kind == "f" and np.isnan(out).any():
        for number, place in places:
            found[np.isnan(x[place])] = number
    return found


def _spread(
    g: Any, space: Shape, window: Shape, stride: Shape, low: Shape, high: Shape,
    dilation: Shape, at: Any = None,
) -> Any:  # fmt: skip
    """g added to the places of its window, or to the one place in it that `at` names."""
    padded = [n + a + b for n, a, b in zip(space, low, high, strict=True)]
    out = np.zeros((*g.shape[:2], *padded), g.dtype)
    for number, places in enumerate(_places(g.shape, window, stride, dilation)):
        out[places] += g if at is None else np.where(at == number, g, 0)
    inside: Any = (slice(a, a + n) for a, n in zip(low, space, strict=True))
    return out[(..., *inside)]


def _pick(
    x: Any, at: Any, window: Shape, stride: Shape, low: Shape, high: Shape, dilation: Shape
) -> Any:
    x = _around(x, low, high, 0)
    out = np.zeros(at.shape, x.dtype)
    for number, places in enumerate(_places(at.shape, window, stride, dilation)):
        np.copyto(out, x[places], where=at == number)
    return out


def _sum(x: Any, window: Shape, stride: Shape, low: Shape, high: Shape) -> Any:
    ones = (1,) * len(window)
    out = np.zeros(_pooled(x, window, stride, low, high, ones), x.dtype)
    x = _around(x, low, high, 0)
    for places in _places(out.shape, window, stride, ones):
        out += x[places]
    return out


# -- the records


def _surrounded(torch: Any, x: Any, low: Shape, high: Shape, value: Any) -> Any:
    sides = [n for pair in zip(low[::-1], high[::-1], strict=True) for n in pair]
    return torch.nn.functional.pad(x, sides, value=value) if any(sides) else x


def _max_peer(
    torch: Any, x: Any, window: Shape, stride: Shape, low: Shape, high: Shape, dilation: Shape
) -> Any:
    pools = {1: torch.max_pool1d, 2: torch.max_pool2d, 3: torch.max_pool3d}
    around = _surrounded(torch, x, low, high, -torch.inf)
    return pools[len(window)](around, window, stride, 0, dilation)


def _sum_peer(torch: Any, x: Any, window: Shape, stride: Shape, low: Shape, high: Shape) -> Any:
    """The means, times the size of a window."""
    means = {
        1: torch.avg_pool1d,
        2: torch.nn.functional.avg_pool2d,
        3: torch.nn.functional.avg_pool3d,
    }
    return means[len(window)](_surrounded(torch, x, low, high, 0.0), window, stride) * math.prod(
        window
    )


def _sum_onnx(to: Any, x: str, window: Shape, stride: Shape, low: Shape, high: Shape) -> Any:
    """The mean of every window, in which the places around x count, times its size."""
    mean = to(
        "AveragePool",
        x,
        kernel_shape=window,
        strides=stride,
        pads=[*low, *high],
        count_include_pad=1,
    )
    return to("Mul", mean, to.like(x, math.prod(window)))


_CASES: list[tuple[Shape, dict[str, Shape]]] = [
    (shape, dict(zip(("window", "stride", "low", "high", "dilation"), numbers, strict=True)))
    for shape, *numbers in [
        ((2, 3, 6, 4), (2, 2), (2, 2), (0, 0), (0, 0), (1, 1)),
        ((2, 3, 7, 5), (2, 2), (2, 2), (1, 0), (0, 1), (1, 1)),
        ((1, 2, 7, 7), (3, 3), (2, 2), (1, 1), (1, 1), (1, 1)),
        ((2, 1, 9), (3,), (1,), (1,), (0,), (2,)),
        ((0, 2, 4), (2,), (2,), (0,), (0,), (1,)),
    ]
]


def _samples(kind: str) -> Any:
    """Inputs of one of the ops: "x", "x out", "x at" or "g at", and "sum" for those of a sum."""

    def samples(rng: Any) -> list[Any]:
        return [sample(rng, *case) for case in _CASES]

    def sample(rng: Any, shape: Shape, settings: dict[str, Shape]) -> Any:
        x = rng.standard_normal(shape)
        out = _max(x, **settings)
        at, g = _position(x, out, **settings), rng.standard_normal(out.shape)
        if kind.startswith("sum"):
            settings = {name: value for name, value in settings.items() if name != "dilation"}
            g = rng.standard_normal(_sum(x, **settings).shape)
        spaced = {"space": shape[2:], **settings}
        return {
            "x": ([x], settings), "x out": ([x, out], settings), "x at": ([x, at], settings),
            "g at": ([g, at], spaced), "sum x": ([x], settings), "sum g": ([g], spaced),
        }[kind]  # fmt: skip

    return samples


max_pool: Call = define(
    "max_pool",
    inputs="x",
    doc="The largest of every window; the first of equal ones, the last nan, takes the gradient.",
    formula="dx = g at the largest of each window, added up where windows overlap",
    spec=lambda x, **s: Spec(_pooled(x, **s), x.dtype),
    forward=_max,
    grad=(
        lambda g, out, x, **s: max_pool_spread(
            g, max_pool_position(x, out, **s), space=x.shape[2:], **s
        ),
    ),
    lower=Composite(written.max_pool),
    samples=_samples("x"),
    peer=_max_peer,
    onnx=lambda to, x, window, stride, low, high, dilation: to(
        "MaxPool",
        x,
        kernel_shape=window,
        strides=stride,
        dilations=dilation,
        pads=[*low, *high],
    ),
)
max_pool_position: Call = define(
    "max_pool_position",
    inputs="x out",
    doc="Which element of its window is the largest, counted row by row; the last nan before all.",
    formula="none: a position has no slope",
    spec=lambda x, out, window, **s: Spec(out.shape, position_dtype(window)),
    forward=_position,
    grad=(None, None),
    lower=Composite(written.max_pool_position),
    samples=_samples("x out"),
)
max_pool_spread: Call = define(
    "max_pool_spread",
    inputs="g at",
    doc="g at the positions of the windows' largest, added up where windows overlap, 0 elsewhere.",
    formula="dg = max_pool_pick(d, at)",
    spec=lambda g, at, space, **s: Spec((*g.shape[:2], *space), g.dtype),
    forward=lambda g, at, **s: _spread(g, at=at, **s),
    grad=(lambda d, at, space, **s: max_pool_pick(d, at, **s), None),
    lower=Composite(written.max_pool_spread),
    samples=_samples("g at"),
)
max_pool_pick: Call = define(
    "max_pool_pick",
    inputs="x at",
    doc="The element of every window at its position.",
    formula="dx = max_pool_spread(g, at)",
    spec=lambda x, at, **s: Spec(at.shape, x.dtype),
    forward=_pick,
    grad=(lambda g, at, x_shape, **s: max_pool_spread(g, at, space=x_shape[2:], **s), None),
    lower=Composite(written.max_pool_pick),
    samples=_samples("x at"),
)
sum_pool: Call = define(
    "sum_pool",
    inputs="x",
    doc="The sum of every window.",
    formula="dx = the sum of g over the windows that hold the element",
    spec=lambda x, **s: Spec(_pooled(x, **s, dilation=(1,) * len(s["window"])), x.dtype),
    forward=_sum,
    grad=(lambda g, x_shape, **s: sum_pool_spread(g, space=x_shape[2:], **s),),
    lower=Composite(written.sum_pool),
    samples=_samples("sum x"),
    peer=_sum_peer,
    onnx=_sum_onnx,
)
sum_pool_spread: Call = define(
    "sum_pool_spread",
    inputs="g",
    doc="For every place the sum of g over the windows that hold it.",
    formula="dg = sum_pool(d)",
    spec=lambda g, space, **s: Spec((*g.shape[:2], *space), g.dtype),
    forward=lambda g, window, **s: _spread(g, window=window, **s, dilation=(1,) * len(window)),
    grad=(lambda d, space, **s: sum_pool(d, **s),),
    lower=Composite(written.sum_pool_spread),
    samples=_samples("sum g"),
)

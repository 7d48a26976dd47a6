"""Convolution over any number of spatial axes, and its two gradients.

Layout as in PyTorch: x is [batch, channels, *space], weight [out, channels / groups, *window].
The three ops are linear in each input and closed under differentiation: the gradients of each
are the other two, so any order follows.
"""

from __future__ import annotations

from string import ascii_uppercase
from typing import Any

import numpy as np

from chainrule.core.apply import Call, alike, define
from chainrule.core.op import Composite
from chainrule.errors import ShapeError
from chainrule.ops.contract import contract, split
from chainrule.ops.layout import permute, reshape
from chainrule.ops.pointwise import cast, mul
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
from chainrule.spec import Spec, promote

Shape = tuple[int, ...]


def _out_size(size: int, window: int, stride: int, padding: int, dilation: int) -> int:
    return (size + 2 * padding - dilation * (window - 1) - 1) // stride + 1


def _convolve_spec(
    x: Spec, w: Spec, stride: Shape, padding: Shape, dilation: Shape, groups: int
) -> Spec:
    if x.ndim != w.ndim or x.ndim - 2 != len(stride):
        raise ShapeError(
            f"convolution over {len(stride)} axes",
            expected=f"x and weight of {len(stride) + 2} axes",
            got=f"{x} and {w}",
            hint="x is [batch, channels, *space], weight [out, channels / groups, *window]",
        )
    if x.shape[1] != w.shape[1] * groups or w.shape[0] % groups:
        raise ShapeError(
            f"the channels of a convolution in {groups} group(s) do not fit",
            expected=f"{w.shape[1] * groups} input channels, output channels divisible by {groups}",
            got=f"{x} and weight {w}",
            hint="in_channels is the size of axis 1 of what goes in",
        )
    space = tuple(map(_out_size, x.shape[2:], w.shape[2:], stride, padding, dilation))
    if any(size < 1 for size in space):
        raise ShapeError(
            "the window is larger than the padded input",
            expected="at least dilation * (window - 1) + 1 along every axis, padding included",
            got=f"{x}, weight {w}, padding {padding}, dilation {dilation}",
            hint="a smaller window, or more padding",
        )
    return Spec((x.shape[0], w.shape[0], *space), promote(x, w))


def _windows(
    x: Any, window: Shape, stride: Shape, padding: Shape, dilation: Shape, groups: int
) -> Any:
    """A view [batch, groups, channels / groups, *out, *window] of the padded input."""
    if any(padding):
        x = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in padding)])
    spans = tuple(d * (k - 1) + 1 for k, d in zip(window, dilation, strict=True))
    axes = tuple(range(2, x.ndim))
    views = np.lib.stride_tricks.sliding_window_view(x, spans, axes)
    steps = tuple(slice(None, None, s) for s in (*stride, *dilation))
    views = views[(slice(None), slice(None), *steps)]
    return views.reshape(x.shape[0], groups, x.shape[1] // groups, *views.shape[2:])


def _names(n: int) -> tuple[list[int], list[int]]:
    """einsum's names of the output's and the window's spatial axes."""
    return list(range(10, 10 + n)), list(range(20, 20 + n))


_BATCH, _GROUP, _IN, _OUT = 0, 1, 2, 3


def _convolve(x: Any, w: Any, stride: Shape, padding: Shape, dilation: Shape, groups: int) -> Any:
    x, w = alike(x, w)
    # einsum would broadcast the one channel of a weight over all of x's.
    _convolve_spec(
        Spec(x.shape, x.dtype), Spec(w.shape, w.dtype), stride, padding, dilation, groups
    )
    views = _windows(x, w.shape[2:], stride, padding, dilation, groups)
    space, window = _names(len(stride))
    out = np.einsum(
        views, [_BATCH, _GROUP, _IN, *space, *window],
        w.reshape(groups, w.shape[0] // groups, *w.shape[1:]), [_GROUP, _OUT, _IN, *window],
        [_BATCH, _GROUP, _OUT, *space], optimize=True,
    )  # fmt: skip
    return out.reshape(x.shape[0], w.shape[0], *out.shape[3:])


def _weight_gradient(
    g: Any, x: Any, window: Shape, stride: Shape, padding: Shape, dilation: Shape, groups: int
) -> Any:
    g, x = alike(g, x)
    views = _windows(x, window, stride, padding, dilation, groups)
    space, inner = _names(len(stride))
    out = np.einsum(
        views, [_BATCH, _GROUP, _IN, *space, *inner],
        g.reshape(g.shape[0], groups, g.shape[1] // groups, *g.shape[2:]),
        [_BATCH, _GROUP, _OUT, *space],
        [_GROUP, _OUT, _IN, *inner], optimize=True,
    )  # fmt: skip
    return out.reshape(g.shape[1], x.shape[1] // groups, *window)


def _input_gradient(
    g: Any, w: Any, space: Shape, stride: Shape, padding: Shape, dilation: Shape, groups: int
) -> Any:
    g, w = alike(g, w)
    window = w.shape[2:]
    out_axes, _ = _names(len(stride))
    grouped_g = g.reshape(g.shape[0], groups, g.shape[1] // groups, *g.shape[2:])
    grouped_w = w.reshape(groups, w.shape[0] // groups, *w.shape[1:])
    padded = [n + 2 * p for n, p in zip(space, padding, strict=True)]
    total = np.zeros((g.shape[0], groups, w.shape[1], *padded), np.result_type(g, w))
    for at in np.ndindex(*window):  # a strided view per position of the window
        part = np.einsum(
            grouped_g, [_BATCH, _GROUP, _OUT, *out_axes],
            grouped_w[(..., *at)], [_GROUP, _OUT, _IN],
            [_BATCH, _GROUP, _IN, *out_axes], optimize=True,
        )  # fmt: skip
        places: Any = tuple(
            slice(a * d, a * d + (n - 1) * s + 1, s)
            for a, d, n, s in zip(at, dilation, g.shape[2:], stride, strict=True)
        )
        total[(..., *places)] += part
    inside: Any = tuple(slice(p, p + n) for p, n in zip(padding, space, strict=True))
    return total[(..., *inside)].reshape(g.shape[0], groups * w.shape[1], *space)


# -- the same as contractions: b batch, g group, i input and o output channel of the group


def _letters(n: int, part: int) -> str:
    """The names of n axes: 0 of space, 1 of the window or of the windows, 2 of the phases."""
    return ascii_uppercase[part * n : (part + 1) * n]


def _grouped(x: Any, axis: int, groups: int) -> Any:
    """The channels divided into groups."""
    shape = (*x.shape[:axis], groups, x.shape[axis] // groups, *x.shape[axis + 1 :])
    return reshape(x, shape=shape)


def _contracted(x: Any, y: Any, dims: str, more: str = "") -> Any:
    """contract, without g, i, o and more where they are of size 1.

    Where groups are what lies side by side, nothing in them is a matrix: products, added up.
    """
    left, right, out = split(dims)
    dtype = promote(Spec(x.shape, x.dtype), Spec(y.shape, y.dtype))
    x, y = (v if v.dtype == dtype else cast(v, dtype=dtype.name) for v in (x, y))
    sizes = dict(zip((*left, *right), (*x.shape, *y.shape), strict=True))
    few = "".join(n for n in "gio" + more if sizes.get(n) == 1)
    left, right, short = ("".join(n for n in names if n not in few) for names in (left, right, out))
    x, y = (reshape(v, shape=tuple(sizes[n] for n in d)) for v, d in ((x, left), (y, right)))
    product = _multiplied if short[-1] in left and short[-1] in right else contract
    found = product(x, y, dims=f"{left},{right}->{short}")
    return reshape(found, shape=tuple(sizes[n] for n in out)) if short != out else found


def _multiplied(x: Any, y: Any, dims: str) -> Any:
    """The same as contract, element by element."""
    left, right, out = split(dims)
    inner = [name for name in left if name in right and name not in out]
    order = [*out[:-1], *inner, out[-1]]

    def laid(v: Any, names: str) -> Any:
        mine = [name for name in order if name in names]
        sizes = dict(zip(names, v.shape, strict=True))
        v = permute(v, axes=tuple(map(names.index, mine)))
        return reshape(v, shape=tuple(sizes.get(name, 1) for name in order))

    return total(
        mul(laid(x, left), laid(y, right)), axes=tuple(range(len(out) - 1, len(order) - 1))
    )


def _as_product(x: Any, w: Any, stride: Shape, padding: Shape, dilation: Shape, groups: int) -> Any:
    space, window = (_letters(len(stride), part) for part in (0, 1))
    around = surrounded(channels_last(x), padding, padding)
    views = windows(around, axis=1, window=w.shape[2:], stride=stride, dilation=dilation)
    views, w = _grouped(views, views.ndim - 1, groups), _grouped(w, 0, groups)
    out = _contracted(views, w, f"b{space}{window}gi,goi{window}->b{space}go")
    return channels_first(_ungrouped(out))


def _ungrouped(x: Any) -> Any:
    """[..., groups, channels] with the channels of all groups side by side."""
    return reshape(x, shape=(*x.shape[:-2], x.shape[-2] * x.shape[-1]))


def _input_as_product(
    g: Any, w: Any, space: Shape, stride: Shape, padding: Shape, dilation: Shape, groups: int
) -> Any:
    n = len(stride)
    places, taps, kinds = (_letters(n, part) for part in range(3))
    views = covering(channels_last(g), w.shape[2:], space, stride, padding, dilation)
    views = _grouped(views, views.ndim - 1, groups)
    w = permute(w, axes=(*range(2, w.ndim), 0, 1))
    w = _grouped(tapped(w, stride, padding, dilation), 2 * n, groups)
    tapped_by = "".join(t + k for t, k in zip(taps, kinds, strict=True))
    placed = "".join(p + k for p, k in zip(places, kinds, strict=True))
    out = _contracted(views, w, f"b{places}{taps}go,{tapped_by}goi->b{placed}gi", kinds)
    return channels_first(joined(_ungrouped(out), space))


def _weight_as_product(
    g: Any, x: Any, window: Shape, stride: Shape, padding: Shape, dilation: Shape, groups: int
) -> Any:
    n = len(stride)
    space, inner = (_letters(n, part) for part in (0, 1))
    around = surrounded(channels_last(x), padding, padding)
    views = windows(around, axis=1, window=window, stride=stride, dilation=dilation)
    views, g = (_grouped(v, v.ndim - 1, groups) for v in (views, channels_last(g)))
    out = _contracted(views, g, f"b{space}{inner}gi,b{space}go->{inner}gio")
    if groups == 1:  # a permute at the end costs nothing
        out = reshape(out, shape=(*window, *out.shape[n + 1 :]))
        return permute(out, axes=(n + 1, n, *range(n)))
    out = permute(out, axes=(n, n + 2, n + 1, *range(n)))
    return reshape(out, shape=(out.shape[0] * out.shape[1], *out.shape[2:]))


def _settings(stride: Any, padding: Any, dilation: Any, groups: Any) -> dict[str, Any]:
    return {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}


_CASES = [  # x, weight, stride, padding, dilation, groups
    ((2, 3, 6, 5), (4, 3, 3, 2), (1, 1), (0, 0), (1, 1), 1),
    ((2, 4, 7, 7), (6, 2, 3, 3), (2, 3), (1, 2), (1, 1), 2),
    ((1, 3, 8, 8), (3, 1, 3, 3), (1, 1), (1, 1), (2, 2), 3),
    ((2, 2, 9), (3, 2, 4), (2,), (1,), (1,), 1),
    ((0, 2, 9), (3, 2, 4), (1,), (0,), (1,), 1),
]


def _samples(kind: str) -> Any:
    def samples(rng: Any) -> list[Any]:
        found = []
        for x_shape, w_shape, *numbers in _CASES:
            settings = _settings(*numbers)
            x, w = rng.standard_normal(x_shape), rng.standard_normal(w_shape)
            g = rng.standard_normal((x_shape[0], w_shape[0], *_space(x_shape, w_shape, numbers)))
            if kind == "input":
                found.append(([g, w], {"space": x_shape[2:], **settings}))
            elif kind == "weight":
                found.append(([g, x], {"window": w_shape[2:], **settings}))
            else:
                found.append(([x, w], settings))
        return found

    return samples


def _space(x_shape: Shape, w_shape: Shape, numbers: Any) -> Shape:
    return tuple(map(_out_size, x_shape[2:], w_shape[2:], *numbers[:3]))


def _peer(torch: Any, x: Any, w: Any, **settings: Any) -> Any:
    functions = {1: torch.conv1d, 2: torch.conv2d, 3: torch.conv3d}
    return functions[x.ndim - 2](x, w, None, *settings.values())


def _transposed_onnx(
    to: Any, g: str, w: str, space: Shape, stride: Shape, padding: Shape, dilation: Shape,
    groups: int,
) -> Any:  # fmt: skip
    sizes = zip(
        to.specs[g].shape[2:], to.specs[w].shape[2:], stride, padding, dilation, strict=True
    )
    reached = [(n - 1) * s + (k - 1) * d + 1 - 2 * p for n, k, s, p, d in sizes]
    return to(
        "ConvTranspose",
        g,
        w,
        strides=stride,
        pads=[*padding, *padding],
        dilations=dilation,
        group=groups,
        output_padding=[size - end for size, end in zip(space, reached, strict=True)],
    )


convolve: Call = define(
    "convolve",
    inputs="x w",
    doc="Convolution (as in every network library, a correlation) with zeros around x.",
    formula="dx = g spread by the weights, dw = g with x's windows",
    spec=_convolve_spec,
    forward=_convolve,
    grad=(
        lambda g, x_shape, w, **s: convolve_input_gradient(g, w, space=x_shape[2:], **s),
        lambda g, x, w_shape, **s: convolve_weight_gradient(g, x, window=w_shape[2:], **s),
    ),
    lower=Composite(_as_product),
    samples=_samples("output"),
    peer=_peer,
    onnx=lambda to, x, w, stride, padding, dilation, groups: to(
        "Conv", x, w, strides=stride, pads=[*padding, *padding], dilations=dilation, group=groups
    ),
)
convolve_input_gradient: Call = define(
    "convolve_input_gradient",
    inputs="g w",
    doc="What a convolution's output gradient g means for its input; also transposed convolution.",
    formula="dg = convolve(d, w), dw = convolve_weight_gradient(g, d)",
    spec=lambda g, w, space, stride, padding, dilation, groups: Spec(
        (g.shape[0], w.shape[1] * groups, *space), promote(g, w)
    ),
    forward=_input_gradient,
    grad=(
        lambda d, w, space, **s: convolve(d, w, **s),
        lambda d, g, w_shape, space, **s: convolve_weight_gradient(g, d, window=w_shape[2:], **s),
    ),
    lower=Composite(_input_as_product),
    samples=_samples("input"),
    onnx=_transposed_onnx,
)
convolve_weight_gradient: Call = define(
    "convolve_weight_gradient",
    inputs="g x",
    doc="What a convolution's output gradient g means for its weight.",
    formula="dg = convolve(x, d), dx = convolve_input_gradient(g, d)",
    spec=lambda g, x, window, stride, padding, dilation, groups: Spec(
        (g.shape[1], x.shape[1] // groups, *window), promote(g, x)
    ),
    forward=_weight_gradient,
    grad=(
        lambda d, x, window, **s: convolve(x, d, **s),
        lambda d, g, x_shape, window, **s: convolve_input_gradient(g, d, space=x_shape[2:], **s),
    ),
    lower=Composite(_weight_as_product),
    samples=_samples("weight"),
)

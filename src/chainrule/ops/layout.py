"""The same elements, placed otherwise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.core.apply import Call, alike, define, promoted
from chainrule.core.op import Join, Place, Reindex
from chainrule.errors import ShapeError
from chainrule.spec import Spec, promote

Shape = tuple[int, ...]
_SLICE: Any = type(np.s_[:])  # Python's slice, whose name an op takes here


def _reshape_spec(x: Spec, shape: Shape) -> Spec:
    if math.prod(shape) != math.prod(x.shape) or any(n < 0 for n in shape):
        raise ShapeError(
            "reshape keeps the number of elements",
            expected=f"{math.prod(x.shape)} elements, as in {x}",
            got=f"shape {tuple(shape)} of {math.prod(shape)}",
        )
    return Spec(tuple(shape), x.dtype)


def _reshape_index(at: Any, shape: Shape, out: Shape) -> Any:
    flat = 0
    for position, size in zip(at, out, strict=True):
        flat = flat * size + position
    found = []
    for size in reversed(shape):
        found.append(flat % size)
        flat = flat // size
    return tuple(found[::-1])


reshape: Call = define(
    "reshape",
    inputs="x",
    doc="The same elements in row-major order under another shape.",
    formula="dx = g in x's shape",
    spec=_reshape_spec,
    forward=lambda x, shape: np.reshape(x, shape),
    grad=(lambda g, x_shape, shape: reshape(g, shape=x_shape),),
    lower=Reindex(lambda at, inside, shape: _reshape_index(at, inside, shape), keeps_order=True),
    samples=lambda rng: [
        ([rng.standard_normal(s)], {"shape": to})
        for s, to in [((3, 4), (2, 6)), ((), (1, 1)), ((0, 4), (2, 0))]
    ],
    peer=lambda torch, x, shape: x.reshape(shape),
    onnx=lambda to, x, shape: to("Reshape", x, to.shape(shape)),
)


def _permute_spec(x: Spec, axes: Shape) -> Spec:
    if sorted(axes) != list(range(x.ndim)):
        raise ShapeError(
            "permute names every axis once",
            expected=f"an order of {tuple(range(x.ndim))} for {x}",
            got=tuple(axes),
        )
    return Spec(tuple(x.shape[axis] for axis in axes), x.dtype)


def inverse(axes: Shape) -> Shape:
    """The order that undoes the order `axes`."""
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


permute: Call = define(
    "permute",
    inputs="x",
    doc="The axes in another order.",
    formula="dx = g with the order undone",
    spec=_permute_spec,
    forward=lambda x, axes: np.transpose(x, axes),
    grad=(lambda g, axes: permute(g, axes=inverse(axes)),),
    lower=Reindex(lambda at, inside, axes: tuple(at[i] for i in inverse(axes))),
    samples=lambda rng: [
        ([rng.standard_normal(s)], {"axes": a})
        for s, a in [((3, 4, 2), (2, 0, 1)), ((), ()), ((0, 4), (1, 0))]
    ],
    peer=lambda torch, x, axes: x.permute(axes),
    onnx=lambda to, x, axes: to("Transpose", x, perm=axes) if axes else to("Identity", x),
)
flip: Call = define(
    "flip",
    inputs="x",
    doc="The elements along these axes in reverse order.",
    formula="dx = g reversed again",
    spec=lambda x, axes: Spec(x.shape, x.dtype),
    forward=lambda x, axes: np.flip(x, axes),
    grad=(lambda g, axes: flip(g, axes=axes),),
    lower=Reindex(
        lambda at, inside, axes: tuple(
            n - 1 - p if i in axes else p for i, (p, n) in enumerate(zip(at, inside, strict=True))
        )
    ),
    samples=lambda rng: [
        ([rng.standard_normal(s)], {"axes": a}) for s, a in [((3, 4, 2), (0, 2)), ((0, 4), (1,))]
    ],
    peer=lambda torch, x, axes: torch.flip(x, axes),
    onnx=lambda to, x, axes: to(
        "Slice",
        x,
        *(to.integers([n] * len(axes)) for n in (-1, -(2**63))),
        to.integers(axes),
        to.integers([-1] * len(axes)),
    ),
)


def _slice_spec(x: Spec, start: Shape, stop: Shape, step: Shape) -> Spec:
    bounds = list(zip(x.shape, start, stop, step, strict=True))
    if any(not (0 <= a <= b <= n and s > 0) for n, a, b, s in bounds):
        raise ShapeError(
            "slice lies within its input",
            expected=f"0 <= start <= stop <= size and step > 0, for {x}",
            got=f"start {start}, stop {stop}, step {step}",
        )
    return Spec(tuple(len(range(a, b, s)) for _, a, b, s in bounds), x.dtype)


def _sliced(x: Any, start: Shape, stop: Shape, step: Shape) -> Any:
    _slice_spec(Spec(np.shape(x), x.dtype), start, stop, step)  # NumPy would cut silently
    return x[tuple(map(_SLICE, start, stop, step))]


def _slice_grad(g: Any, x_shape: Shape, start: Shape, stop: Shape, step: Shape) -> Any:
    spans = [n and (n - 1) * s + 1 for n, s in zip(g.shape, step, strict=True)]
    high = tuple(n - a - span for n, a, span in zip(x_shape, start, spans, strict=True))
    return pad(g, low=start, high=high, interior=tuple(s - 1 for s in step))


slice: Call = define(
    "slice",
    inputs="x",
    doc="Every step-th element from start up to stop, per axis.",
    formula="dx = g at the places taken, 0 elsewhere",
    spec=_slice_spec,
    forward=_sliced,
    grad=(_slice_grad,),
    lower=Reindex(
        lambda at, inside, start, stop, step: tuple(
            a + p * s for p, a, s in zip(at, start, step, strict=True)
        )
    ),
    samples=lambda rng: [
        ([rng.standard_normal((5, 7))], {"start": (1, 0), "stop": (4, 7), "step": (1, 3)}),
        ([rng.standard_normal((5, 7))], {"start": (2, 2), "stop": (2, 6), "step": (1, 2)}),
        ([rng.standard_normal(())], {"start": (), "stop": (), "step": ()}),
    ],
    peer=lambda torch, x, start, stop, step: x[tuple(map(_SLICE, start, stop, step))],
    onnx=lambda to, x, start, stop, step: (
        to("Slice", x, *map(to.shape, (start, stop, range(len(step)), step)))
        if step
        else to("Identity", x)
    ),
)


def _pad_spec(x: Spec, low: Shape, high: Shape, interior: Shape, value: float = 0.0) -> Spec:
    sizes = tuple(
        a + b + n + max(n - 1, 0) * i
        for n, a, b, i in zip(x.shape, low, high, interior, strict=True)
    )
    if any(n < 0 for n in (*low, *high, *interior)):
        raise ShapeError("pad adds elements", expected="counts of at least 0", got=(low, high))
    return Spec(sizes, x.dtype)


def _padded(x: Any, low: Shape, high: Shape, interior: Shape, value: float = 0.0) -> Any:
    shape = _pad_spec(Spec(np.shape(x), x.dtype), low, high, interior).shape
    out = np.full(shape, value, x.dtype) if value else np.zeros(shape, x.dtype)
    ends = [n - b for n, b in zip(out.shape, high, strict=True)]
    out[tuple(_SLICE(a, e, i + 1) for a, e, i in zip(low, ends, interior, strict=True))] = x
    return out


def _pad_grad(g: Any, low: Shape, high: Shape, interior: Shape, value: float = 0.0) -> Any:
    stop = tuple(n - b for n, b in zip(g.shape, high, strict=True))
    return slice(g, start=low, stop=stop, step=tuple(i + 1 for i in interior))


def _pad_onnx(to: Any, x: Any, low: Shape, high: Shape, interior: Shape, value: float = 0.0) -> Any:
    if any(interior):
        raise ShapeError("ONNX has no padding between elements", got=interior)
    if not low:
        return to("Identity", x)
    return to("Pad", x, to.integers([*low, *high]), to.like(x, value))


pad: Call = define(
    "pad",
    inputs="x",
    doc="Zeros, or the value, before, after and between the elements, per axis.",
    formula="dx = g at the elements' places",
    spec=_pad_spec,
    forward=_padded,
    grad=(_pad_grad,),
    lower=Place(
        lambda at, low, high, interior, value=0.0: tuple(
            p * (i + 1) + a for p, a, i in zip(at, low, interior, strict=True)
        )
    ),
    samples=lambda rng: (
        [
            ([rng.standard_normal(s)], {"low": a, "high": b, "interior": i})
            for s, a, b, i in [
                ((3, 4), (1, 0), (2, 1), (0, 2)),
                ((0, 2), (1, 0), (1, 0), (2, 0)),
                ((), (), (), ()),
            ]
        ]
        + [
            (
                [rng.standard_normal((2, 3))],
                {"low": (0, 1), "high": (1, 0), "interior": (0, 0), "value": 2.5},
            )
        ]
    ),
    onnx=_pad_onnx,
)


def _concat_spec(*xs: Spec, axis: int) -> Spec:
    first = xs[0]
    if not all(
        x.ndim == first.ndim
        and x.shape[:axis] == first.shape[:axis]
        and x.shape[axis + 1 :] == first.shape[axis + 1 :]
        for x in xs
    ):
        raise ShapeError(
            f"concat along axis {axis} needs equal sizes on the other axes",
            got=", ".join(map(str, xs)),
        )
    size = sum(x.shape[axis] for x in xs)
    return Spec((*first.shape[:axis], size, *first.shape[axis + 1 :]), promote(*xs))


def _concat_grad(g: Any, out: Any, *xs: Any, needed: tuple[bool, ...], axis: int) -> list[Any]:
    found, begin = [], 0
    for x, wanted in zip(xs, needed, strict=True):
        end = begin + x.shape[axis]
        start = tuple(begin if i == axis else 0 for i in range(g.ndim))
        stop = tuple(end if i == axis else n for i, n in enumerate(g.shape))
        found.append(slice(g, start=start, stop=stop, step=(1,) * g.ndim) if wanted else None)
        begin = end
    return found


concat: Call = define(
    "concat",
    inputs="*xs",
    doc="Arrays laid end to end along an axis.",
    formula="dx = its part of g",
    spec=_concat_spec,
    forward=lambda *xs, axis: np.concatenate(alike(*xs), axis),
    grad=_concat_grad,
    dtypes=promoted,
    lower=Join(),
    samples=lambda rng: [
        ([rng.standard_normal((3, n)) for n in (2, 0, 3)], {"axis": 1}),
        ([rng.standard_normal((2, 3)), rng.standard_normal((1, 3))], {"axis": 0}),
    ],
    peer=lambda torch, *xs, axis: torch.cat(xs, axis),
    onnx=lambda to, *xs, axis: to("Concat", *xs, axis=axis),
)

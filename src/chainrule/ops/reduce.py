"""Folds over axes; sum and broadcast_to, each the other's gradient."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from chainrule.core.apply import Call, define
from chainrule.core.op import Composite, Reduce, Reindex
from chainrule.core.sweep import sum_to
from chainrule.errors import ShapeError
from chainrule.ops.create import iota
from chainrule.ops.layout import reshape
from chainrule.ops.pointwise import cast, div, equal, logical_or, not_equal, where
from chainrule.spec import I64, Number, Spec

Shape = tuple[int, ...]
_VIEW_FROM = 8192  # elements: a copy is quicker than a view below, as np.broadcast_to costs 2 us


def _reduced(name: str, x: Spec, axes: Shape) -> Shape:
    if any(not 0 <= axis < x.ndim for axis in axes):
        raise ShapeError(f"{name}: no such axis", expected=f"axes of {x}", got=tuple(axes))
    return tuple(n for i, n in enumerate(x.shape) if i not in axes)


def _kept(shape: Shape, axes: Shape) -> Shape:
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def _spread(g: Any, shape: Shape, axes: Shape) -> Any:
    """A reduced array, repeated along the axes it was reduced over."""
    if len(axes) < len(shape):
        g = reshape(g, shape=_kept(shape, axes))
    return broadcast_to(g, shape=shape)


def _folded(operator: str, to: Any, x: Any, axes: Shape) -> Any:
    return to(operator, x, to.integers(axes), keepdims=0) if axes else to("Identity", x)


def _countable(to: Any, x: Any) -> Any:
    """Integers and bools as those that ONNX adds up."""
    return x if to.specs[x].dtype.kind == "f" else to("Cast", x, to=to.kind(I64))


def _draw(rng: Any) -> list[Any]:
    return [
        *(([rng.standard_normal((3, 4, 2))], {"axes": a}) for a in [(1,), (0, 2), (0, 1, 2), ()]),
        ([rng.standard_normal(())], {"axes": ()}),
        ([rng.standard_normal((3, 0))], {"axes": (0,)}),
    ]


sum: Call = define(
    "sum",
    inputs="x",
    doc="The sum over axes, which disappear; of nothing it is 0. Integers and bools add up in i64.",
    formula="dx = g, spread over the axes",
    spec=lambda x, axes: Spec(_reduced("sum", x, axes), x.dtype if x.dtype.kind == "f" else I64),
    forward=lambda x, axes: (
        np.add.reduce(x, axes) if x.dtype.kind == "f" else np.add.reduce(x, axes, I64)
    ),
    grad=(lambda g, x_shape, axes: _spread(g, x_shape, axes),),
    lower=Reduce("add", 0.0),
    samples=_draw,
    peer=lambda torch, x, axes: x.sum(axes) if axes else x.clone(),
    onnx=lambda to, x, axes: _folded("ReduceSum", to, _countable(to, x), axes),
)


def _broadcast_spec(x: Spec | Number, shape: Shape) -> Spec:
    lead = len(shape) - x.ndim
    if lead < 0 or any(n not in (1, shape[lead + i]) for i, n in enumerate(x.shape)):
        raise ShapeError(
            "broadcast_to repeats along axes of size 1 and new first axes",
            expected=f"a shape that {tuple(shape)} repeats",
            got=x,
        )
    return Spec(tuple(shape), x.dtype)


def _repeated(x: Any, shape: Shape) -> Any:
    out = np.empty(shape, x.dtype)
    if out.size >= _VIEW_FROM:
        return np.broadcast_to(x, shape)
    out[...] = x
    return out


broadcast_to: Call = define(
    "broadcast_to",
    inputs="x",
    doc="Repeated along axes of size 1 and new first axes.",
    formula="dx = g summed over the repeats",
    spec=_broadcast_spec,
    forward=_repeated,
    grad=(lambda g, x_shape, shape: sum_to(g, x_shape),),
    lower=Reindex(
        lambda at, inside, shape: tuple(
            p * (n != 1) for p, n in zip(at[len(shape) - len(inside) :], inside, strict=True)
        )
    ),
    samples=lambda rng: [
        ([rng.standard_normal(s)], {"shape": to})
        for s, to in [((4,), (3, 4)), ((3, 1), (3, 4)), ((), (3, 4)), ((1, 4), (0, 4)), ((), ())]
    ],
    peer=lambda torch, x, shape: torch.broadcast_to(x, shape),
    onnx=lambda to, x, shape: to("Expand", x, to.shape(shape)),
)


def _extreme_spec(name: str, x: Spec, axes: Shape) -> Spec:
    shape = _reduced(name, x, axes)
    if builtins.any(x.shape[axis] == 0 for axis in axes):
        raise ShapeError(f"{name} of nothing has no value", expected="axes of at least 1", got=x)
    return Spec(shape, x.dtype)


def _extreme_grad(g: Any, out: Any, x: Any, axes: Shape) -> Any:
    winners = equal(x, _spread(out, x.shape, axes))
    count = sum(cast(winners, dtype=x.dtype.name), axes=axes)
    return where(winners, _spread(div(g, count), x.shape, axes), 0.0)


def _extreme(name: str, word: str, ufunc: Any, start: float, peer: str, onnx: str) -> Any:
    return define(
        name,
        inputs="x",
        doc=f"The {word} over axes, which disappear; equal {word} ones share the gradient evenly.",
        formula=f"dx = g at the {word}, 0 elsewhere",
        spec=lambda x, axes: _extreme_spec(name, x, axes),
        forward=lambda x, axes: ufunc.reduce(x, axis=axes),
        grad=(_extreme_grad,),
        lower=Reduce(name, start),
        samples=lambda rng: [
            *(([rng.standard_normal((3, 4, 2))], {"axes": a}) for a in [(1,), (0, 2), (0, 1, 2)]),
            ([rng.standard_normal((0, 3))], {"axes": (1,)}),
        ],
        peer=lambda torch, x, axes: getattr(torch, peer)(x, axes),
        onnx=lambda to, x, axes: _folded(onnx, to, x, axes),
    )


max: Call = _extreme("max", "largest", np.maximum, -np.inf, "amax", "ReduceMax")
min: Call = _extreme("min", "smallest", np.minimum, np.inf, "amin", "ReduceMin")


def _argmax_written_out(x: Any, axis: int) -> Any:
    """The smallest position of those where the largest is; nan is larger than every number."""
    kept = tuple(1 if i == axis else n for i, n in enumerate(x.shape))
    winners = equal(x, reshape(max(x, axes=(axis,)), shape=kept))
    if x.dtype.kind == "f":
        winners = logical_or(winners, not_equal(x, x))
    position = iota(shape=tuple(x.shape), axis=axis, dtype="int64")
    return min(where(winners, position, x.shape[axis]), axes=(axis,))


argmax: Call = define(
    "argmax",
    inputs="x",
    doc="The position of the largest along one axis, which disappears; the first of equal ones.",
    formula="none: a position has no slope",
    spec=lambda x, axis: Spec(_extreme_spec("argmax", x, (axis,)).shape, I64),
    forward=lambda x, axis: np.argmax(x, axis),
    grad=(None,),
    lower=Composite(_argmax_written_out),
    samples=lambda rng: [
        *(([rng.standard_normal((3, 4, 2))], {"axis": a}) for a in (0, 1, 2)),
        ([rng.integers(0, 3, (5, 6))], {"axis": 1}),
    ],
    peer=lambda torch, x, axis: torch.argmax(x, axis),
    onnx=lambda to, x, axis: to("ArgMax", x, axis=axis, keepdims=0),
)

"""Rows read by index, and rows added by index: each is the other's gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.core.apply import Call, define
from chainrule.core.op import Index
from chainrule.errors import IndexRangeError, ShapeError
from chainrule.spec import Spec


def _check_kind(name: str, index: Spec) -> None:
    if index.dtype.kind not in "iu":
        raise ShapeError(
            f"{name} needs integer indices", expected="i64", got=index, hint="cast to int64"
        )


def _take_spec(x: Spec, index: Spec) -> Spec:
    _check_kind("take", index)
    if x.ndim == 0:
        raise ShapeError("take needs rows to take from", expected="at least one axis", got=x)
    return Spec(index.shape + x.shape[1:], x.dtype)


def _scatter_spec(x: Spec, index: Spec, length: int) -> Spec:
    _check_kind("scatter_add", index)
    if x.shape[: index.ndim] != index.shape:
        raise ShapeError(
            "scatter_add needs a row per index",
            expected=f"an array whose first axes are {index.shape}",
            got=x,
        )
    return Spec((length, *x.shape[index.ndim :]), x.dtype)


def _check_range(index: Any, length: int) -> None:
    """Negative indices are out of range, too: read as unsigned they are huge."""
    if index.size and np.max(index.astype("int64", copy=False).view("uint64")) >= length:
        wrong = index[(index < 0) | (index >= length)]
        raise IndexRangeError(
            "an index is out of range",
            expected=f"0 to {length - 1}",
            got=f"{wrong.ravel()[0]} ({wrong.size} of {index.size} are out of range)",
            hint="as many rows as there are indices, which count from 0",
        )


def _take(x: Any, index: Any) -> Any:
    index = np.asarray(index)
    _check_range(index, x.shape[0])
    return x.take(index, axis=0)


def _scatter_add(x: Any, index: Any, length: int) -> Any:
    index = np.asarray(index)
    _check_range(index, length)
    out = np.zeros((length, *np.shape(x)[index.ndim :]), x.dtype)
    np.add.at(out, index, x)
    return out


def _scatter_onnx(to: Any, x: str, index: str, length: int) -> Any:
    shape = to.shape((length, *to.specs[x].shape[to.specs[index].ndim :]))
    places = to("Unsqueeze", index, to.integers([-1]))
    return to("ScatterND", to("Expand", to.like(x, 0.0), shape), places, x, reduction="add")


take: Call = define(
    "take",
    inputs="x index",
    doc="Rows of x by index along its first axis; out of range, negative too, is an error.",
    formula="dx = g's rows added into the rows taken",
    spec=_take_spec,
    forward=_take,
    grad=(lambda g, x_shape, index: scatter_add(g, index, length=x_shape[0]), None),
    lower=Index(adds=False),
    samples=lambda rng: [
        ([rng.standard_normal((5, 3)), np.array(i, "int64")], {})
        for i in [[0, 2, 2], [[1, 1], [4, 0]], [], 3]
    ],
    peer=lambda torch, x, index: x[index],
    onnx="Gather",
)
scatter_add: Call = define(
    "scatter_add",
    inputs="x index",
    doc="Zeros with x's rows added at index; rows of equal index add up.",
    formula="dx = g's rows at index",
    spec=_scatter_spec,
    forward=_scatter_add,
    grad=(lambda g, index, length: take(g, index), None),
    lower=Index(adds=True),
    samples=lambda rng: [
        ([rng.standard_normal((3, 2)), np.array([0, 2, 2])], {"length": 5}),
        ([rng.standard_normal((2, 2, 3)), np.array([[0, 1], [1, 1]])], {"length": 2}),
        ([rng.standard_normal((0, 3)), np.array([], "int64")], {"length": 2}),
    ],
    peer=lambda torch, x, index, length: torch.zeros(
        (length, *x.shape[index.ndim :]), dtype=x.dtype
    ).index_put((index,), x, accumulate=True),
    onnx=_scatter_onnx,
)

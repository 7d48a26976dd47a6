"""Arrays out of nothing: a constant everywhere, and positions along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.core.apply import Call, define
from chainrule.core.op import Create
from chainrule.spec import Spec


def _iota(shape: tuple[int, ...], axis: int, dtype: str) -> Any:
    at = [1] * len(shape)
    at[axis] = shape[axis]
    return np.broadcast_to(np.arange(shape[axis], dtype=dtype).reshape(at), shape)


full: Call = define(
    "full",
    inputs="",
    doc="One value everywhere.",
    formula="none: it has no inputs",
    spec=lambda shape, value, dtype: Spec(tuple(shape), np.dtype(dtype)),
    forward=lambda shape, value, dtype: np.full(shape, value, dtype),
    grad=(),
    lower=Create(lambda e, *at, shape, value, dtype: e.constant(value, dtype)),
    samples=lambda rng: [
        ([], {"shape": s, "value": 2.5, "dtype": "float64"}) for s in [(3, 4), (), (0, 4)]
    ],
    peer=lambda torch, shape, value, dtype: torch.full(shape, value, dtype=getattr(torch, dtype)),
    onnx=lambda to, shape, value, dtype: to(
        "Expand", to.constant(np.array(value, dtype)), to.shape(shape)
    ),
)
iota: Call = define(
    "iota",
    inputs="",
    doc="The position along one axis: 0, 1, 2, ...",
    formula="none: it has no inputs",
    spec=lambda shape, axis, dtype: Spec(tuple(shape), np.dtype(dtype)),
    forward=_iota,
    grad=(),
    lower=Create(lambda e, *at, shape, axis, dtype: e.cast(at[axis], dtype)),
    samples=lambda rng: [
        ([], {"shape": s, "axis": a, "dtype": "int64"})
        for s, a in [((3, 4), 1), ((5,), 0), ((0, 4), 0)]
    ],
    peer=lambda torch, shape, axis, dtype: (
        torch.arange(shape[axis])
        .reshape([-1 if i == axis else 1 for i in range(len(shape))])
        .expand(shape)
    ),
    onnx=lambda to, shape, axis, dtype: to(
        "Expand",
        to(
            "Reshape",
            to.counted(shape[axis], dtype),
            to.integers(-1 if i == axis else 1 for i in range(len(shape))),
        ),
        to.shape(shape),
    ),
)

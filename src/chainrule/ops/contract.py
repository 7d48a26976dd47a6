"""Products summed over shared dimensions, named as in einsum: matrix products and their kin."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from chainrule.core.apply import Call, alike, define, promoted
from chainrule.core.op import Contract
from chainrule.errors import ShapeError
from chainrule.spec import Spec, promote


@lru_cache(maxsize=4096)
def split(dims: str) -> tuple[str, str, str]:
    """The dimension lists of left, right and output in "bi,oi->bo"."""
    left, _, rest = dims.partition(",")
    right, _, out = rest.partition("->")
    return left, right, out


def _spec(x: Spec, y: Spec, dims: str) -> Spec:
    left, right, out = split(dims)
    if len(left) != x.ndim or len(right) != y.ndim:
        raise ShapeError(
            f"contract {dims} has another number of axes than its inputs",
            expected=f"{len(left)} and {len(right)} axes",
            got=f"{x} and {y}",
        )
    sizes: dict[str, int] = {}
    for name, size in [*zip(left, x.shape, strict=True), *zip(right, y.shape, strict=True)]:
        if sizes.setdefault(name, size) != size:
            raise ShapeError(
                f"the inner sizes of a product differ (contract {dims}, dimension {name!r})",
                expected=f"{name} = {sizes[name]}, as in {x}",
                got=f"{name} = {size} in {y}",
            )
    if lone := sorted(name for name in sizes if (left + right + out).count(name) < 2):
        raise ShapeError(
            f"contract {dims}: dimension {lone[0]!r} stands alone",
            expected="each dimension in at least two of the three lists",
            hint="sum over it before, or broadcast afterwards",
        )
    return Spec(tuple(sizes[name] for name in out), promote(x, y))


@lru_cache(maxsize=4096)
def _plan(dims: str) -> Callable[[Any, Any], Any]:
    """How to say it to BLAS, worked out once per list of dimensions."""
    left, right, out = split(dims)
    inner = [d for d in left if d in right and d not in out]
    batch = [d for d in left if d in right and d in out]
    rows, cols = [d for d in left if d not in right], [d for d in right if d not in left]
    if not batch and len(inner) == len(rows) == len(cols) == 1:
        return _matrix_product(left[0] in inner, right[1] in inner, out[0] in cols)
    order_x = [left.index(d) for d in (*batch, *rows, *inner)]
    order_y = [right.index(d) for d in (*batch, *inner, *cols)]
    order_out = [[*batch, *rows, *cols].index(d) for d in out]
    b, r, k = len(batch), len(rows), len(inner)

    def product(x: Any, y: Any) -> Any:
        x, y = x.transpose(order_x), y.transpose(order_y)
        if x.shape[:b] != y.shape[:b] or x.shape[b + r :] != y.shape[b : b + k]:
            raise ValueError("sizes differ")  # the spec words it
        head, rest, last = x.shape[:b], x.shape[b : b + r], y.shape[b + k :]
        n_in, n_rest, n_last = math.prod(x.shape[b + r :]), math.prod(rest), math.prod(last)
        x, y = x.reshape((*head, n_rest, n_in)), y.reshape((*head, n_in, n_last))
        return np.matmul(x, y).reshape((*head, *rest, *last)).transpose(order_out)

    return product


def _matrix_product(flip_x: bool, flip_y: bool, flip_out: bool) -> Callable[[Any, Any], Any]:
    def product(x: Any, y: Any) -> Any:
        if x.ndim != 2 or y.ndim != 2:
            raise ValueError("not two matrices")  # the spec words it
        out = (x.T if flip_x else x).dot(y.T if flip_y else y)  # matmul asks more questions
        return out.T if flip_out else out

    return product


@lru_cache(maxsize=4096)
def _back(dims: str) -> tuple[str, str]:
    """How the gradients of left and right are contracted."""
    left, right, out = split(dims)
    return f"{out},{right}->{left}", f"{out},{left}->{right}"


_SAMPLES = [
    ((5, 3), (4, 3), "bi,oi->bo"),
    ((2, 3), (3, 4), "ik,kj->ij"),
    ((2, 3), (3, 4), "ik,kj->ji"),
    ((2, 3, 4), (2, 4, 5), "bik,bkj->bij"),
    ((2, 5, 3), (4, 3), "bti,oi->bto"),
    ((2, 6, 3, 4), (2, 5, 3, 4), "bqhd,bkhd->bhqk"),
    ((3,), (3,), "i,i->"),
    ((3,), (4,), "i,j->ij"),
    ((0, 3), (4, 3), "bi,oi->bo"),
    ((2, 0), (0, 4), "ik,kj->ij"),
]

contract: Call = define(
    "contract",
    inputs="x y",
    doc="einsum of two arrays; every dimension stands in at least two of the three lists.",
    formula="dx = g contracted with y, dy = g contracted with x",
    spec=_spec,
    forward=lambda x, y, dims: (
        _plan(dims)(x, y) if x.dtype is y.dtype else _plan(dims)(*alike(x, y))
    ),
    grad=(
        lambda g, y, dims: contract(g, y, dims=_back(dims)[0]),
        lambda g, x, dims: contract(g, x, dims=_back(dims)[1]),
    ),
    dtypes=promoted,
    lower=Contract(),
    samples=lambda rng: [
        ([rng.standard_normal(a), rng.standard_normal(b)], {"dims": dims})
        for a, b, dims in _SAMPLES
    ],
    peer=lambda torch, x, y, dims: torch.einsum(dims, x, y),
    onnx=lambda to, x, y, dims: (
        to("Gemm", x, y, transB=1) if dims == "bi,oi->bo" else to("Einsum", x, y, equation=dims)
    ),
)

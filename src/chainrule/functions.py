"""The functions that PyTorch's users type instead of a method: `exp(x)`, `cat([x, y])`, `sum(x)`.

Axes may be called `axis` as in NumPy or `dim` as in PyTorch. The pointwise ones are the ops
themselves: they take tensors, and in a gradient rule of one's own arrays. There is no
`max(x, dim)`: in PyTorch it gives a pair and in NumPy it does not. Say `amax` or `argmax`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.errors import SettingError, ShapeError
from chainrule.ops import pointwise
from chainrule.ops.layout import concat as _concat
from chainrule.tensors import Axis, Tensor, as_tensor

abs = absolute = pointwise.absolute
add, sub, subtract, mul, multiply, div, divide = (
    pointwise.add,
    pointwise.sub,
    pointwise.sub,
    pointwise.mul,
    pointwise.mul,
    pointwise.div,
    pointwise.div,
)
neg, pow, sign, floor, square, sqrt = (
    pointwise.neg,
    pointwise.power,
    pointwise.sign,
    pointwise.floor,
    pointwise.square,
    pointwise.sqrt,
)
exp, expm1, log, log1p, logaddexp, erf = (
    pointwise.exp,
    pointwise.expm1,
    pointwise.log,
    pointwise.log1p,
    pointwise.logaddexp,
    pointwise.erf,
)
sin, cos, tanh, sigmoid, relu = (
    pointwise.sin,
    pointwise.cos,
    pointwise.tanh,
    pointwise.sigmoid,
    pointwise.relu,
)
maximum, minimum, where, isfinite = (
    pointwise.maximum,
    pointwise.minimum,
    pointwise.where,
    pointwise.isfinite,
)


def isnan(input: Any) -> Tensor:
    """Where the numbers are nan, as bool."""
    return as_tensor(pointwise.not_equal(input, input))


def clamp(input: Any, min: Any = None, max: Any = None) -> Tensor:
    """`input` with what is below `min` made `min`, and what is above `max` made `max`.

    Bounds: numbers or tensors. The slope is 1 from bound to bound, both included, and 0 outside.
    Raises SettingError without any bound.

    >>> import chainrule as cr
    >>> clamp(cr.tensor([-2.0, 0.5, 2.0]), -1, 1)
    tensor([-1. ,  0.5,  1. ])
    """
    if min is None and max is None:
        raise SettingError("clamp needs a bound", expected="min, max or both")
    out = as_tensor(input)
    if min is not None:
        out = as_tensor(pointwise.where(pointwise.less(out, min), min, out))
    if max is not None:
        out = as_tensor(pointwise.where(pointwise.greater(out, max), max, out))
    return out


clip = clamp


# -- reductions


def sum(
    input: Any,
    axis: Axis = None,
    keepdims: bool = False,
    *,
    dim: Axis = None,
    keepdim: bool = False,
) -> Tensor:
    """The sum over `axis`: an int, several, or None for all.

    >>> import chainrule as cr
    >>> sum(cr.tensor([[1, 2], [3, 4]]), dim=0)
    tensor([4, 6])
    """
    return as_tensor(input).sum(_either(axis, dim), keepdims or keepdim)


def mean(
    input: Any,
    axis: Axis = None,
    keepdims: bool = False,
    *,
    dim: Axis = None,
    keepdim: bool = False,
) -> Tensor:
    """The mean over `axis`: an int, several, or None for all."""
    return as_tensor(input).mean(_either(axis, dim), keepdims or keepdim)


def amax(
    input: Any,
    axis: Axis = None,
    keepdims: bool = False,
    *,
    dim: Axis = None,
    keepdim: bool = False,
) -> Tensor:
    """The largest over `axis`; equal largest ones share the gradient."""
    return as_tensor(input).max(_either(axis, dim), keepdims or keepdim)


def amin(
    input: Any,
    axis: Axis = None,
    keepdims: bool = False,
    *,
    dim: Axis = None,
    keepdim: bool = False,
) -> Tensor:
    """The smallest over `axis`; equal smallest ones share the gradient."""
    return as_tensor(input).min(_either(axis, dim), keepdims or keepdim)


def argmax(input: Any, axis: int | None = None, *, dim: int | None = None) -> Tensor:
    """The position of the largest, of equals the first, along `axis` or in the whole tensor."""
    return as_tensor(input).argmax(_either(axis, dim))


def argmin(input: Any, axis: int | None = None, *, dim: int | None = None) -> Tensor:
    """The position of the smallest, of equals the first, along `axis` or in the whole tensor."""
    return as_tensor(pointwise.neg(as_tensor(input))).argmax(_either(axis, dim))


def norm(
    input: Any,
    p: float = 2.0,
    axis: Axis = None,
    keepdims: bool = False,
    *,
    dim: Axis = None,
    keepdim: bool = False,
) -> Tensor:
    """The p-norm over `axis`: sum(|x|^p)^(1/p); `p` above 0, or inf for the largest |x|.

    Of zeros the slope is 0. Raises SettingError for p of 0 or less.

    >>> import chainrule as cr
    >>> norm(cr.tensor([3.0, 4.0])).item()
    5.0
    """
    if not p > 0:
        raise SettingError("a norm's p is above 0", expected="such as 2 or inf", got=p)
    x, over, keep = as_tensor(input).abs(), _either(axis, dim), keepdims or keepdim
    if p == 1.0:
        return as_tensor(x.sum(over, keep))
    if p == float("inf"):
        return as_tensor(x.max(over, keep))
    total = (x.square() if p == 2.0 else x**p).sum(over, keep)
    nothing = total == 0  # there the root has no slope: leave it out of the chain
    safe = as_tensor(where(nothing, 1.0, total))
    return as_tensor(where(nothing, 0.0, safe.sqrt() if p == 2.0 else safe ** (1.0 / p)))


# -- layout


def cat(tensors: Sequence[Any], axis: int = 0, *, dim: int | None = None) -> Tensor:
    """Tensors laid end to end along `axis`; all other sizes are equal.

    >>> import chainrule as cr
    >>> cat([cr.tensor([1, 2]), cr.tensor([3])])
    tensor([1, 2, 3])
    """
    given = _several("cat", tensors)
    return as_tensor(_concat(*given, axis=_place(axis if dim is None else dim, given[0].ndim)))


concat = concatenate = cat


def stack(tensors: Sequence[Any], axis: int = 0, *, dim: int | None = None) -> Tensor:
    """Tensors of one shape along a new axis.

    >>> import chainrule as cr
    >>> stack([cr.tensor([1, 2]), cr.tensor([3, 4])], axis=1)
    tensor([[1, 3],
            [2, 4]])
    """
    given = _several("stack", tensors)
    if any(one.shape != given[0].shape for one in given):
        raise ShapeError("stack needs equal shapes", got=", ".join(str(x.shape) for x in given))
    at = _place(axis if dim is None else dim, given[0].ndim + 1)
    return as_tensor(_concat(*(one.unsqueeze(at) for one in given), axis=at))


def reshape(input: Any, shape: Sequence[int]) -> Tensor:
    """The same elements under another shape; one size may be -1."""
    return as_tensor(input).reshape(shape)


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The axes from `start_dim` to `end_dim` as one."""
    return as_tensor(input).flatten(start_dim, end_dim)


def squeeze(input: Any, axis: int | None = None, *, dim: int | None = None) -> Tensor:
    """Without the axis of size 1 at `axis`, or without any such axis."""
    return as_tensor(input).squeeze(_either(axis, dim))


def unsqueeze(input: Any, axis: int) -> Tensor:
    """With a new axis of size 1 at `axis`."""
    return as_tensor(input).unsqueeze(axis)


def transpose(input: Any, dim0: int, dim1: int) -> Tensor:
    """With two axes exchanged."""
    return as_tensor(input).transpose(dim0, dim1)


def permute(input: Any, dims: Sequence[int]) -> Tensor:
    """With the axes in another order."""
    return as_tensor(input).permute(dims)


# -- answers in Python's own types


def allclose(
    input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Whether |input - other| <= atol + rtol |other| everywhere.

    >>> import chainrule as cr
    >>> allclose(cr.tensor([1.0]), cr.tensor([1.000001]))
    True
    """
    return bool(
        np.allclose(as_tensor(input).numpy(), as_tensor(other).numpy(), rtol, atol, equal_nan)
    )


def equal(input: Any, other: Any) -> bool:
    """Whether shape and all numbers are the same; for an answer per number write x == y."""
    return bool(np.array_equal(as_tensor(input).numpy(), as_tensor(other).numpy()))


# -- what they share


def _either(axis: Any, dim: Any) -> Any:
    """NumPy's name for an axis, or PyTorch's."""
    if axis is not None and dim is not None:
        raise SettingError("axis and dim are two names of one argument", got=f"{axis} and {dim}")
    return dim if axis is None else axis


def _several(what: str, tensors: Sequence[Any]) -> list[Tensor]:
    given = [] if isinstance(tensors, Tensor) else [as_tensor(one) for one in tensors]
    if not given:
        raise SettingError(
            f"{what} takes a list of tensors",
            expected="at least one",
            got="one tensor" if isinstance(tensors, Tensor) else "none",
        )
    return given


def _place(axis: int, ndim: int) -> int:
    if not -ndim <= axis < ndim:
        raise ShapeError("no such axis", expected=f"{-ndim} to {ndim - 1}", got=axis)
    return axis % ndim


__all__ = [
    "abs", "absolute", "add", "allclose", "amax", "amin", "argmax", "argmin", "cat", "clamp",
    "clip", "concat", "concatenate", "cos", "div", "divide", "equal", "erf", "exp", "expm1",
    "flatten", "floor", "isfinite", "isnan", "log", "log1p", "logaddexp", "maximum", "mean",
    "minimum", "mul", "multiply", "neg", "norm", "permute", "pow", "relu", "reshape", "sigmoid",
    "sign", "sin", "sqrt", "square", "squeeze", "stack", "sub", "subtract", "sum", "tanh",
    "transpose", "unsqueeze", "where",
]  # fmt: skip

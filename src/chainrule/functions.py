"""The functions that PyTorch's users type instead of a method: `exp(x)`, `cat([x, y])`, `sum(x)`.

Axes may be called `axis` as in NumPy or `dim` as in PyTorch. The pointwise ones are the ops
themselves: they take tensors, and in a gradient rule of one's own arrays. There is no
`max(x, dim)`: in PyTorch it gives a pair and in NumPy it does not. Say `amax` or `argmax`.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from chainrule.errors import SettingError, ShapeError
from chainrule.ops import pointwise
from chainrule.ops.layout import concat as _concat
from chainrule.tensors import Tensor, as_tensor, matmul

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

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
mm = bmm = matmul
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


# -- the methods, as functions


def _function(
    method: Callable[Concatenate[Any, Arguments], Result],
) -> Callable[Concatenate[Any, Arguments], Result]:
    """The same, for whatever a tensor can be made of."""

    @wraps(method)
    def function(input: Any, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        return method(as_tensor(input), *args, **kwargs)

    return function


sum = _function(Tensor.sum)
mean = _function(Tensor.mean)
var = _function(Tensor.var)
std = _function(Tensor.std)
amax = _function(Tensor.amax)
amin = _function(Tensor.amin)
argmax = _function(Tensor.argmax)
argmin = _function(Tensor.argmin)
all = _function(Tensor.all)
any = _function(Tensor.any)
norm = _function(Tensor.norm)
softmax = _function(Tensor.softmax)
log_softmax = _function(Tensor.log_softmax)
logsumexp = _function(Tensor.logsumexp)
clamp = clip = _function(Tensor.clamp)
isnan = _function(Tensor.isnan)
masked_fill = _function(Tensor.masked_fill)
reciprocal = _function(Tensor.reciprocal)
rsqrt = _function(Tensor.rsqrt)
split = _function(Tensor.split)
chunk = _function(Tensor.chunk)
unbind = _function(Tensor.unbind)
flip = _function(Tensor.flip)
gather = _function(Tensor.gather)
index_select = _function(Tensor.index_select)
tril = _function(Tensor.tril)
triu = _function(Tensor.triu)
flatten = _function(Tensor.flatten)
squeeze = _function(Tensor.squeeze)
unsqueeze = _function(Tensor.unsqueeze)
transpose = _function(Tensor.transpose)


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
    if builtins.any(one.shape != given[0].shape for one in given):
        raise ShapeError("stack needs equal shapes", got=", ".join(str(x.shape) for x in given))
    at = _place(axis if dim is None else dim, given[0].ndim + 1)
    return as_tensor(_concat(*(one.unsqueeze(at) for one in given), axis=at))


def reshape(input: Any, shape: Sequence[int]) -> Tensor:
    """The same elements under another shape; one size may be -1."""
    return as_tensor(input).reshape(shape)


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
    "abs", "absolute", "add", "all", "allclose", "amax", "amin", "any", "argmax", "argmin", "bmm",
    "cat", "chunk", "clamp", "clip", "concat", "concatenate", "cos", "div", "divide", "equal",
    "erf", "exp", "expm1", "flatten", "flip", "floor", "gather", "index_select", "isfinite",
    "isnan", "log", "log1p", "log_softmax", "logaddexp", "logsumexp", "masked_fill", "maximum",
    "mean", "minimum", "mm", "mul", "multiply", "neg", "norm", "permute", "pow", "reciprocal",
    "relu", "reshape", "rsqrt", "sigmoid", "sign", "sin", "softmax", "split", "sqrt", "square",
    "squeeze", "stack", "std", "sub", "subtract", "sum", "tanh", "transpose", "tril", "triu",
    "unbind", "unsqueeze", "var", "where",
]  # fmt: skip

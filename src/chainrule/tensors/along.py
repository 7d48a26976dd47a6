"""What is computed along axes: composites of ops that are functions here and methods of Tensor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from numpy.typing import DTypeLike

from chainrule.core.value import Value
from chainrule.errors import SettingError
from chainrule.ops import pointwise
from chainrule.ops.layout import reshape
from chainrule.ops.reduce import argmax as argmax_op
from chainrule.ops.reduce import max as max_op
from chainrule.ops.reduce import min as min_op
from chainrule.ops.reduce import sum as sum_op
from chainrule.spec import DType
from chainrule.tensors.axes import Axis, class_axis, either, every_axis, kept, one_axis

# -- scores


def softmax(
    input: Any, axis: int | None = None, *, dim: int | None = None, dtype: DTypeLike | None = None
) -> Any:
    """exp(x) / sum of exp(x) along `axis` (PyTorch's `dim`): positive numbers that sum to 1.

    input: any shape with that axis, which is not empty; `dtype`: what it is converted to first.
    Raises SettingError when no axis is named and ShapeError when there is no such axis.

    >>> import chainrule as cr
    >>> softmax(cr.tensor([0.0, 0.0, 1000.0]), axis=-1)
    tensor([0., 0., 1.])
    """
    x = input if dtype is None else pointwise.cast(input, dtype=DType(dtype).name)
    at = (class_axis("softmax", x, axis, dim),)
    powers = pointwise.exp(pointwise.sub(x, largest(x, at)))
    return pointwise.div(powers, reshape(sum_op(powers, axes=at), shape=kept(x.shape, at)))


def log_softmax(
    input: Any, axis: int | None = None, *, dim: int | None = None, dtype: DTypeLike | None = None
) -> Any:
    """x - log(sum of exp(x)) along `axis` (PyTorch's `dim`): the logarithm of softmax, exactly.

    Shapes, `dtype` and errors as in `softmax`.

    >>> import chainrule as cr
    >>> log_softmax(cr.tensor([0.0, 0.0]), axis=-1)
    tensor([-0.6931, -0.6931])
    """
    x = input if dtype is None else pointwise.cast(input, dtype=DType(dtype).name)
    at = (class_axis("log_softmax", x, axis, dim),)
    apart = pointwise.sub(x, largest(x, at))
    total = pointwise.log(sum_op(pointwise.exp(apart), axes=at))
    return pointwise.sub(apart, reshape(total, shape=kept(x.shape, at)))


def logsumexp(
    input: Any,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
    *,
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
) -> Any:
    """log(sum of exp(x)) over `axis` (PyTorch's `dim`; an int or several), without overflow.

    The largest x is taken out first; it is a constant for the gradient, which does not depend on
    it. Where all are -inf the result is -inf. Raises ShapeError when there is no such axis.

    >>> import chainrule as cr
    >>> logsumexp(cr.tensor([1000.0, 1000.0]), axis=0).item()
    1000.6931
    """
    chosen = axis if dim is None else dim
    named = [chosen] if chosen is None or isinstance(chosen, int) else list(chosen)
    at = tuple([class_axis("logsumexp", input, one, None) for one in named])
    top = largest(input, at)
    top = pointwise.where(pointwise.isfinite(top), top, 0.0)  # inf - inf would be nan
    out = pointwise.log(sum_op(pointwise.exp(pointwise.sub(input, top)), axes=at))
    left = tuple([n for i, n in enumerate(input.shape) if i not in at])
    out = pointwise.add(out, reshape(top, shape=left))
    return reshape(out, shape=kept(input.shape, at)) if keepdims or keepdim else out


def largest(input: Value, axes: tuple[int, ...]) -> Any:
    """The largest over `axes`, which stay with size 1: a raw, and so without history."""
    return reshape(max_op(input.array, axes=axes), shape=kept(input.shape, axes))


# -- reductions


def sum(
    input: Any,
    axis: Axis = None,
    keepdims: bool = False,
    *,
    dim: Axis = None,
    keepdim: bool = False,
) -> Any:
    """The sum over `axis`: an int, several, or None for all.

    >>> import chainrule as cr
    >>> sum(cr.tensor([[1, 2], [3, 4]]), dim=0)
    tensor([4, 6])
    """
    return _folded(sum_op, input, either(axis, dim), keepdims or keepdim)


def mean(
    input: Any,
    axis: Axis = None,
    keepdims: bool = False,
    *,
    dim: Axis = None,
    keepdim: bool = False,
) -> Any:
    """The mean over `axis`; nan of nothing."""
    axes = every_axis(either(axis, dim), input.ndim)
    return _over(_folded(sum_op, input, axes, keepdims or keepdim), _count(input, axes))


def var(
    input: Any,
    axis: Axis = None,
    keepdims: bool = False,
    correction: float = 0.0,
    *,
    dim: Axis = None,
    keepdim: bool = False,
) -> Any:
    """The mean squared distance from the mean; `correction` 1 gives the sample's estimate."""
    axes = every_axis(either(axis, dim), input.ndim)
    apart = pointwise.square(pointwise.sub(input, mean(input, axes, keepdims=True)))
    total = _folded(sum_op, apart, axes, keepdims or keepdim)
    return _over(total, _count(input, axes) - correction)


def std(
    input: Any,
    axis: Axis = None,
    keepdims: bool = False,
    correction: float = 0.0,
    *,
    dim: Axis = None,
    keepdim: bool = False,
) -> Any:
    """The square root of `var`."""
    return pointwise.sqrt(var(input, axis, keepdims, correction, dim=dim, keepdim=keepdim))


def max(input: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The largest over `axis`, as `amax`: not PyTorch's pair of the largest and its place."""
    return amax(input, axis, keepdims)


def min(input: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The smallest over `axis`, as `amin`: not PyTorch's pair of the smallest and its place."""
    return amin(input, axis, keepdims)


def amax(
    input: Any,
    axis: Axis = None,
    keepdims: bool = False,
    *,
    dim: Axis = None,
    keepdim: bool = False,
) -> Any:
    """The largest over `axis`; equal largest ones share the gradient."""
    return _folded(max_op, input, either(axis, dim), keepdims or keepdim)


def amin(
    input: Any,
    axis: Axis = None,
    keepdims: bool = False,
    *,
    dim: Axis = None,
    keepdim: bool = False,
) -> Any:
    """The smallest over `axis`; equal smallest ones share the gradient."""
    return _folded(min_op, input, either(axis, dim), keepdims or keepdim)


def argmax(
    input: Any,
    axis: int | None = None,
    keepdims: bool = False,
    *,
    dim: int | None = None,
    keepdim: bool = False,
) -> Any:
    """The position of the largest, of equals the first, along `axis` or in the flattened tensor."""
    chosen = either(axis, dim)
    flat = reshape(input, shape=(input.size,)) if chosen is None else input
    at = one_axis(0 if chosen is None else chosen, flat.ndim)
    out = argmax_op(flat, axis=at)
    if not (keepdims or keepdim):
        return out
    return reshape(out, shape=kept(input.shape, every_axis(chosen, input.ndim)))


def argmin(
    input: Any,
    axis: int | None = None,
    keepdims: bool = False,
    *,
    dim: int | None = None,
    keepdim: bool = False,
) -> Any:
    """The position of the smallest, of equals the first; arguments as `argmax`."""
    return argmax(pointwise.neg(input), axis, keepdims, dim=dim, keepdim=keepdim)


def all(
    input: Any,
    axis: Axis = None,
    keepdims: bool = False,
    *,
    dim: Axis = None,
    keepdim: bool = False,
) -> Any:
    """Whether everything over `axis` is true, which of numbers is not 0; of nothing true.

    >>> import chainrule as cr
    >>> all(cr.tensor([[1, 2], [3, 0]]), axis=1)
    tensor([ True, False])
    """
    zeros = _folded(sum_op, pointwise.equal(input, 0), either(axis, dim), keepdims or keepdim)
    return pointwise.equal(zeros, 0)


def any(
    input: Any,
    axis: Axis = None,
    keepdims: bool = False,
    *,
    dim: Axis = None,
    keepdim: bool = False,
) -> Any:
    """Whether something over `axis` is true, which of numbers is not 0; of nothing false."""
    others = _folded(sum_op, pointwise.not_equal(input, 0), either(axis, dim), keepdims or keepdim)
    return pointwise.greater(others, 0)


def norm(
    input: Any,
    p: float = 2.0,
    axis: Axis = None,
    keepdims: bool = False,
    *,
    dim: Axis = None,
    keepdim: bool = False,
) -> Any:
    """The p-norm over `axis`: sum(|x|^p)^(1/p); `p` above 0, or inf for the largest |x|.

    Of zeros the slope is 0. Raises SettingError for p of 0 or less.

    >>> import chainrule as cr
    >>> norm(cr.tensor([3.0, 4.0])).item()
    5.0
    """
    if not p > 0:
        raise SettingError("a norm's p is above 0", expected="such as 2 or inf", got=p)
    x, over, keep = pointwise.absolute(input), either(axis, dim), keepdims or keepdim
    if p == 1.0:
        return _folded(sum_op, x, over, keep)
    if p == math.inf:
        return _folded(max_op, x, over, keep)
    powers = pointwise.square(x) if p == 2.0 else pointwise.power(x, p)
    total = _folded(sum_op, powers, over, keep)
    nothing = pointwise.equal(total, 0)  # there the root has no slope: leave it out of the chain
    safe = pointwise.where(nothing, 1.0, total)
    root = pointwise.sqrt(safe) if p == 2.0 else pointwise.power(safe, 1.0 / p)
    return pointwise.where(nothing, 0.0, root)


def _folded(op: Any, input: Any, axis: Axis, keepdims: bool) -> Any:
    """What a reduction gives over `axis`, which stays with size 1 if asked for."""
    axes = every_axis(axis, input.ndim)
    out = op(input, axes=axes)
    return reshape(out, shape=kept(input.shape, axes)) if keepdims else out


def _count(x: Any, axes: tuple[int, ...]) -> int:
    """How many elements go into one of the results."""
    return math.prod([x.shape[axis] for axis in axes])


def _over(total: Any, count: float) -> Any:
    """A total divided by a count; nan where there is nothing to count."""
    return pointwise.div(total, count) if count > 0 else pointwise.mul(total, math.nan)

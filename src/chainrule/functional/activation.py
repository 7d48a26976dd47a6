"""Activations: a bend after each layer, and scores turned into probabilities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from chainrule.errors import SettingError
from chainrule.functional.common import kept, which_axis
from chainrule.ops import pointwise as p
from chainrule.ops.layout import reshape
from chainrule.ops.reduce import max as max_op
from chainrule.ops.reduce import sum as sum_op
from chainrule.tensors import Tensor, as_tensor

# -- element by element


def relu(input: Tensor) -> Tensor:
    """max(x, 0); the slope at 0 is 0.

    >>> import chainrule as cr
    >>> relu(cr.tensor([-1.0, 0.0, 2.0]))
    tensor([0., 0., 2.])
    """
    out: Tensor = p.relu(input)
    return out


def leaky_relu(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """x where x > 0, else negative_slope · x; the slope at 0 is negative_slope.

    Source: A. Maas, A. Hannun and A. Ng, "Rectifier nonlinearities improve neural network
    acoustic models", ICML 2013.

    >>> import chainrule as cr
    >>> leaky_relu(cr.tensor([-1.0, 2.0]))
    tensor([-0.01,  2.  ])
    """
    out: Tensor = p.where(p.greater(input, 0.0), input, p.mul(input, negative_slope))
    return out


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + exp(-x)), between 0 and 1.

    >>> import chainrule as cr
    >>> sigmoid(cr.tensor(0.0)).item()
    0.5
    """
    out: Tensor = p.sigmoid(input)
    return out


def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent, between -1 and 1.

    >>> import chainrule as cr
    >>> tanh(cr.tensor(0.0)).item()
    0.0
    """
    out: Tensor = p.tanh(input)
    return out


def silu(input: Tensor) -> Tensor:
    """x · sigmoid(x), also called swish.

    Source: S. Elfwing, E. Uchibe and K. Doya, "Sigmoid-weighted linear units", 2017.

    >>> import chainrule as cr
    >>> silu(cr.tensor([0.0, 10.0]))
    tensor([0.    , 9.9995])
    """
    out: Tensor = p.mul(input, p.sigmoid(input))
    return out


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x · Φ(x), Φ the normal distribution: x (1 + erf(x / √2)) / 2.

    With `approximate` "tanh": x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2. Raises SettingError for
    any other word. Source: D. Hendrycks and K. Gimpel, "Gaussian error linear units", 2016.

    >>> import chainrule as cr
    >>> gelu(cr.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.1587,  0.    ,  0.8413])
    """
    if approximate == "none":
        bend = p.erf(p.mul(input, math.sqrt(0.5)))
    elif approximate == "tanh":
        cube = p.mul(p.mul(input, input), input)
        bend = p.tanh(p.mul(p.add(input, p.mul(cube, 0.044715)), math.sqrt(2.0 / math.pi)))
    else:
        raise SettingError("gelu has two forms", expected="'none' or 'tanh'", got=repr(approximate))
    out: Tensor = p.mul(p.mul(input, 0.5), p.add(bend, 1.0))
    return out


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(beta · x)) / beta, a smooth relu; x itself where beta · x > threshold.

    >>> import chainrule as cr
    >>> softplus(cr.tensor([-1.0, 0.0, 30.0]))
    tensor([ 0.3133,  0.6931, 30.    ])
    """
    scaled = p.mul(input, beta)
    smooth = p.mul(p.logaddexp(scaled, 0.0), 1.0 / beta)
    out: Tensor = p.where(p.greater(scaled, threshold), input, smooth)
    return out


# -- along an axis


def softmax(input: Tensor, axis: int | None = None, *, dim: int | None = None) -> Tensor:
    """exp(x) / sum of exp(x) along `axis` (PyTorch's `dim`): positive numbers that sum to 1.

    input: any shape with that axis, which is not empty. Raises SettingError when no axis is named
    and ShapeError when there is no such axis.

    >>> import chainrule as cr
    >>> softmax(cr.tensor([0.0, 0.0, 1000.0]), axis=-1)
    tensor([0., 0., 1.])
    """
    at = (which_axis("softmax", input, axis, dim),)
    powers = p.exp(p.sub(input, largest(input, at)))
    out: Tensor = p.div(powers, reshape(sum_op(powers, axes=at), shape=kept(input.shape, at)))
    return out


def log_softmax(input: Tensor, axis: int | None = None, *, dim: int | None = None) -> Tensor:
    """x - log(sum of exp(x)) along `axis` (PyTorch's `dim`): the logarithm of softmax, exactly.

    Shapes and errors as in `softmax`.

    >>> import chainrule as cr
    >>> log_softmax(cr.tensor([0.0, 0.0]), axis=-1)
    tensor([-0.6931, -0.6931])
    """
    at = (which_axis("log_softmax", input, axis, dim),)
    apart = p.sub(input, largest(input, at))
    total = p.log(sum_op(p.exp(apart), axes=at))
    out: Tensor = p.sub(apart, reshape(total, shape=kept(input.shape, at)))
    return out


def logsumexp(
    input: Tensor,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
    *,
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
) -> Tensor:
    """log(sum of exp(x)) over `axis` (PyTorch's `dim`; an int or several), without overflow.

    The largest x is taken out first; it is a constant for the gradient, which does not depend on
    it. Where all are -inf the result is -inf. Raises ShapeError when there is no such axis.

    >>> import chainrule as cr
    >>> logsumexp(cr.tensor([1000.0, 1000.0]), axis=0).item()
    1000.6931
    """
    chosen = axis if dim is None else dim
    named = [chosen] if chosen is None or isinstance(chosen, int) else list(chosen)
    at = tuple([which_axis("logsumexp", input, one, None) for one in named])
    top = largest(input, at)
    top = p.where(p.isfinite(top), top, 0.0)  # inf - inf would be nan
    out = p.log(sum_op(p.exp(p.sub(input, top)), axes=at))
    left = tuple([n for i, n in enumerate(input.shape) if i not in at])
    out = p.add(out, reshape(top, shape=left))
    if keepdims or keepdim:
        out = reshape(out, shape=kept(input.shape, at))
    return as_tensor(out)


def largest(input: Tensor, axes: tuple[int, ...]) -> Any:
    """The largest over `axes`, which stay with size 1: a raw, and so without history."""
    return reshape(max_op(input.array, axes=axes), shape=kept(input.shape, axes))

"""Activations: a bend after each layer, element by element.

`inplace` is taken for PyTorch's sake: tensors are immutable.
"""

from __future__ import annotations

import math

from chainrule.errors import SettingError
from chainrule.ops import pointwise as p
from chainrule.tensors import Tensor


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0); the slope at 0 is 0.

    >>> import chainrule as cr
    >>> relu(cr.tensor([-1.0, 0.0, 2.0]))
    tensor([0., 0., 2.])
    """
    out: Tensor = p.relu(input)
    return out


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
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


def silu(input: Tensor, inplace: bool = False) -> Tensor:
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

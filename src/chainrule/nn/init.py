"""Initial weights: each function fills a parameter from the default generator, and gives it.

Recipes and defaults are PyTorch's; the random numbers are chainrule's own.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import DTypeLike

from chainrule.errors import SettingError, ShapeError
from chainrule.generator import default_generator
from chainrule.ops.pointwise import add, mul
from chainrule.spec import F32, Spec
from chainrule.tensors import Cell, Parameter

_GAINS = {"linear": 1.0, "conv1d": 1.0, "conv2d": 1.0, "conv3d": 1.0, "sigmoid": 1.0,
          "tanh": 5.0 / 3.0, "relu": math.sqrt(2.0), "selu": 0.75}  # fmt: skip


def empty_parameter(*shape: int, dtype: DTypeLike | None = None) -> Parameter:
    """A parameter of this shape for an initialiser to fill; float32 if `dtype` is None."""
    wanted = F32 if dtype is None else np.dtype(dtype)
    if wanted.kind != "f":
        raise SettingError(
            "a layer's parameters are floating-point",
            expected="float32 or float64",
            got=wanted.name,
        )
    return Parameter(np.zeros(shape, wanted))


def uniform_(tensor: Cell, a: float = 0.0, b: float = 1.0) -> Cell:
    """Numbers from `a` up to `b`, all equally likely.

    >>> import chainrule as cr
    >>> w = uniform_(cr.Parameter([0.0, 0.0]), 5.0, 6.0).numpy()
    >>> bool((w >= 5).all() and (w < 6).all())
    True
    """
    drawn = default_generator.uniform(tensor.shape, tensor.dtype)
    tensor.assign(add(mul(drawn, b - a), a))
    return tensor


def normal_(tensor: Cell, mean: float = 0.0, std: float = 1.0) -> Cell:
    """Normally distributed numbers of this mean and standard deviation."""
    drawn = default_generator.normal(tensor.shape, tensor.dtype)
    tensor.assign(add(mul(drawn, std), mean))
    return tensor


def constant_(tensor: Cell, val: float) -> Cell:
    """`val` everywhere."""
    return tensor.fill_(val)


def zeros_(tensor: Cell) -> Cell:
    """0 everywhere."""
    return tensor.fill_(0.0)


def ones_(tensor: Cell) -> Cell:
    """1 everywhere."""
    return tensor.fill_(1.0)


def xavier_uniform_(tensor: Cell, gain: float = 1.0) -> Cell:
    """Uniform in ±gain · √(6 / (fan_in + fan_out)): keeps the variance both ways through a layer.

    Source: X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward
    neural networks", AISTATS 2010. Raises ShapeError for fewer than two axes.
    """
    bound = gain * math.sqrt(6.0 / sum(fan_in_and_fan_out(tensor)))
    return uniform_(tensor, -bound, bound)


def xavier_normal_(tensor: Cell, gain: float = 1.0) -> Cell:
    """Normal with deviation gain · √(2 / (fan_in + fan_out)); otherwise as `xavier_uniform_`."""
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / sum(fan_in_and_fan_out(tensor))))


def kaiming_uniform_(
    tensor: Cell, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu"
) -> Cell:
    """Uniform in ±gain · √(3 / fan): keeps the variance through a layer and its activation.

    `a`: the slope of leaky_relu below 0; `mode`: "fan_in" keeps it forward, "fan_out" backward.
    Source: K. He et al., "Delving deep into rectifiers", ICCV 2015. Raises SettingError for an
    unknown mode or nonlinearity and ShapeError for fewer than two axes.
    """
    bound = math.sqrt(3.0) * _kaiming_deviation(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound)


def kaiming_normal_(
    tensor: Cell, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu"
) -> Cell:
    """Normal with deviation gain / √fan; otherwise as `kaiming_uniform_`."""
    return normal_(tensor, 0.0, _kaiming_deviation(tensor, a, mode, nonlinearity))


def _kaiming_deviation(tensor: Cell, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise SettingError("no such mode", expected="'fan_in' or 'fan_out'", got=repr(mode))
    fan = fan_in_and_fan_out(tensor)[mode == "fan_out"]
    gain = calculate_gain(nonlinearity, a)
    return gain / math.sqrt(fan) if fan else 0.0


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """What an activation shrinks the deviation by, to be made up for; `param`: leaky_relu's slope.

    Raises SettingError for an activation it has no number for.

    >>> calculate_gain("tanh")
    1.6667
    """
    if nonlinearity == "leaky_relu":
        return math.sqrt(2.0 / (1.0 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in _GAINS:
        raise SettingError(
            "no gain is known for this nonlinearity",
            expected=", ".join(sorted([*_GAINS, "leaky_relu"])),
            got=repr(nonlinearity),
        )
    return _GAINS[nonlinearity]


def fan_in_and_fan_out(tensor: Cell) -> tuple[int, int]:
    """How many numbers go into one output of a layer, and how many outputs one number goes to.

    tensor: [out, in, *window]. Raises ShapeError for fewer than two axes.

    >>> import chainrule as cr, numpy as np
    >>> fan_in_and_fan_out(cr.Parameter(np.zeros((8, 4, 3, 3))))
    (36, 72)
    """
    if tensor.ndim < 2:
        raise ShapeError(
            "fan in and fan out need a weight",
            expected="[out, in, ...]",
            got=Spec(tensor.shape, tensor.dtype),
            hint="for a bias use uniform_, normal_ or zeros_",
        )
    window = math.prod(tensor.shape[2:])
    return tensor.shape[1] * window, tensor.shape[0] * window

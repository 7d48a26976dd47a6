"""Linear, and what only passes its input on or changes its shape."""

from __future__ import annotations

import math

from numpy.typing import DTypeLike

from chainrule.functional.linear import linear
from chainrule.nn import init
from chainrule.nn.module import Module
from chainrule.tensors import Tensor


class Linear(Module):
    """x Wᵀ + b over the last axis: every output is a weighted sum of all inputs.

    input: [..., in_features], gives [..., out_features]. `weight`: [out_features, in_features],
    `bias`: [out_features] or None, both uniform in ±1/√in_features at first. Raises ShapeError
    when the last axis is not in_features.

    >>> import chainrule as cr
    >>> layer = Linear(3, 2)
    >>> layer(cr.tensor([[1.0, 2.0, 3.0]])).shape
    (1, 2)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        self.in_features, self.out_features = in_features, out_features
        self.weight = init.empty_parameter(out_features, in_features, dtype=dtype)
        self.bias = init.empty_parameter(out_features, dtype=dtype) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the initial weights anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5.0))
        if self.bias is not None:
            bound = 1.0 / math.sqrt(self.in_features) if self.in_features else 0.0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        return linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Identity(Module):
    """The input as it is; takes the place of a layer that is left out, whatever its arguments.

    >>> import chainrule as cr
    >>> Identity(54, unused=True)(cr.tensor([1.0]))
    tensor([1.])
    """

    def __init__(self, *args: object, **kwargs: object) -> None:
        pass

    def forward(self, input: Tensor) -> Tensor:
        return input


class Flatten(Module):
    """The axes from `start_dim` to `end_dim` as one: images become rows.

    >>> import chainrule as cr, numpy as np
    >>> Flatten()(cr.tensor(np.zeros((5, 8, 8)))).shape
    (5, 64)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"

"""Positions: what tells a layer that sees all of a sequence at once where everything stands."""

from __future__ import annotations

from numpy.typing import DTypeLike

from chainrule.errors import SettingError, ShapeError
from chainrule.functional.positions import rotary_positions, sinusoidal_positions
from chainrule.nn import init
from chainrule.nn.module import Module
from chainrule.spec import Spec
from chainrule.tensors import Tensor


class LearnedPositions(Module):
    """x + weight, a learned vector for every place.

    input: [..., time, width], time at most `length`; gives the same shape. `weight`: [length,
    width], normal with deviation 0.02 at first. Raises ShapeError for a longer sequence or another
    width. Source: A. Radford et al., "Language models are unsupervised multitask learners", 2019.

    >>> import chainrule as cr
    >>> LearnedPositions(16, 8)(cr.zeros(3, 5, 8)).shape
    (3, 5, 8)
    """

    def __init__(self, length: int, width: int, *, dtype: DTypeLike | None = None) -> None:
        self.length, self.width = length, width
        self.weight = init.empty_parameter(length, width, dtype=dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the vectors anew."""
        init.normal_(self.weight, std=0.02)

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim < 2 or input.shape[-2] > self.length or input.shape[-1] != self.width:
            raise ShapeError(
                "the sequence is longer than there are positions, or of another width",
                expected=f"[..., time, {self.width}], time up to {self.length}",
                got=Spec(input.shape, input.dtype),
                hint="more positions, or a shorter part of the sequence",
            )
        return input + self.weight[: input.shape[-2]]  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        return f"{self.length}, {self.width}"


class SinusoidalPositions(Module):
    """x + sines and cosines of the place, from wave lengths of 2π up to 2π · base: nothing learned.

    input: [..., time, width] of any time, with `before` places before it; gives the same shape: see
    `functional.sinusoidal_positions`. Raises SettingError for an odd width and ShapeError for
    another one. Source: A. Vaswani et al., "Attention is all you need", 2017.

    >>> import chainrule as cr
    >>> SinusoidalPositions(2)(cr.zeros(2, 2))
    tensor([[0.    , 1.    ],
            [0.8415, 0.5403]])
    """

    def __init__(self, width: int, base: float = 10000.0) -> None:
        _check_even(width)
        self.width, self.base = width, base

    def forward(self, input: Tensor, before: int = 0) -> Tensor:
        _check_width(input, self.width)
        length = before + input.shape[-2]
        table = sinusoidal_positions(length, self.width, self.base, input.dtype)
        return input + table[before:]  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        return f"{self.width}, base={self.base}"


class RotaryPositions(Module):
    """Queries or keys with every pair of numbers turned by an angle that grows with the place.

    input: [..., time, width], such as [batch, heads, time, width of a head]; gives the same shape:
    see `functional.rotary_positions`, `positions` too. Raises SettingError for an odd width and
    ShapeError for another one. Source: J. Su et al., "RoFormer", 2021.

    >>> import chainrule as cr
    >>> RotaryPositions(2)(cr.tensor([[1.0, 0.0], [1.0, 0.0]]))
    tensor([[1.    , 0.    ],
            [0.5403, 0.8415]])
    """

    def __init__(self, width: int, base: float = 10000.0) -> None:
        _check_even(width)
        self.width, self.base = width, base

    def forward(self, input: Tensor, positions: Tensor | None = None) -> Tensor:
        _check_width(input, self.width)
        return rotary_positions(input, positions, self.base)

    def extra_repr(self) -> str:
        return f"{self.width}, base={self.base}"


def _check_even(width: int) -> None:
    if width < 2 or width % 2:
        raise SettingError("positions come in pairs", expected="an even width", got=width)


def _check_width(input: Tensor, width: int) -> None:
    if input.ndim < 2 or input.shape[-1] != width:
        raise ShapeError(
            "positions of another width",
            expected=f"[..., time, {width}]",
            got=Spec(input.shape, input.dtype),
            hint="the width of the positions is that of what goes in",
        )

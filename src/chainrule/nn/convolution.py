"""Convolutions, and the transposed ones that enlarge, over one and two spatial axes."""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import DTypeLike

from chainrule.errors import SettingError
from chainrule.functional.common import Shape
from chainrule.functional.convolution import (
    Sizes,
    conv1d,
    conv2d,
    conv_transpose1d,
    conv_transpose2d,
    each,
)
from chainrule.nn import init
from chainrule.nn.module import Module
from chainrule.tensors import Tensor


class _Convolution(Module):
    """What all of them hold: a weight [*channels, *window], uniform in ±1/√fan_in, and a bias."""

    axes = 0
    kernel_size: Shape
    stride: Shape
    output_padding: Shape = ()

    def _set_up(
        self,
        channels: tuple[int, int],
        numbers: dict[str, Any],
        groups: int,
        bias: bool,
        padding_mode: str,
        dtype: DTypeLike | None,
        transposed: bool = False,
    ) -> None:
        self.in_channels, self.out_channels = channels
        for name, number in numbers.items():
            setattr(self, name, number if isinstance(number, str) else each(number, self.axes))
        self.groups, self.padding_mode = groups, padding_mode
        _check(*channels, groups, padding_mode)
        first, second = channels if transposed else channels[::-1]
        shape = (first, second // groups, *self.kernel_size)
        self.weight = init.empty_parameter(*shape, dtype=dtype)
        self.bias = init.empty_parameter(self.out_channels, dtype=dtype) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the initial weights anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5.0))
        if self.bias is not None:
            fan_in, _ = init.fan_in_and_fan_out(self.weight)
            bound = 1.0 / math.sqrt(fan_in) if fan_in else 0.0
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        words = [f"{self.in_channels}, {self.out_channels}", f"kernel_size={self.kernel_size}"]
        words.append(f"stride={self.stride}")
        for name, usual in (("padding", 0), ("dilation", 1), ("output_padding", 0)):
            number = getattr(self, name)
            if any(n != usual for n in number):
                words.append(f"{name}={number}")
        words += [f"groups={self.groups}"] if self.groups != 1 else []
        return ", ".join([*words, *(["bias=False"] if self.bias is None else [])])


def _check(in_channels: int, out_channels: int, groups: int, padding_mode: str) -> None:
    if groups < 1 or in_channels % groups or out_channels % groups:
        raise SettingError(
            "the channels of a convolution are divided into its groups",
            expected=f"in_channels and out_channels divisible by groups, {groups}",
            got=f"{in_channels} and {out_channels}",
        )
    if padding_mode != "zeros":
        raise SettingError(
            "a convolution is padded with zeros", expected="'zeros'", got=repr(padding_mode)
        )


class _Correlation(_Convolution):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        numbers = {
            "kernel_size": kernel_size,
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
        }
        channels = (in_channels, out_channels)
        self._set_up(channels, numbers, groups, bias, padding_mode, dtype)


class Conv1d(_Correlation):
    """The products of the weight with every window of a sequence, summed: see `functional.conv1d`.

    input: [batch, in_channels, length] or without the batch. `weight`: [out_channels, in_channels /
    groups, kernel_size], `bias`: [out_channels] or None, both uniform in ±1/√fan_in at first.
    `padding`: zeros on both sides, "valid" for none, or "same" to keep the length at stride 1.
    Raises ShapeError when channels or axes do not fit and SettingError for a padding_mode other
    than "zeros".

    >>> import chainrule as cr
    >>> Conv1d(2, 4, 3, padding="same")(cr.zeros(5, 2, 10)).shape
    (5, 4, 10)
    """

    axes = 1

    def forward(self, input: Tensor) -> Tensor:
        return conv1d(input, self.weight, self.bias, *_settings(self))


class Conv2d(_Correlation):
    """The products of the weight with every window of an image, summed: see `functional.conv2d`.

    input: [batch, in_channels, height, width] or without the batch. `weight`: [out_channels,
    in_channels / groups, *kernel_size]; the rest as in `Conv1d`, an int or one per axis.

    >>> import chainrule as cr
    >>> Conv2d(3, 8, 3, stride=2, padding=1)(cr.zeros(5, 3, 28, 28)).shape
    (5, 8, 14, 14)
    """

    axes = 2

    def forward(self, input: Tensor) -> Tensor:
        return conv2d(input, self.weight, self.bias, *_settings(self))


def _settings(layer: Any) -> tuple[Any, ...]:
    return layer.stride, layer.padding, layer.dilation, layer.groups


class _Transposed(_Convolution):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: str = "zeros",
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        numbers = {
            "kernel_size": kernel_size,
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
            "output_padding": output_padding,
        }
        channels = (in_channels, out_channels)
        self._set_up(channels, numbers, groups, bias, padding_mode, dtype, transposed=True)


class ConvTranspose1d(_Transposed):
    """Every element spread by the weight, summed where they overlap.

    input: [batch, in_channels, length] or without the batch; sizes as in
    `functional.conv_transpose1d`. `weight`: [in_channels, out_channels / groups, kernel_size],
    `bias`: [out_channels] or None. Errors as in `Conv1d`.

    >>> import chainrule as cr
    >>> ConvTranspose1d(4, 2, 2, stride=2)(cr.zeros(5, 4, 10)).shape
    (5, 2, 20)
    """

    axes = 1

    def forward(self, input: Tensor) -> Tensor:
        return conv_transpose1d(input, self.weight, self.bias, *_enlarging(self))


class ConvTranspose2d(_Transposed):
    """Every pixel spread by the weight, summed where they overlap: it enlarges images.

    input: [batch, in_channels, height, width] or without the batch; the rest as in
    `ConvTranspose1d`, an int or one per axis.

    >>> import chainrule as cr
    >>> ConvTranspose2d(8, 3, 2, stride=2)(cr.zeros(5, 8, 14, 14)).shape
    (5, 3, 28, 28)
    """

    axes = 2

    def forward(self, input: Tensor) -> Tensor:
        return conv_transpose2d(input, self.weight, self.bias, *_enlarging(self))


def _enlarging(layer: Any) -> tuple[Any, ...]:
    return layer.stride, layer.padding, layer.output_padding, layer.groups, layer.dilation

"""Convolutions over one and two spatial axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chainrule.errors import SettingError, ShapeError
from chainrule.functional.common import Shape, per_channel, spec_text
from chainrule.ops.layout import pad, reshape
from chainrule.ops.pointwise import add
from chainrule.ops.window import convolve
from chainrule.tensors import Tensor

Sizes = int | Sequence[int]


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """The products of the weight with every window of the input, summed (a correlation).

    input: [batch, in_channels, length] or without the batch; weight: [out_channels, in_channels /
    groups, window]; bias: [out_channels]; gives [batch, out_channels, (length + 2 padding -
    dilation (window - 1) - 1) // stride + 1]. `padding`: zeros on both sides, "valid" for none,
    "same" to keep the length at stride 1. Raises ShapeError when channels or axes do not fit.

    >>> import chainrule as cr
    >>> conv1d(cr.tensor([[[1.0, 2.0, 4.0]]]), cr.tensor([[[-1.0, 1.0]]]))
    tensor([[[1., 2.]]])
    """
    return _convolution("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """The products of the weight with every window of the image, summed (a correlation).

    input: [batch, in_channels, height, width] or without the batch; weight: [out_channels,
    in_channels / groups, window height, window width]; the rest as in `conv1d`, an int or one per
    axis. With groups = in_channels it is depthwise.

    >>> import chainrule as cr
    >>> image = cr.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    >>> conv2d(image, cr.tensor([[[[1.0, 1.0], [1.0, 1.0]]]])).item()
    10.0
    """
    return _convolution("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def _convolution(
    name: str,
    axes: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sizes,
    padding: Sizes | str,
    dilation: Sizes,
    groups: int,
) -> Tensor:
    if input.ndim not in (axes + 1, axes + 2) or weight.ndim != axes + 2:
        raise ShapeError(
            f"{name} works over {axes} spatial axes",
            expected=f"input of {axes + 2} axes [batch, channels, *space], or without the batch; "
            f"weight of {axes + 2}",
            got=f"input {spec_text(input)}, weight {spec_text(weight)}",
        )
    x: Any = input
    if input.ndim == axes + 1:
        x = reshape(input, shape=(1, *input.shape))
    steps, spread = each(stride, axes), each(dilation, axes)
    x, around = _padded(x, weight.shape[2:], steps, spread, padding)
    out: Tensor = convolve(x, weight, stride=steps, padding=around, dilation=spread, groups=groups)
    if bias is not None:
        out = add(out, per_channel(bias, out.ndim))
    if input.ndim == axes + 1:
        out = reshape(out, shape=out.shape[1:])
    return out


def each(number: Sizes, axes: int) -> Shape:
    """One number for every axis."""
    numbers = (number,) * axes if isinstance(number, int) else tuple(number)
    if len(numbers) != axes:
        raise SettingError(
            "a setting of windows is one number, or one per axis",
            expected=f"{axes} numbers",
            got=numbers,
        )
    return numbers


def _padded(
    x: Any, window: Shape, stride: Shape, dilation: Shape, padding: Sizes | str
) -> tuple[Any, Shape]:
    """x, and the zeros that the convolution still has to put on both sides of it."""
    if not isinstance(padding, str):
        return x, each(padding, len(window))
    if padding == "valid":
        return x, (0,) * len(window)
    if padding != "same" or any(step != 1 for step in stride):
        raise SettingError(
            "padding is a number, 'valid', or 'same' with stride 1",
            got=f"{padding!r} with stride {stride}",
        )
    spans = [d * (n - 1) for n, d in zip(window, dilation, strict=True)]
    extra = (0, 0, *(span % 2 for span in spans))  # an even window has one more on the far side
    if any(extra):
        none = (0,) * len(extra)
        x = pad(x, low=none, high=extra, interior=none)
    return x, tuple(span // 2 for span in spans)

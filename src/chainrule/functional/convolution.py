"""Convolutions over one and two spatial axes, and the transposed ones that enlarge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chainrule.errors import SettingError, ShapeError
from chainrule.functional.common import Shape, check_spatial, per_channel, spec_text
from chainrule.ops.layout import pad, reshape
from chainrule.ops.pointwise import add
from chainrule.ops.window import convolve, convolve_input_gradient
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


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Tensor:
    """Every element spread by the weight, summed where they overlap: conv1d's gradient, upwards.

    input: [batch, in_channels, length] or without the batch; weight: [in_channels, out_channels /
    groups, window]; bias: [out_channels]; gives [batch, out_channels, (length - 1) stride - 2
    padding + dilation (window - 1) + output_padding + 1]. `padding` is cut off both sides;
    `output_padding`, below the stride, adds to the far side. Raises ShapeError when channels or
    axes do not fit and SettingError for another output_padding. Source: V. Dumoulin and F. Visin,
    "A guide to convolution arithmetic for deep learning", 2016.

    >>> import chainrule as cr
    >>> conv_transpose1d(cr.tensor([[[1.0, 2.0]]]), cr.tensor([[[1.0, 10.0]]]), stride=2)
    tensor([[[ 1., 10.,  2., 20.]]])
    """
    numbers = (stride, padding, output_padding, groups, dilation)
    return _transposed("conv_transpose1d", 1, input, weight, bias, *numbers)


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Tensor:
    """Every pixel spread by the weight, summed where they overlap: conv2d's gradient, upwards.

    input: [batch, in_channels, height, width] or without the batch; weight: [in_channels,
    out_channels / groups, window height, window width]; the rest as in `conv_transpose1d`, an int
    or one per axis.

    >>> import chainrule as cr
    >>> conv_transpose2d(cr.tensor([[[[2.0]]]]), cr.tensor([[[[1.0, 2.0]]]]))
    tensor([[[[2., 4.]]]])
    """
    numbers = (stride, padding, output_padding, groups, dilation)
    return _transposed("conv_transpose2d", 2, input, weight, bias, *numbers)


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
    x = _batched(name, axes, input, weight, weight.shape[1] * groups)
    steps, spread = each(stride, axes), each(dilation, axes)
    x, around = _padded(x, weight.shape[2:], steps, spread, padding)
    out = convolve(x, weight, stride=steps, padding=around, dilation=spread, groups=groups)
    return _finished(out, bias, input)


def _transposed(
    name: str,
    axes: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sizes,
    padding: Sizes,
    output_padding: Sizes,
    groups: int,
    dilation: Sizes,
) -> Tensor:
    x = _batched(name, axes, input, weight, weight.shape[0])
    if x.shape[1] % groups:
        raise ShapeError(
            f"{name}: the channels do not divide into {groups} groups",
            expected=f"a multiple of {groups}",
            got=f"input {spec_text(input)}, weight {spec_text(weight)}",
            hint="in_channels and out_channels are multiples of groups",
        )
    steps, around, spread = (each(number, axes) for number in (stride, padding, dilation))
    more = each(output_padding, axes)
    if any(not 0 <= extra < step for extra, step in zip(more, steps, strict=True)):
        raise SettingError(
            "output_padding is one of the sizes that the stride leaves open",
            expected=f"0 to stride - 1, for stride {steps}",
            got=more,
        )
    space = tuple(
        (n - 1) * step - 2 * p + d * (k - 1) + extra + 1
        for n, step, p, d, k, extra in zip(
            x.shape[2:], steps, around, spread, weight.shape[2:], more, strict=True
        )
    )
    if min(space) < 1:
        raise ShapeError(
            f"{name}: the padding cuts everything off",
            expected="an output of at least 1 along every axis",
            got=f"input {spec_text(input)}, padding {around}: an output of {space}",
            hint="less padding",
        )
    out = convolve_input_gradient(
        x, weight, space=space, stride=steps, padding=around, dilation=spread, groups=groups
    )
    return _finished(out, bias, input)


def _batched(name: str, axes: int, input: Tensor, weight: Tensor, channels: int) -> Any:
    """The input with a batch, of one if it has none; its channels are those of the weight."""
    check_spatial(name, axes, input)
    if weight.ndim != axes + 2:
        raise ShapeError(
            f"{name} works over {axes} spatial axes, so its weight has {axes + 2}",
            expected="channels out and in, then the window",
            got=f"weight {spec_text(weight)}",
            hint="a layer such as nn.Conv2d makes its weight",
        )
    alone = input.ndim == axes + 1
    if input.shape[-axes - 1] != channels:
        raise ShapeError(
            f"{name}: the input has another number of channels",
            expected=f"{channels} channels: [batch, {channels}, *space], or without the batch",
            got=f"input {spec_text(input)}{', which has no batch' * alone}",
            hint="unsqueeze(1) gives a batch of one channel its channel axis"
            if alone and channels == 1
            else "in_channels is the size of the axis before the space",
        )
    return reshape(input, shape=(1, *input.shape)) if alone else input


def _finished(out: Any, bias: Tensor | None, input: Tensor) -> Tensor:
    """With the bias, and with a batch or without, as the input was."""
    if bias is not None:
        out = add(out, per_channel(bias, out.ndim))
    found: Tensor = out if out.ndim == input.ndim else reshape(out, shape=out.shape[1:])
    return found


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

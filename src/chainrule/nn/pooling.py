"""Pooling: the largest or the mean of every window, over one and two spatial axes."""

from __future__ import annotations

from chainrule import functional as F
from chainrule.functional.convolution import Sizes
from chainrule.functional.pooling import Wanted
from chainrule.nn.module import Module
from chainrule.tensors import Tensor


class _MaxPool(Module):
    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        *,
        ceil_mode: bool = False,
    ) -> None:
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation, self.ceil_mode = padding, dilation, ceil_mode

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPool):
    """The largest of every window of a sequence: see `functional.max_pool1d`.

    input: [batch, channels, length] or without the batch. `stride`: kernel_size if None. Raises
    ShapeError when no window fits and SettingError for a padding above half a window.

    >>> import chainrule as cr
    >>> MaxPool1d(2)(cr.tensor([[[1.0, 3.0, 2.0, 0.0]]]))
    tensor([[[3., 2.]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        numbers = (self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)
        return F.max_pool1d(input, *numbers)


class MaxPool2d(_MaxPool):
    """The largest of every window of an image: see `functional.max_pool2d`.

    input: [batch, channels, height, width] or without the batch; the rest as in `MaxPool1d`, an
    int or one per axis.

    >>> import chainrule as cr
    >>> MaxPool2d(2)(cr.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])).item()
    4.0
    """

    def forward(self, input: Tensor) -> Tensor:
        numbers = (self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)
        return F.max_pool2d(input, *numbers)


class AvgPool1d(Module):
    """The mean of every window of a sequence: see `functional.avg_pool1d`.

    input: [batch, channels, length] or without the batch. `stride`: kernel_size if None. Errors as
    in `MaxPool1d`.

    >>> import chainrule as cr
    >>> AvgPool1d(2)(cr.tensor([[[1.0, 3.0, 2.0, 0.0]]]))
    tensor([[[2., 1.]]])
    """

    def __init__(
        self,
        kernel_size: int,
        stride: int | None = None,
        padding: int = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        stride = kernel_size if stride is None else stride
        self.kernel_size, self.stride, self.padding = ((n,) for n in (kernel_size, stride, padding))
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        numbers = (self.kernel_size, self.stride, self.padding)
        return F.avg_pool1d(input, *numbers, self.ceil_mode, self.count_include_pad)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(Module):
    """The mean of every window of an image: see `functional.avg_pool2d`.

    input: [batch, channels, height, width] or without the batch; the rest as in `AvgPool1d`, an
    int or one per axis. `divisor_override`: what to divide the sum by, whatever the count.

    >>> import chainrule as cr
    >>> AvgPool2d(2)(cr.tensor([[[[1.0, 2.0], [3.0, 6.0]]]])).item()
    3.0
    """

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode = padding, ceil_mode
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override

    def forward(self, input: Tensor) -> Tensor:
        numbers = (self.kernel_size, self.stride, self.padding, self.ceil_mode)
        return F.avg_pool2d(input, *numbers, self.count_include_pad, self.divisor_override)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _AdaptiveAvgPool(Module):
    def __init__(self, output_size: Wanted) -> None:
        self.output_size = output_size

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """The means of `output_size` windows that share a sequence out.

    input: [batch, channels, length] or without the batch. Raises ShapeError for other axes.

    >>> import chainrule as cr
    >>> AdaptiveAvgPool1d(2)(cr.tensor([[[1.0, 2.0, 6.0]]]))
    tensor([[[1.5, 4. ]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """The means of as many windows of an image as are asked for: see the function of this name.

    input: [batch, channels, height, width] or without the batch. `output_size`: an int or (rows,
    columns), None for as many as there are. Raises ShapeError for other axes.

    >>> import chainrule as cr
    >>> AdaptiveAvgPool2d((1, None))(cr.zeros(5, 3, 7, 9)).shape
    (5, 3, 1, 9)
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(input, self.output_size)

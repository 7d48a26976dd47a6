"""Pooling over one and two spatial axes: the largest or the mean of every window."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.errors import SettingError
from chainrule.functional.common import Shape, check_spatial
from chainrule.functional.convolution import Sizes, each
from chainrule.ops.contract import contract
from chainrule.ops.layout import reshape
from chainrule.ops.pointwise import div
from chainrule.ops.pool import max_pool, sum_pool
from chainrule.tensors import Tensor, tensor

Wanted = int | tuple[int | None, ...] | None  # an output size: None keeps the input's


def max_pool1d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """The largest of every window; its gradient goes to the first of equal ones.

    input: [batch, channels, length] or without the batch; gives [batch, channels, (length + 2
    padding - dilation (kernel_size - 1) - 1) // stride + 1]. `stride`: kernel_size if None.
    `padding`: places on both sides that never win, at most half a window. `ceil_mode` rounds the
    number of windows up, as long as the last one starts within input or padding. Raises ShapeError
    when no window fits and SettingError for a padding that is too wide.

    >>> import chainrule as cr
    >>> max_pool1d(cr.tensor([[[1.0, 3.0, 2.0, 0.0]]]), 2)
    tensor([[[3., 2.]]])
    """
    return _largest("max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool2d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """The largest of every window of an image; its gradient goes to the first, row by row.

    input: [batch, channels, height, width] or without the batch; the rest as in `max_pool1d`, an
    int or one per axis.

    >>> import chainrule as cr
    >>> max_pool2d(cr.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), 2).item()
    4.0
    """
    return _largest("max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode)


def avg_pool1d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of every window.

    input, stride, padding and ceil_mode as in `max_pool1d`; the padding is zeros.
    `count_include_pad`: whether they count in the mean.

    >>> import chainrule as cr
    >>> avg_pool1d(cr.tensor([[[1.0, 3.0, 2.0, 0.0]]]), 2)
    tensor([[[2., 1.]]])
    """
    settings = (kernel_size, stride, padding, ceil_mode, count_include_pad, None)
    return _mean("avg_pool1d", 1, input, *settings)


def avg_pool2d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of every window of an image.

    input, stride, padding and ceil_mode as in `max_pool2d`; the padding is zeros.
    `count_include_pad`: whether they count in the mean. `divisor_override`: what to divide the sum
    by, whatever the count.

    >>> import chainrule as cr
    >>> avg_pool2d(cr.tensor([[[[1.0, 2.0], [3.0, 6.0]]]]), 2).item()
    3.0
    """
    settings = (kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
    return _mean("avg_pool2d", 2, input, *settings)


def adaptive_avg_pool1d(input: Tensor, output_size: Wanted) -> Tensor:
    """The means of as many windows as are asked for, which share the sequence out.

    input: [batch, channels, length] or without the batch; the rest as in `adaptive_avg_pool2d`.

    >>> import chainrule as cr
    >>> adaptive_avg_pool1d(cr.tensor([[[1.0, 2.0, 6.0]]]), 2)
    tensor([[[1.5, 4. ]]])
    """
    return _shared_out("adaptive_avg_pool1d", 1, input, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: Wanted) -> Tensor:
    """The means of as many windows as are asked for, which share the image out.

    input: [batch, channels, height, width] or without the batch. `output_size`: an int or (rows,
    columns), None for as many as there are. Window i of n over size s: floor(i s / n) up to
    ceil((i + 1) s / n). Raises ShapeError for an input of other axes.

    >>> import chainrule as cr
    >>> adaptive_avg_pool2d(cr.tensor([[[[1.0, 2.0], [3.0, 6.0]]]]), 1).item()
    3.0
    """
    return _shared_out("adaptive_avg_pool2d", 2, input, output_size)


def _shared_out(name: str, axes: int, input: Tensor, output_size: Wanted) -> Tensor:
    check_spatial(name, axes, input)
    wanted = output_size if isinstance(output_size, tuple) else (output_size,) * axes
    space = input.shape[-axes:]
    sizes = each([n if m is None else m for n, m in zip(space, wanted, strict=True)], axes)
    if all(n % m == 0 and n for n, m in zip(space, sizes, strict=True)):
        window = tuple(n // m for n, m in zip(space, sizes, strict=True))
        return _mean(name, axes, input, window, None, 0, False, True, None)
    out, names = input, "bchw"[-input.ndim :] if axes == 2 else "bcw"[-input.ndim :]
    for name, n, m in zip(names[-axes:], space, sizes, strict=True):
        out = contract(
            out, _sharing(n, m, input.dtype), dims=f"{names},o{name}->{names.replace(name, 'o')}"
        )
    return out


def _sharing(size: int, count: int, dtype: Any) -> Tensor:
    """[count, size]: one over its length within each window, 0 outside."""
    at, window = np.arange(size), np.arange(count)[:, None]
    inside = (at >= window * size // count) & (at < -(-(window + 1) * size // count))
    return tensor((inside / inside.sum(axis=1, keepdims=True)).astype(dtype))


def _largest(
    name: str,
    axes: int,
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None,
    padding: Sizes,
    dilation: Sizes,
    ceil_mode: bool,
) -> Tensor:
    x = _batched(name, axes, input)
    settings = _settings(x, kernel_size, stride, padding, dilation, ceil_mode)
    return _as_given(max_pool(x, **settings), input)


def _mean(
    name: str,
    axes: int,
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None,
    padding: Sizes,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor: int | None,
) -> Tensor:
    x = _batched(name, axes, input)
    settings = _settings(x, kernel_size, stride, padding, 1, ceil_mode)
    del settings["dilation"]
    out: Tensor = sum_pool(x, **settings)
    if divisor is None:
        counts = _counts(x.shape[2:], out.shape[2:], settings, count_include_pad)
        same = counts.size and (counts == counts.flat[0]).all()
        divided = div(out, float(counts.flat[0]) if same else tensor(counts.astype(x.dtype)))
    else:
        divided = div(out, divisor)
    return _as_given(divided, input)


def _counts(space: Shape, out: Shape, settings: dict[str, Shape], with_padding: bool) -> Any:
    """How many elements each window has, of the input or of the padding too; 1 where none."""
    counts: Any = np.ones(())
    for n, m, k, s, p in zip(
        space, out, settings["window"], settings["stride"], settings["low"], strict=True
    ):
        start = np.arange(m) * s - p
        end = np.minimum(start + k, n + p)
        if not with_padding:
            start, end = np.maximum(start, 0), np.minimum(end, n)
        counts = counts[..., None] * np.maximum(end - start, 0)
    return np.maximum(counts, 1)


def _batched(name: str, axes: int, input: Tensor) -> Tensor:
    check_spatial(name, axes, input)
    x: Tensor = input if input.ndim == axes + 2 else reshape(input, shape=(1, *input.shape))
    return x


def _as_given(out: Any, input: Tensor) -> Tensor:
    """With a batch or without, as the input was."""
    found: Tensor = out if out.ndim == input.ndim else reshape(out, shape=out.shape[1:])
    return found


def _settings(
    x: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None,
    padding: Sizes,
    dilation: Sizes,
    ceil_mode: bool,
) -> dict[str, Shape]:
    """The op's settings: of what is after x only as much as the last window needs."""
    axes = x.ndim - 2
    window, low, spread = each(kernel_size, axes), each(padding, axes), each(dilation, axes)
    steps = window if stride is None else each(stride, axes)
    spans = [d * (k - 1) + 1 for k, d in zip(window, spread, strict=True)]
    if any(not 0 <= p <= span // 2 for p, span in zip(low, spans, strict=True)):
        raise SettingError(
            "pooling pads by half a window at most", expected=f"up to {spans} / 2", got=low
        )
    high = []
    for n, span, s, p in zip(x.shape[2:], spans, steps, low, strict=True):
        count = (math.ceil if ceil_mode else math.floor)((n + 2 * p - span) / s) + 1
        if ceil_mode and (count - 1) * s >= n + p:
            count -= 1
        high.append(max((count - 1) * s + span - n - p, 0))
    names = ("window", "stride", "low", "high", "dilation")
    return dict(zip(names, (window, steps, low, tuple(high), spread), strict=True))

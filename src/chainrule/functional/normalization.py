"""Normalisation to one size: over the features of a row, groups of them, or the rows of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.errors import ShapeError
from chainrule.functional.common import Shape, mean_over, per_channel, spec_text
from chainrule.ops.layout import reshape
from chainrule.ops.pointwise import add, div, mul, sqrt, square, sub
from chainrule.tensors import Cell, Tensor


def layer_norm(
    input: Tensor,
    normalized_shape: int | Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / √(var + eps) · weight + bias, over the last axes, per row.

    input: [..., *normalized_shape]; weight and bias: normalized_shape; var is the biased one.
    Raises ShapeError when the input does not end in normalized_shape. Source: J. Ba, J. Kiros and
    G. Hinton, "Layer normalization", 2016.

    >>> import chainrule as cr
    >>> layer_norm(cr.tensor([[1.0, 3.0]]), 2)
    tensor([[-1.,  1.]])
    """
    axes = _last_axes("layer_norm", input, normalized_shape)
    apart = sub(input, mean_over(input, axes))
    out: Tensor = div(apart, sqrt(add(mean_over(square(apart), axes), eps)))
    if weight is not None:
        out = mul(out, weight)
    return out if bias is None else add(out, bias)


def rms_norm(
    input: Tensor,
    normalized_shape: int | Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """x / √(mean of x² + eps) · weight, over the last axes, per row.

    input: [..., *normalized_shape]; weight: normalized_shape; `eps` None is the distance from 1 to
    the next number of input's dtype. Raises ShapeError when the input does not end in
    normalized_shape. Source: B. Zhang and R. Sennrich, "Root mean square layer normalization",
    NeurIPS 2019.

    >>> import chainrule as cr
    >>> rms_norm(cr.tensor([[3.0, 3.0]]), 2)
    tensor([[1., 1.]])
    """
    axes = _last_axes("rms_norm", input, normalized_shape)
    least = float(np.finfo(input.dtype).eps) if eps is None else eps
    out: Tensor = div(input, sqrt(add(mean_over(square(input), axes), least)))
    return out if weight is None else mul(out, weight)


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / √(var + eps) · weight + bias, per row and group of channels.

    input: [batch, channels, ...], channels divisible by num_groups; weight and bias: [channels];
    var is the biased one. Raises ShapeError when the channels cannot be divided. Source: Y. Wu and
    K. He, "Group normalization", ECCV 2018.

    >>> import chainrule as cr
    >>> group_norm(cr.tensor([[1.0, 3.0, 10.0, 30.0]]), 2)
    tensor([[-1.,  1., -1.,  1.]])
    """
    _check_channels("group_norm", input, weight, bias)
    channels = input.shape[1]
    if channels % num_groups:
        raise ShapeError(
            "group_norm: the channels cannot be divided into the groups",
            expected=f"a multiple of {num_groups} along axis 1",
            got=spec_text(input),
            hint="num_groups divides the size of axis 1 of what goes in",
        )
    parted = (input.shape[0], num_groups, channels // num_groups, *input.shape[2:])
    x = reshape(input, shape=parted)
    axes = tuple(range(2, len(parted)))
    apart = sub(x, mean_over(x, axes))
    out = div(apart, sqrt(add(mean_over(square(apart), axes), eps)))
    return _scaled(reshape(out, shape=input.shape), weight, bias)


def _scaled(out: Any, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    """Times the weight, plus the bias, per channel."""
    if weight is not None:
        out = mul(out, per_channel(weight, out.ndim))
    return out if bias is None else add(out, per_channel(bias, out.ndim))  # type: ignore[no-any-return]


def _last_axes(name: str, input: Tensor, normalized_shape: int | Sequence[int]) -> Shape:
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    first = input.ndim - len(shape)
    if not shape or first < 0 or input.shape[first:] != shape:
        raise ShapeError(
            f"{name}: the input does not end in normalized_shape",
            expected=f"[..., {', '.join(map(str, shape))}]",
            got=spec_text(input),
            hint="normalized_shape is the shape of the last axes of what goes in",
        )
    return tuple(range(first, input.ndim))


def batch_norm(
    input: Tensor,
    running_mean: Cell | None,
    running_var: Cell | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float | Tensor = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / √(var + eps) · weight + bias, per channel.

    input: [batch, channels, ...]; the others: [channels]. In `training`, mean and var are the
    batch's (var biased) and the running ones move towards them: running = (1 - momentum) · running
    + momentum · batch, with the unbiased var. Otherwise they are the running ones, and where there
    are none the batch's. Raises ShapeError when sizes differ or a channel has one value to train
    on. Source: S. Ioffe and C. Szegedy, "Batch normalization", ICML 2015.

    >>> import chainrule as cr
    >>> mean, var = cr.Buffer([0.0]), cr.Buffer([1.0])
    >>> batch_norm(cr.tensor([[1.0], [3.0]]), mean, var, training=True)
    tensor([[-1.],
            [ 1.]])
    >>> mean.tolist(), var.tolist()
    ([0.2], [1.1])
    """
    _check_channels("batch_norm", input, running_mean, running_var, weight, bias)
    if training or running_mean is None or running_var is None:
        axes = (0, *range(2, input.ndim))
        mean = mean_over(input, axes)
        apart = sub(input, mean)
        var = mean_over(square(apart), axes)
        if training:
            _check_count(input)
            if running_mean is not None and running_var is not None:
                _move(running_mean, running_var, mean, var, input, momentum)
    else:
        apart = sub(input, per_channel(running_mean, input.ndim))
        var = per_channel(running_var, input.ndim)
    return _scaled(div(apart, sqrt(add(var, eps))), weight, bias)


def _check_channels(name: str, input: Tensor, *vectors: Tensor | None) -> None:
    """A vector of one channel would be broadcast over all of them without a word."""
    for vector in vectors:
        if input.ndim < 2 or (vector is not None and vector.shape != input.shape[1:2]):
            channels = f"{vector.shape[0]} channels" if vector is not None else "channels"
            raise ShapeError(
                f"{name}: axis 1 of the input is not the channels",
                expected=f"[batch, {channels}, ...]",
                got=spec_text(input),
                hint="the layer's number of channels is the size of axis 1 of what goes in",
            )


def _check_count(input: Tensor) -> None:
    if input.size == input.shape[1]:
        raise ShapeError(
            "batch_norm has one value per channel to train on, which has no variance",
            expected="more than one row",
            got=spec_text(input),
            hint="larger batches, drop_last=True in the DataLoader, or eval()",
        )


def _move(
    running_mean: Cell, running_var: Cell, mean: Tensor, var: Tensor, input: Tensor, momentum: Any
) -> None:
    """Move the running statistics; on raws, for they are not part of the history."""
    count = input.size // input.shape[1] if input.size else 0
    shape: Shape = running_mean.shape
    unbiased = mul(var.array, count / (count - 1) if count else float("nan"))
    share, rest = momentum, 1.0 - momentum  # of two numbers, sub would give float32
    if isinstance(momentum, Tensor):
        share, rest = momentum.array, sub(1.0, momentum.array)
    for cell, batch in ((running_mean, mean.array), (running_var, unbiased)):
        old, new = mul(cell.array, rest), mul(reshape(batch, shape=shape), share)
        cell.assign(Tensor(add(old, new)))

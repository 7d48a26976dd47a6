"""Layers that normalise: over the features of a row, groups of them, or the rows of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from chainrule.errors import SettingError, ShapeError
from chainrule.functional.normalization import batch_norm, group_norm, layer_norm, rms_norm
from chainrule.nn import init
from chainrule.nn.module import Module
from chainrule.ops.pointwise import add, cast, div
from chainrule.spec import F32, I64, Spec
from chainrule.tensors import Buffer, Tensor


class LayerNorm(Module):
    """(x - mean) / √(var + eps) · weight + bias over the last axes, per row.

    input: [..., *normalized_shape]. `weight` (1 at first) and `bias` (0): normalized_shape, absent
    without `elementwise_affine`. Raises ShapeError when the input does not end in
    normalized_shape. Source: J. Ba, J. Kiros and G. Hinton, "Layer normalization", 2016.

    >>> import chainrule as cr
    >>> LayerNorm(2)(cr.tensor([[1.0, 3.0]])).tolist()
    [[-1.0, 1.0]]
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        self.normalized_shape = shape = _sizes(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.weight = init.empty_parameter(*shape, dtype=dtype) if elementwise_affine else None
        with_bias = elementwise_affine and bias
        self.bias = init.empty_parameter(*shape, dtype=dtype) if with_bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Scale by 1 and shift by 0 again."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


def _sizes(shape: int | Sequence[int]) -> tuple[int, ...]:
    return (shape,) if isinstance(shape, int) else tuple(shape)


class RMSNorm(Module):
    """x / √(mean of x² + eps) · weight over the last axes, per row.

    input: [..., *normalized_shape]. `weight` (1 at first): normalized_shape, absent without
    `elementwise_affine`; `eps` None is the distance from 1 to the next number of input's dtype.
    Raises ShapeError when the input does not end in normalized_shape. Source: B. Zhang and
    R. Sennrich, "Root mean square layer normalization", NeurIPS 2019.

    >>> import chainrule as cr
    >>> RMSNorm(2)(cr.tensor([[3.0, 3.0]])).tolist()
    [[1.0, 1.0]]
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        self.normalized_shape = shape = _sizes(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.weight = init.empty_parameter(*shape, dtype=dtype) if elementwise_affine else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Scale by 1 again."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, input: Tensor) -> Tensor:
        return rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


class GroupNorm(Module):
    """(x - mean) / √(var + eps) · weight + bias, per row and group of channels.

    input: [batch, num_channels, ...]. `weight` (1 at first) and `bias` (0): [num_channels], absent
    without `affine`. Raises SettingError when num_groups does not divide num_channels and
    ShapeError for another number of channels. Source: Y. Wu and K. He, "Group normalization",
    ECCV 2018.

    >>> import chainrule as cr
    >>> GroupNorm(2, 4)(cr.tensor([[1.0, 3.0, 10.0, 30.0]])).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        bias: bool = True,
        dtype: DTypeLike | None = None,
    ) -> None:
        if num_groups < 1 or num_channels % num_groups:
            raise SettingError(
                "num_groups divides num_channels",
                expected=f"a divisor of {num_channels}",
                got=num_groups,
            )
        self.num_groups, self.num_channels = num_groups, num_channels
        self.eps, self.affine = eps, affine
        self.weight = init.empty_parameter(num_channels, dtype=dtype) if affine else None
        self.bias = init.empty_parameter(num_channels, dtype=dtype) if affine and bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Scale by 1 and shift by 0 again."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim < 2 or input.shape[1] != self.num_channels:
            raise ShapeError(
                "another number of channels",
                expected=f"[batch, {self.num_channels}, ...]",
                got=Spec(input.shape, input.dtype),
                hint="num_channels is the size of axis 1 of what goes in",
            )
        return group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class _BatchNorm(Module):
    """(x - mean) / √(var + eps) · weight + bias, per feature: what BatchNorm1d and 2d share."""

    layouts: ClassVar[dict[int, str]]  # by the number of axes, what they are

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
        dtype: DTypeLike | None = None,
    ) -> None:
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self.weight = init.empty_parameter(num_features, dtype=dtype) if affine else None
        self.bias = init.empty_parameter(num_features, dtype=dtype) if affine and bias else None
        self.running_mean: Buffer | None = None
        self.running_var: Buffer | None = None
        self.num_batches_tracked: Buffer | None = None
        if track_running_stats:
            zeros = np.zeros(num_features, F32 if dtype is None else dtype)
            self.running_mean, self.running_var = Buffer(zeros), Buffer(zeros)
            self.num_batches_tracked = Buffer(np.zeros((), I64))
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget the batches seen: mean 0, var 1."""
        if self.running_mean is not None and self.running_var is not None:
            self.running_mean.zero_()
            self.running_var.fill_(1.0)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Scale by 1, shift by 0, and forget the batches seen."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in self.layouts or input.shape[1] != self.num_features:
            raise ShapeError(
                f"{type(self).__name__}: another number of features or axes",
                expected=" or ".join(self.layouts.values()).format(self.num_features),
                got=Spec(input.shape, input.dtype),
                hint="num_features is the size of axis 1 of what goes in",
            )
        return batch_norm(
            input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training,
            self._share() if self.training else 0.0,
            self.eps,
        )

    def _share(self) -> float | Tensor:
        """Count this batch; gives its share in the running statistics."""
        if self.num_batches_tracked is None or self.running_mean is None:
            return 0.0
        count = add(self.num_batches_tracked, 1)
        self.num_batches_tracked.assign(count)
        if self.momentum is not None:
            return self.momentum
        return div(1.0, cast(count, dtype=self.running_mean.dtype.name))  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """(x - mean) / √(var + eps) · weight + bias, per feature.

    input: [batch, num_features] or [batch, num_features, length]. In training mode mean and var
    are the batch's, and `running_mean` and `running_var` (buffers; the var unbiased) move towards
    them by the share `momentum`; None makes them the average of all batches. In evaluation mode
    the running ones are used. Raises ShapeError for another number of features, and for a batch of
    one value per feature in training. Source: S. Ioffe and C. Szegedy, "Batch normalization",
    ICML 2015.

    >>> import chainrule as cr
    >>> layer = BatchNorm1d(1)
    >>> layer(cr.tensor([[1.0], [3.0]])).tolist()
    [[-1.0], [1.0]]
    >>> layer.running_mean.tolist()
    [0.2]
    """

    layouts: ClassVar = {2: "[batch, {0}]", 3: "[batch, {0}, length]"}


class BatchNorm2d(_BatchNorm):
    """(x - mean) / √(var + eps) · weight + bias, per channel of images.

    input: [batch, num_features, height, width]; the rest as in `BatchNorm1d`.

    >>> import chainrule as cr
    >>> BatchNorm2d(1)(cr.tensor([[[[1.0, 3.0]]]])).tolist()
    [[[[-1.0, 1.0]]]]
    """

    layouts: ClassVar = {4: "[batch, {0}, height, width]"}

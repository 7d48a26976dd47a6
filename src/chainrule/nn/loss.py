"""Losses as modules; what they write down belongs to the phase "loss"."""

from __future__ import annotations

from typing import Any

from chainrule import functional as F
from chainrule.functional.common import check_reduction
from chainrule.nn.module import Module
from chainrule.tensors import Buffer, Tensor


class _Loss(Module):
    """A module of prediction and target; `reduction` is "mean", "sum" or "none"."""

    phase = "loss"

    def __init__(self, *, reduction: str = "mean") -> None:
        check_reduction(reduction)
        self.reduction = reduction


def _buffer(weight: Any) -> Buffer | None:
    """A loss's weights are part of its state, as in PyTorch."""
    return None if weight is None else Buffer(weight)


class MSELoss(_Loss):
    """(prediction - target)², averaged (or summed): see `functional.mse_loss`.

    >>> import chainrule as cr
    >>> MSELoss()(cr.tensor([1.0, 4.0]), cr.tensor([1.0, 2.0])).item()
    2.0
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """|prediction - target|, averaged (or summed): see `functional.l1_loss`.

    >>> import chainrule as cr
    >>> L1Loss()(cr.tensor([1.0, 4.0]), cr.tensor([1.0, 2.0])).item()
    1.0
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.l1_loss(input, target, reduction=self.reduction)


class HuberLoss(_Loss):
    """Squared up to `delta`, straight beyond it: see `functional.huber_loss`.

    >>> import chainrule as cr
    >>> HuberLoss()(cr.tensor([3.0]), cr.tensor([0.0])).item()
    2.5
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class SmoothL1Loss(_Loss):
    """Squared up to `beta`, of slope 1 beyond it: see `functional.smooth_l1_loss`.

    >>> import chainrule as cr
    >>> SmoothL1Loss(beta=2.0)(cr.tensor([3.0]), cr.tensor([0.0])).item()
    2.0
    """

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class CrossEntropyLoss(_Loss):
    """-log of the softmax at the target class: see `functional.cross_entropy`.

    input: scores [batch, classes, ...]; target: class indices [batch, ...], or one-hot or soft
    targets of input's shape. `weight`: what each class counts, a buffer.

    >>> import chainrule as cr
    >>> CrossEntropyLoss()(cr.tensor([[0.0, 0.0]]), cr.tensor([1])).item()
    0.6931
    """

    def __init__(
        self,
        weight: Any = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction=reduction)
        self.weight = _buffer(weight)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class NLLLoss(_Loss):
    """-x at the target class, of scores that went through LogSoftmax: see `functional.nll_loss`.

    >>> import chainrule as cr
    >>> NLLLoss()(cr.tensor([[-1.0, -2.0]]), cr.tensor([1])).item()
    2.0
    """

    def __init__(
        self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction=reduction)
        self.weight = _buffer(weight)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.nll_loss(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


class BCELoss(_Loss):
    """Yes or no from probabilities: see `functional.binary_cross_entropy`.

    >>> import chainrule as cr
    >>> BCELoss()(cr.tensor([0.5]), cr.tensor([1.0])).item()
    0.6931
    """

    def __init__(self, weight: Any = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.weight = _buffer(weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """Yes or no from scores: see `functional.binary_cross_entropy_with_logits`.

    >>> import chainrule as cr
    >>> BCEWithLogitsLoss()(cr.tensor([0.0]), cr.tensor([1.0])).item()
    0.6931
    """

    def __init__(
        self, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None
    ) -> None:
        super().__init__(reduction=reduction)
        self.weight = _buffer(weight)
        self.pos_weight = _buffer(pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(
            input,
            target,
            self.weight,
            reduction=self.reduction,
            pos_weight=self.pos_weight,
        )

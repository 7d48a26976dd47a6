"""Losses on numbers: how far a prediction is from its target."""

from __future__ import annotations

from chainrule.errors import SettingError
from chainrule.functional.common import reduced, unequal
from chainrule.ops.pointwise import absolute, maximum, minimum, mul, square, sub
from chainrule.tensors import Tensor


def mse_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """(prediction - target)², its mean, or its sum.

    input and target: one shape; `reduction`: "none", "mean" or "sum". Raises ShapeError when the
    shapes differ: broadcasting would compare every row with every other.

    >>> import chainrule as cr
    >>> mse_loss(cr.tensor([1.0, 4.0]), cr.tensor([1.0, 2.0])).item()
    2.0
    """
    return reduced(square(_difference("mse_loss", input, target)), reduction)


def l1_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """|prediction - target|, its mean, or its sum; where they are equal the slope is 0.

    Shapes and errors as in `mse_loss`.

    >>> import chainrule as cr
    >>> l1_loss(cr.tensor([1.0, 4.0]), cr.tensor([1.0, 2.0])).item()
    1.0
    """
    return reduced(absolute(_difference("l1_loss", input, target)), reduction)


def huber_loss(
    input: Tensor, target: Tensor, *, reduction: str = "mean", delta: float = 1.0
) -> Tensor:
    """d² / 2 where |d| < delta, else delta (|d| - delta / 2), for d = prediction - target.

    `delta` is above 0, else SettingError. Shapes and errors as in `mse_loss`. Source: P. Huber,
    "Robust estimation of a location parameter", 1964.

    >>> import chainrule as cr
    >>> huber_loss(cr.tensor([0.5, 3.0]), cr.tensor([0.0, 0.0]), reduction="none")
    tensor([0.125, 2.5  ])
    """
    if not delta > 0:
        raise SettingError("huber_loss needs a positive delta", expected="above 0", got=delta)
    return reduced(_bent("huber_loss", input, target, delta), reduction)


def smooth_l1_loss(
    input: Tensor, target: Tensor, *, reduction: str = "mean", beta: float = 1.0
) -> Tensor:
    """d² / (2 beta) where |d| < beta, else |d| - beta / 2, for d = prediction - target.

    `beta` is at least 0, else SettingError; at 0 it is `l1_loss`. Shapes and errors as in
    `mse_loss`. Source: R. Girshick, "Fast R-CNN", 2015.

    >>> import chainrule as cr
    >>> smooth_l1_loss(cr.tensor([0.5, 3.0]), cr.tensor([0.0, 0.0]), reduction="none")
    tensor([0.125, 2.5  ])
    """
    if not beta >= 0:
        raise SettingError("smooth_l1_loss needs beta of at least 0", expected=">= 0", got=beta)
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    bent = _bent("smooth_l1_loss", input, target, beta)
    return reduced(mul(bent, 1.0 / beta), reduction)


def _bent(name: str, input: Tensor, target: Tensor, limit: float) -> Tensor:
    """d² / 2 where |d| < limit, else limit (|d| - limit / 2).

    As one product c (d - c / 2), with c = d cut to ±limit: of two branches under `where`, the one
    not taken would overflow and turn the gradient into nan.
    """
    apart = _difference(name, input, target)
    cut = maximum(minimum(apart, limit), -limit)
    return mul(cut, sub(apart, mul(cut, 0.5)))  # type: ignore[no-any-return]


def _difference(name: str, input: Tensor, target: Tensor) -> Tensor:
    if input.shape != target.shape:
        raise unequal(name, input, target)
    return sub(input, target)  # type: ignore[no-any-return]

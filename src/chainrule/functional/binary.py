"""Losses on yes or no: targets from 0 to 1, one per output."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.core.value import Symbol
from chainrule.errors import SettingError, ShapeError
from chainrule.functional.common import reduced, spec_text, unequal
from chainrule.ops.pointwise import (
    add,
    greater_equal,
    log,
    log1p,
    logaddexp,
    maximum,
    mul,
    neg,
    sub,
    where,
)
from chainrule.tensors import Tensor

_NO_LESS = float(np.float32(1e-12))  # PyTorch's floor of p (1 - p) under the gradient, to the bit
_TINY = 1e-44  # below exp(-100), and not 0 in float32 either


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, reduction: str = "mean"
) -> Tensor:
    """-weight · (y log(p) + (1 - y) log(1 - p)), its mean, or its sum.

    input p: probabilities, 0 to 1; target y: the same shape; weight: broadcasts to it. As in
    PyTorch no logarithm is below -100, and under the gradient p (1 - p) is no less than 1e-12.
    Raises ShapeError when shapes differ and SettingError for a p out of range.
    `binary_cross_entropy_with_logits` is exact where this is not.

    >>> import chainrule as cr
    >>> binary_cross_entropy(cr.tensor([0.5, 0.0]), cr.tensor([1.0, 1.0]), reduction="none")
    tensor([  0.6931, 100.    ])
    """
    if input.shape != target.shape:
        raise unequal("binary_cross_entropy", input, target)
    _check_probabilities(input.array)
    inside = greater_equal(mul(input.array, sub(1.0, input.array)), _NO_LESS)
    p = where(inside, input, 0.5)
    smooth = add(mul(target, log(p)), mul(sub(1.0, target), log1p(neg(p))))
    loss: Tensor = neg(where(inside, smooth, _at_the_edge(input, target)))
    return reduced(_weighted("binary_cross_entropy", loss, weight), reduction)


def _at_the_edge(input: Tensor, target: Tensor) -> Any:
    """The value with its clamped logarithms, and the slope (y - p) / 1e-12, which is PyTorch's.

    The slope is that of the parabola; its value is taken away again. The target's gradient is that
    of the clamped logarithms, so finite (PyTorch's is not).
    """
    p = input.array
    logs = [maximum(log(maximum(x, _TINY)), -100.0) for x in (p, sub(1.0, p))]
    value = add(mul(target, logs[0]), mul(sub(1.0, target), logs[1]))
    parabola = mul(mul(input, sub(target.array, mul(input, 0.5))), 1.0 / _NO_LESS)
    return add(value, sub(parabola, parabola.array))


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """-weight · (pos_weight · y log(σ(x)) + (1 - y) log(1 - σ(x))), its mean, or its sum.

    input x: scores of any size; target y: the same shape, 0 to 1; weight and pos_weight (what a
    yes counts) broadcast to it. Exact for large |x|, where a sigmoid before
    `binary_cross_entropy` rounds to 0 or 1. Raises ShapeError when shapes differ.

    >>> import chainrule as cr
    >>> x, y = cr.tensor([0.0, 100.0]), cr.tensor([1.0, 0.0])
    >>> binary_cross_entropy_with_logits(x, y, reduction="none")
    tensor([  0.6931, 100.    ])
    """
    name = "binary_cross_entropy_with_logits"
    if input.shape != target.shape:
        raise unequal(name, input, target)
    missed = logaddexp(neg(input), 0.0)  # -log(sigmoid(x))
    if pos_weight is not None:
        share = add(mul(sub(pos_weight, 1.0), target), 1.0)
        missed = _weighted(name, missed, share)
    loss: Tensor = add(mul(sub(1.0, target), input), missed)
    return reduced(_weighted(name, loss, weight), reduction)


def _weighted(name: str, loss: Tensor, weight: Tensor | None) -> Tensor:
    if weight is None:
        return loss
    out: Tensor = mul(loss, weight)
    if out.shape != loss.shape:
        raise ShapeError(
            f"{name}: a weight does not broadcast to the prediction",
            expected=spec_text(loss),
            got=spec_text(weight),
        )
    return out


def _check_probabilities(raw: Any) -> None:
    """While recording there is nothing to see."""
    if isinstance(raw, Symbol) or not raw.size:
        return
    low, high = np.min(raw), np.max(raw)
    if low < 0 or high > 1:
        raise SettingError(
            "binary_cross_entropy takes probabilities",
            expected="0 to 1",
            got=f"{low} to {high}",
            hint="binary_cross_entropy_with_logits takes scores",
        )

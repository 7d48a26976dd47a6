"""Clipping of gradients, between `backward` and the optimizer's step."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from chainrule.core.record import concrete, mark
from chainrule.errors import SettingError, TrainingError
from chainrule.ops.pointwise import absolute, add, div, maximum, minimum, mul, power, sqrt, square
from chainrule.ops.reduce import max as max_op
from chainrule.ops.reduce import sum as sum_op
from chainrule.tensors import Cell, Tensor, as_tensor, tensor

_APART = 1e-6  # PyTorch's: keeps the division by a norm of 0 finite


def clip_grad_norm_(
    parameters: Cell | Iterable[Cell],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale all gradients together by min(1, max_norm / (norm + 1e-6)); gives the norm before.

    The norm is that of all gradients as one vector; `norm_type` above 0, or inf for the largest
    |g|. Parameters without a gradient are left out. Made of ops, so a recorded step contains it.
    With `error_if_nonfinite` a norm that is inf or nan raises TrainingError, which cannot be
    recorded. Raises SettingError for a norm_type of 0 or less. Source: R. Pascanu, T. Mikolov and
    Y. Bengio, "On the difficulty of training recurrent neural networks", ICML 2013.

    >>> import chainrule as cr
    >>> w = cr.Parameter([3.0, 4.0])
    >>> (w * w).sum().backward()
    >>> clip_grad_norm_([w], 1.0).item(), w.grad.tolist()
    (10.0, [0.6, 0.8])
    """
    if not norm_type > 0:
        raise SettingError("the norm's type is above 0", expected="such as 2 or inf", got=norm_type)
    with mark(phase="update"):
        held = _with_gradients(parameters)
        if not held:
            return tensor(0.0)
        total = as_tensor(_norm([g for _, g in held], float(norm_type)))
        if error_if_nonfinite:
            _check_finite(total)
        share = minimum(div(float(max_norm), add(total.array, _APART)), 1.0)
        for parameter, g in held:
            parameter.grad = as_tensor(mul(g, share))
    return total


def clip_grad_value_(parameters: Cell | Iterable[Cell], clip_value: float) -> None:
    """Limit every element of every gradient to ±clip_value.

    >>> import chainrule as cr
    >>> w = cr.Parameter([3.0, 0.1])
    >>> (w * w).sum().backward()
    >>> clip_grad_value_([w], 1.0)
    >>> w.grad.tolist()
    [1.0, 0.2]
    """
    limit = float(clip_value)
    with mark(phase="update"):
        for parameter, g in _with_gradients(parameters):
            parameter.grad = as_tensor(minimum(maximum(g, -limit), limit))


def _with_gradients(parameters: Cell | Iterable[Cell]) -> list[tuple[Cell, Any]]:
    """The parameters that have a gradient, each with it as a raw."""
    cells = [parameters] if isinstance(parameters, Cell) else list(parameters)
    found = [(cell, cell.grad) for cell in cells]
    return [(cell, grad.array) for cell, grad in found if grad is not None]


def _norm(gradients: list[Any], kind: float) -> Any:
    axes = [tuple(range(g.ndim)) for g in gradients]
    if math.isinf(kind):
        parts = [max_op(absolute(g), axes=a) for g, a in zip(gradients, axes, strict=True)]
        return _folded(maximum, parts)
    if kind == 2.0:
        parts = [sum_op(square(g), axes=a) for g, a in zip(gradients, axes, strict=True)]
        return sqrt(_folded(add, parts))
    parts = [sum_op(power(absolute(g), kind), axes=a) for g, a in zip(gradients, axes, strict=True)]
    return power(_folded(add, parts), 1.0 / kind)


def _folded(combine: Any, parts: list[Any]) -> Any:
    total = parts[0]
    for part in parts[1:]:
        total = combine(total, part)
    return total


def _check_finite(total: Tensor) -> None:
    value = float(concrete(total, "error_if_nonfinite"))
    if not math.isfinite(value):
        raise TrainingError(
            "the norm of the gradients is not finite, so they cannot be clipped",
            got=value,
            hint="a smaller learning rate, or look for infinite values in the data",
        )

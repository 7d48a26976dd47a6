"""Gradients of tensors with respect to tensors, and the check that they are right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule.core.record import mark
from chainrule.core.sweep import sweep
from chainrule.errors import GradientError
from chainrule.spec import F64, Spec
from chainrule.tensors import Cell, Tensor, as_tensor, check_root, ones_like_root, tensor


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of the sum of `outputs` with respect to `inputs`, without gathering them.

    Only what leads to `inputs` is computed. With `create_graph` they have a history of their own
    and can be differentiated again. Raises GradientError for an input that the outputs do not
    depend on, unless `allow_unused`, which gives None for it.

    >>> from chainrule.tensors import tensor
    >>> x = tensor(3.0, requires_grad=True)
    >>> (slope,) = grad(x * x * x, x, create_graph=True)
    >>> (curvature,) = grad(slope, x)
    >>> slope.item(), curvature.item()
    (27.0, 18.0)
    """
    outs = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    wrt = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    given: list[Any] = [None] * len(outs) if grad_outputs is None else _list(grad_outputs)
    for out, g in zip(outs, given, strict=True):
        check_root(out, None if g is None else as_tensor(g))
    for number, x in enumerate(wrt):
        if x.origin is None:
            raise GradientError(
                f"input {number} of grad() does not keep a gradient",
                got=_spec(x),
                hint="make it with cr.tensor(data, requires_grad=True)",
            )
    with mark(phase="backward"):
        seeds = [
            Tensor(ones_like_root(o)) if g is None else as_tensor(g)
            for o, g in zip(outs, given, strict=True)
        ]
        roots = [
            (out.origin, seed if create_graph else seed.array)
            for out, seed in zip(outs, seeds, strict=True)
        ]
        found = {id(leaf): g for leaf, g in sweep(roots, {id(x.origin) for x in wrt}, create_graph)}
    gradients = tuple(_gradient_of(x, found.get(id(x.origin))) for x in wrt)
    if not allow_unused and any(g is None for g in gradients):
        number = [g is None for g in gradients].index(True)
        raise GradientError(
            f"the outputs do not depend on input {number} of grad()",
            hint="allow_unused=True gives None for it",
        )
    return gradients


def _gradient_of(x: Tensor, g: Any) -> Tensor | None:
    if g is None:
        return None
    found = as_tensor(g)
    return found if found.dtype == x.dtype else found.to(x.dtype)


def gradient_check(
    fn: Callable[..., Tensor],
    inputs: Sequence[Any],
    *,
    order: int = 1,
    step: float = 1e-5,
    tolerance: float = 1e-6,
    seed: int = 0,
) -> float:
    """Compare the gradient of `fn` with differences of its values along a random direction.

    `fn` takes tensors and gives one tensor; `inputs` are arrays, of which the floating-point ones
    are moved, in float64. Compared is |f(x + step d) - f(x - step d)| / (2 step) with <grad, d>;
    for `order` 2 the same of the gradient. Gives the relative difference; raises GradientError
    when it is above `tolerance`. Stay away from kinks: there a difference says nothing.

    >>> import chainrule as cr
    >>> gradient_check(lambda x: x.exp().sum(), [[0.5, 1.0]]) < 1e-6
    True
    """
    rng = np.random.default_rng(seed)
    arrays = [_wide(x) for x in inputs]
    direction = [rng.standard_normal(a.shape) if a.dtype.kind == "f" else None for a in arrays]

    def along(t: float) -> tuple[float, float]:
        moved = [a if d is None else a + t * d for a, d in zip(arrays, direction, strict=True)]
        value, slopes = _directional(fn, moved, order, np.random.default_rng(seed + 1))
        pairs = zip(slopes, [d for d in direction if d is not None], strict=True)
        return value, float(sum((g.numpy() * d).sum() for g, d in pairs if g is not None))

    expected = (along(step)[0] - along(-step)[0]) / (2 * step)
    got = along(0.0)[1]
    difference = abs(expected - got) / max(1.0, abs(expected))
    if not difference <= tolerance:
        raise GradientError(
            f"the gradient of order {order} does not agree with differences of the values",
            expected=f"{expected:.10g} along a random direction",
            got=f"{got:.10g}, a relative difference of {difference:.2g}",
            hint="a kink nearby, or a wrong gradient rule",
        )
    return difference


def _directional(
    fn: Callable[..., Tensor], arrays: list[Any], order: int, rng: Any
) -> tuple[float, list[Tensor | None]]:
    """A random weighting of fn's values, or of its gradients for order 2, and its gradient."""
    leaves = [Cell(a, f"x{i}", a.dtype.kind == "f") for i, a in enumerate(arrays)]
    wrt = [leaf for leaf in leaves if leaf.requires_grad]
    value = _weighted([fn(*leaves)], rng)
    for _ in range(order - 1):
        slopes = grad(value, wrt, create_graph=True, allow_unused=True)
        value = _weighted([g for g in slopes if g is not None], rng)
        if not value.requires_grad:  # constant gradients; or a rule that hides what it depends on
            return value.item(), [None] * len(wrt)
    return value.item(), list(grad(value, wrt, allow_unused=True))


def _weighted(tensors: list[Tensor], rng: Any) -> Tensor:
    total: Any = 0.0
    for one in tensors:
        total = (one * tensor(rng.standard_normal(one.shape))).sum() + total
    return as_tensor(total)


def _wide(x: Any) -> Any:
    array = np.asarray(x)
    return array.astype(F64) if array.dtype.kind == "f" else array


def _list(values: Any) -> list[Any]:
    return list(values) if isinstance(values, list | tuple) else [values]


def _spec(x: Tensor) -> Spec:
    return Spec(x.shape, x.dtype)

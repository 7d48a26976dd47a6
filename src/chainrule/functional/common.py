"""What the composites share: means over axes, and reducing a loss to one number."""

from __future__ import annotations

from typing import Any

from chainrule.core.value import Value
from chainrule.errors import SettingError, ShapeError, nearest
from chainrule.ops.layout import reshape
from chainrule.ops.pointwise import mul
from chainrule.ops.reduce import sum as sum_op
from chainrule.spec import Spec
from chainrule.tensors import Tensor
from chainrule.tensors.axes import kept

Shape = tuple[int, ...]

REDUCTIONS = ("none", "mean", "sum")


def spec_text(x: Value) -> Spec:
    """The shape and dtype of a tensor, as an error shows them."""
    return Spec(tuple(x.shape), x.dtype)


def check_spatial(name: str, axes: int, input: Value) -> None:
    """Refuse what is not [batch, channels, *space] with so many axes of space, or one image."""
    if input.ndim not in (axes + 1, axes + 2):
        raise ShapeError(
            f"{name} works over {axes} spatial {'axis' if axes == 1 else 'axes'}",
            expected=f"{axes + 2} axes, [batch, channels, *space], or without the batch",
            got=spec_text(input),
            hint="unsqueeze(0) gives it a channel axis"
            if input.ndim == axes
            else "reshape it, or take the layer for as many axes",
        )


def mean_over(x: Any, axes: Shape) -> Any:
    """The mean over axes, which stay with size 1; nan of nothing."""
    count = 1
    for axis in axes:
        count *= x.shape[axis]
    total = sum_op(x, axes=axes)
    return reshape(mul(total, 1.0 / count if count else float("nan")), shape=kept(x.shape, axes))


def per_channel(x: Any, ndim: int) -> Any:
    """A vector laid along axis 1 of an array of `ndim` axes."""
    return reshape(x, shape=(1, x.shape[0], *(1,) * (ndim - 2)))


def reduced(values: Tensor, reduction: str) -> Tensor:
    """The elements of a loss as they are, their mean (nan of nothing), or their sum."""
    if reduction == "none":
        return values
    check_reduction(reduction)
    total: Tensor = sum_op(values, axes=tuple(range(values.ndim)))
    if reduction == "mean":
        size = values.size
        total = mul(total, 1.0 / size if size else float("nan"))
    return total


def check_reduction(reduction: str) -> None:
    """Refuse a reduction that is none of the three."""
    if reduction not in REDUCTIONS:
        close = nearest(str(reduction), REDUCTIONS)
        raise SettingError(
            "no such reduction of a loss",
            expected=", ".join(REDUCTIONS),
            got=repr(reduction),
            hint=f"did you mean {close!r}?" if close else None,
        )


def unequal(name: str, prediction: Value, target: Value) -> ShapeError:
    """The error of a target that would be broadcast against the prediction."""
    return ShapeError(
        f"{name} compares prediction and target element by element",
        expected=f"a target of the prediction's shape, {spec_text(prediction)}",
        got=f"a target {spec_text(target)}",
        hint="unsqueeze, squeeze or reshape one of them; broadcasting would compare every row "
        "with every other",
    )

"""Losses on classes: which of several it is, or how probable each one is."""

from __future__ import annotations

from typing import Any

from chainrule.errors import SettingError, ShapeError
from chainrule.functional.common import check_reduction, reduced, spec_text
from chainrule.functional.linear import check_classes, classes
from chainrule.functions import log_softmax
from chainrule.ops.layout import reshape
from chainrule.ops.pointwise import add, cast, div, equal, logical_and, mul, neg, not_equal, where
from chainrule.ops.reduce import sum as sum_op
from chainrule.tensors import Tensor


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-log of the softmax at the target class; for soft targets -sum of y log(softmax(x)).

    input: scores [batch, classes, ...], or [classes]; target: class indices [batch, ...], or
    one-hot or soft targets of input's shape; weight: [classes], what a class counts. Targets equal
    to `ignore_index` count nothing. `label_smoothing` e (0 to 1) mixes 1 - e of the target with e
    of all classes alike. The mean over indices is weighted, as in PyTorch; of none it is nan.
    Raises ShapeError when shapes do not fit and IndexRangeError for a class out of range (while a
    step is recorded that cannot be seen, and such a row counts 0).

    >>> import chainrule as cr
    >>> x = cr.tensor([[0.0, 0.0], [100.0, 0.0]])
    >>> cross_entropy(x, cr.tensor([0, 1]), reduction="none")
    tensor([  0.6931, 100.    ])
    """
    if not 0.0 <= label_smoothing <= 1.0:
        raise SettingError("label_smoothing is a share", expected="0 to 1", got=label_smoothing)
    axis = _class_axis(input)
    logs = log_softmax(input, axis)
    if target.shape == input.shape:
        return _soft_cross_entropy(logs, target, axis, weight, reduction, label_smoothing)
    hard = _negative_log_likelihood(logs, target, axis, weight, ignore_index, reduction)
    if not label_smoothing:
        return hard
    spread = _spread_loss(logs, target, axis, weight, ignore_index, reduction)
    count = input.shape[axis]
    out: Tensor = add(mul(hard, 1.0 - label_smoothing), mul(spread, label_smoothing / count))
    return out


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """-x at the target class: `cross_entropy` for scores that went through log_softmax before.

    Shapes, arguments and errors as there, with class indices only.

    >>> import chainrule as cr
    >>> nll_loss(cr.tensor([[-1.0, -2.0]]), cr.tensor([1])).item()
    2.0
    """
    axis = _class_axis(input)
    return _negative_log_likelihood(input, target, axis, weight, ignore_index, reduction)


def _class_axis(input: Tensor) -> int:
    if not input.ndim:
        raise ShapeError(
            "a loss on classes needs a score per class",
            expected="[batch, classes, ...] or [classes]",
            got=spec_text(input),
        )
    return 0 if input.ndim == 1 else 1


def _negative_log_likelihood(
    logs: Tensor,
    target: Tensor,
    axis: int,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
) -> Tensor:
    hot = _hot(logs, target, axis, ignore_index)
    share = None if weight is None else _along(weight, logs, axis)
    taken = where(hot, logs if share is None else mul(logs, share), 0.0)
    if reduction != "mean":
        return reduced(neg(sum_op(taken, axes=(axis,))), reduction)
    total = sum_op(taken, axes=tuple(range(logs.ndim)))
    count = _count(logs, target, hot, share, ignore_index)
    return neg(div(total, count))  # type: ignore[no-any-return]


def _hot(logs: Tensor, target: Tensor, axis: int, ignore_index: int) -> Any:
    """True at the class of each row: picking a class is a comparison, so that it can be fused."""
    rows = (*logs.shape[:axis], *logs.shape[axis + 1 :])
    if target.shape != rows or target.dtype.kind not in "iu":
        raise _misfit(logs, target, axis)
    count = logs.shape[axis]
    check_classes(target.array, count, ignore_index)
    index = reshape(target.array, shape=(*rows[:axis], 1, *rows[axis:]))
    hot = equal(index, classes(count, logs.ndim, axis))
    if 0 <= ignore_index < count:
        hot = logical_and(hot, not_equal(index, ignore_index))
    return hot


def _misfit(logs: Tensor, target: Tensor, axis: int) -> ShapeError:
    rows = (*logs.shape[:axis], *logs.shape[axis + 1 :])
    if target.shape == rows:
        what, hint = "class indices are integers", "cast the target with .long()"
    elif len(target.shape) == logs.ndim and target.shape[axis : axis + 1] == (1,):
        what, hint = "class indices have no class axis", f"target.squeeze({axis})"
    else:
        what = "the target does not fit the scores"
        hint = "class indices lack the scores' class axis; soft targets have it"
    return ShapeError(
        f"{what} (axis {axis} of the scores are the classes)",
        expected=f"i64{list(rows)}, or soft targets {spec_text(logs)}",
        got=f"scores {spec_text(logs)} and target {spec_text(target)}",
        hint=hint,
    )


def _along(weight: Tensor, logs: Tensor, axis: int) -> Any:
    """The weights of the classes along the class axis."""
    if weight.shape != (logs.shape[axis],):
        raise ShapeError(
            "a loss on classes takes a weight per class",
            expected=f"[{logs.shape[axis]}]",
            got=spec_text(weight),
        )
    return reshape(weight, shape=tuple([n if i == axis else 1 for i, n in enumerate(logs.shape)]))


def _count(logs: Tensor, target: Tensor, hot: Any, share: Any, ignore_index: int) -> Any:
    """What the mean divides by: the weight of all rows that are not ignored."""
    counted = not_equal(target.array, ignore_index) if share is None else where(hot, share, 0.0)
    return sum_op(counted, axes=tuple(range(len(counted.shape))))


def _spread_loss(
    logs: Tensor,
    target: Tensor,
    axis: int,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
) -> Tensor:
    """The part of label smoothing: minus the sum over all classes, alike."""
    share = None if weight is None else _along(weight, logs, axis)
    rows = neg(sum_op(logs if share is None else mul(logs, share), axes=(axis,)))
    rows = where(not_equal(target.array, ignore_index), rows, 0.0)
    if reduction != "mean":
        return reduced(rows, reduction)
    hot = _hot(logs, target, axis, ignore_index)
    count = _count(logs, target, hot, share, ignore_index)
    return div(sum_op(rows, axes=tuple(range(rows.ndim))), count)  # type: ignore[no-any-return]


def _soft_cross_entropy(
    logs: Tensor,
    target: Tensor,
    axis: int,
    weight: Tensor | None,
    reduction: str,
    label_smoothing: float,
) -> Tensor:
    check_reduction(reduction)
    classes_count = logs.shape[axis]
    if target.dtype.kind != "f":  # one-hot, in integers
        target = cast(target, dtype=logs.dtype.name)
    if label_smoothing:
        target = add(mul(target, 1.0 - label_smoothing), label_smoothing / classes_count)
    each = mul(logs, target)
    if weight is not None:
        each = mul(each, _along(weight, logs, axis))
    if reduction == "none":
        return neg(sum_op(each, axes=(axis,)))  # type: ignore[no-any-return]
    total = neg(sum_op(each, axes=tuple(range(logs.ndim))))
    rows = logs.size // classes_count if classes_count else 0
    if reduction == "mean":
        total = mul(total, 1.0 / rows if rows else float("nan"))
    return total  # type: ignore[no-any-return]

"""Bags of rows: the sum, mean or largest of an embedding's rows, per group of indices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.core.value import Symbol
from chainrule.errors import SettingError, ShapeError, nearest
from chainrule.functional.common import spec_text
from chainrule.functional.linear import classes, embedding
from chainrule.ops import pointwise as p
from chainrule.ops.index import scatter_add
from chainrule.ops.layout import pad, reshape
from chainrule.ops.layout import slice as slice_op
from chainrule.ops.reduce import max as max_op
from chainrule.ops.reduce import sum as sum_op
from chainrule.tensors import Tensor, as_tensor

MODES = ("sum", "mean", "max")


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    *,
    mode: str = "mean",
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """The rows of `weight` at the integers of each bag, summed, averaged, or their largest.

    input: integers [bags, size]; or [count], bag after bag, with `offsets` [bags], where each bag
    starts (`include_last_offset`: one more offset, where the last one ends). weight:
    [num_embeddings, embedding_dim]; gives [bags, embedding_dim], 0 for an empty bag.
    `per_sample_weights`: factors of input's shape, with mode "sum". Indices equal to `padding_idx`
    belong to no bag. With offsets, "max" compares every index with every bag, which takes count x
    bags x embedding_dim numbers. Raises ShapeError when shapes do not fit, SettingError for an
    unknown mode or offsets that do not ascend from 0, and IndexRangeError for an index out of
    range.

    >>> import chainrule as cr
    >>> table = cr.tensor([[1.0], [10.0], [100.0]])
    >>> embedding_bag(cr.tensor([0, 1, 2]), table, cr.tensor([0, 2]), mode="sum")
    tensor([[ 11.],
            [100.]])
    """
    check_mode(mode)
    if per_sample_weights is not None and mode != "sum":
        raise SettingError(
            "per_sample_weights go with the sum", expected="mode='sum'", got=repr(mode)
        )
    bags, count = _bags(input, offsets, include_last_offset)
    rows = as_tensor(embedding(input, weight, padding_idx))
    inside = p.equal(input.array, input.array)
    if padding_idx is not None:
        inside = p.not_equal(input.array, padding_idx % weight.shape[0])
    if mode == "max":
        return _largest(rows, inside, bags, count)
    rows = p.where(_column(inside), _weighted(rows, per_sample_weights, input), 0.0)
    total = _added_up(rows, bags, count)
    if mode == "sum":
        return as_tensor(total)
    sizes = _added_up(p.cast(inside, dtype=rows.dtype.name), bags, count)
    return as_tensor(p.div(total, _column(p.maximum(sizes, 1.0))))


def check_mode(mode: str) -> None:
    """Refuse a mode that is none of the three."""
    if mode not in MODES:
        close = nearest(str(mode), MODES)
        raise SettingError(
            "no such mode of a bag",
            expected=", ".join(MODES),
            got=repr(mode),
            hint=f"did you mean {close!r}?" if close else None,
        )


def _bags(input: Tensor, offsets: Tensor | None, include_last_offset: bool) -> tuple[Any, int]:
    """The number of the bag of each index (None: its row's), and how many bags there are."""
    if (offsets is None) == (input.ndim == 1) or input.ndim not in (1, 2):
        raise ShapeError(
            "embedding_bag takes a matrix of bags, or one row of indices and offsets",
            expected="input [bags, size], or input [count] with offsets [bags]",
            got=f"input {spec_text(input)} {'without' if offsets is None else 'with'} offsets",
            hint="offsets say where in the row each bag starts",
        )
    if offsets is None:
        return None, input.shape[0]
    _check_offsets(offsets, input.shape[0], include_last_offset)
    starts, count = offsets.array, offsets.shape[0] - include_last_offset
    if include_last_offset:
        starts = slice_op(starts, start=(0,), stop=(count,), step=(1,))
    begun = p.less_equal(reshape(starts, shape=(1, count)), classes(input.shape[0], 2, 0))
    return p.sub(sum_op(p.cast(begun, dtype="int64"), axes=(1,)), 1), count


def _weighted(rows: Tensor, weights: Tensor | None, input: Tensor) -> Any:
    if weights is None:
        return rows
    if weights.shape != input.shape:
        raise ShapeError(
            "embedding_bag takes a weight for every index",
            expected=f"per_sample_weights of shape {list(input.shape)}",
            got=spec_text(weights),
            hint="one factor beside each index",
        )
    return p.mul(rows, _column(weights))


def _check_offsets(offsets: Tensor, count: int, include_last_offset: bool) -> None:
    if offsets.ndim != 1 or offsets.dtype.kind not in "iu" or not offsets.size:
        raise ShapeError(
            "offsets say where each bag starts",
            expected="integers [bags]",
            got=spec_text(offsets),
            hint="the first is 0",
        )
    if isinstance(offsets.array, Symbol):  # while recording there is nothing to see
        return
    found = np.asarray(offsets.array)
    last = found[-1] == count if include_last_offset else found[-1] <= count
    if found[0] != 0 or (np.diff(found) < 0).any() or not last:
        raise SettingError(
            "offsets ascend from 0 up to the number of indices",
            expected=f"0 first, then no less than before, at most {count}",
            got=found.tolist() if found.size < 9 else f"{found.size} offsets",
        )


def _added_up(values: Any, bags: Any, count: int) -> Any:
    if bags is None:
        return sum_op(values, axes=(1,))
    return scatter_add(values, bags, length=count)


def _largest(rows: Any, inside: Any, bags: Any, count: int) -> Tensor:
    """Over axis 1 of [bags, candidates, width], of which `inside` says what belongs to a bag."""
    if bags is not None:
        number, size = classes(count, 2, 0), rows.shape[0]
        inside = p.logical_and(
            p.equal(reshape(bags, shape=(1, size)), number), reshape(inside, shape=(1, size))
        )
        rows = reshape(rows, shape=(1, *rows.shape))
    each = p.where(_column(inside), rows, -math.inf)
    filled = p.greater(sum_op(p.cast(inside, dtype="int64"), axes=(1,)), 0)
    return as_tensor(p.where(_column(filled), max_op(_never_empty(each), axes=(1,)), 0.0))


def _never_empty(each: Any) -> Any:
    """With a candidate in any case: of none there is no largest."""
    none = tuple(0 for _ in each.shape)
    return each if each.shape[1] else pad(each, low=(0, 1, 0), high=none, interior=none)


def _column(x: Any) -> Any:
    return reshape(x, shape=(*x.shape, 1))

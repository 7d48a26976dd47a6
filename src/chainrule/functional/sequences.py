"""Sequences of different lengths in one array: what is real, and means over that alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.core.value import Symbol
from chainrule.errors import IndexRangeError, ShapeError
from chainrule.functional.common import spec_text
from chainrule.functional.linear import classes
from chainrule.ops.layout import reshape
from chainrule.ops.pointwise import cast, div, less, where
from chainrule.ops.reduce import broadcast_to
from chainrule.ops.reduce import sum as sum_op
from chainrule.spec import BOOL
from chainrule.tensors import Tensor, as_tensor


def sequence_mask(lengths: Tensor, size: int) -> Tensor:
    """True at the places before each length: bool [batch, size] for lengths [batch].

    Attention layers of PyTorch's make want the opposite, `~sequence_mask(...)`, as their
    key_padding_mask. Raises ShapeError when lengths are not integers [batch], and IndexRangeError
    for one that is not 0 to size (while a step is recorded that cannot be seen).

    >>> import chainrule as cr
    >>> sequence_mask(cr.tensor([1, 3]), 3).tolist()
    [[True, False, False], [True, True, True]]
    """
    if lengths.ndim != 1 or lengths.dtype.kind not in "iu":
        raise ShapeError(
            "a length for each sequence of the batch",
            expected="integers [batch]",
            got=spec_text(lengths),
            hint="cr.tensor([5, 3, 2]) for three sequences",
        )
    _check_range(lengths.array, size)
    return as_tensor(less(classes(size, 2, 1), reshape(lengths, shape=(lengths.shape[0], 1))))


def _check_range(raw: Any, size: int) -> None:
    if isinstance(raw, Symbol):
        return
    found = np.asarray(raw)
    wrong = found[(found < 0) | (found > size)]
    if wrong.size:
        raise IndexRangeError(
            "a length goes beyond its sequence",
            expected=f"0 to {size}",
            got=f"{wrong[0]} ({wrong.size} of {found.size} are out of range)",
            hint="lengths count the real steps, without the padding",
        )


def masked_mean(input: Tensor, mask: Tensor) -> Tensor:
    """The mean of the elements where `mask` is true; nan if it is nowhere.

    input: such as a loss with reduction "none"; mask: bool, broadcasts to input's shape. What lies
    outside counts nothing, inf and nan included, and gets no gradient. Raises ShapeError when the
    mask is not bool or does not fit.

    >>> import chainrule as cr
    >>> loss = cr.tensor([[1.0, 3.0], [8.0, 100.0]])
    >>> masked_mean(loss, sequence_mask(cr.tensor([2, 1]), 2)).item()
    4.0
    """
    if mask.dtype != BOOL or not _fits(mask.shape, input.shape):
        raise ShapeError(
            "a mask says of every element whether it counts",
            expected=f"bool {list(input.shape)}, or what broadcasts to it",
            got=spec_text(mask),
            hint="sequence_mask(lengths, size) makes one",
        )
    inside = broadcast_to(mask.array, shape=input.shape)
    axes = tuple(range(input.ndim))
    total = sum_op(where(inside, input, 0.0), axes=axes)
    return as_tensor(div(total, sum_op(cast(inside, dtype=input.dtype.name), axes=axes)))


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, wanted) == wanted
    except ValueError:
        return False

"""Affine maps, and rows looked up by number."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.core.value import Symbol
from chainrule.errors import IndexRangeError, SettingError, ShapeError
from chainrule.functional.common import spec_text
from chainrule.ops.contract import contract
from chainrule.ops.create import iota
from chainrule.ops.index import take
from chainrule.ops.layout import reshape
from chainrule.ops.pointwise import add, cast, equal, where
from chainrule.tensors import Tensor

_LETTERS = "abcdefghjklmn"  # of the leading axes; i and o are the features


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x Wᵀ + b over the last axis of x.

    input: [..., in_features], any leading axes; weight: [out_features, in_features]; bias:
    [out_features]; gives [..., out_features]. Raises ShapeError when the last axis is not
    in_features.

    >>> import chainrule as cr
    >>> linear(cr.tensor([[1.0, 2.0]]), cr.tensor([[3.0, 4.0]]), cr.tensor([0.5]))
    tensor([[11.5]])
    """
    ndim = input.ndim
    dims = "bi,oi->bo" if ndim == 2 else _dims(ndim)
    try:
        out: Tensor = contract(input, weight, dims=dims)
        return out if bias is None else add(out, bias)
    except ShapeError as wrong:
        _reword(wrong, input, weight)
        raise


def _dims(ndim: int) -> str:
    lead = _LETTERS[: max(ndim - 1, 0)]
    return f"{lead}i,oi->{lead}o"


def _reword(wrong: ShapeError, input: Tensor, weight: Tensor) -> None:
    """Say it in the layer's words; where the error came from while recording stays in the hint."""
    if weight.ndim != 2 or input.shape[-1:] == weight.shape[1:]:
        return  # something else is wrong, and worded already
    features = weight.shape[1]
    where_from = f" ({wrong.hint})" if wrong.hint else ""
    wrong.what = "linear: the last axis of the input is not in_features"
    wrong.expected = f"in_features = {features}: an input of shape [..., {features}]"
    wrong.got = spec_text(input)
    wrong.hint = f"{_remedy(input, features)}{where_from}"


def _remedy(input: Tensor, features: int) -> str:
    if features == 1:
        return "unsqueeze(-1) makes a column of single numbers"
    if input.ndim > 1 and int(np.prod(input.shape[1:])) == features:
        return "Flatten() before this layer"
    if input.ndim == 2 and input.shape[0] == features:
        return "transpose the input: rows are examples, columns are features"
    return "make the layer's in_features the width of what goes into it"


def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """The rows of `weight` at the integers of `input`.

    input: integers of any shape, 0 to num_embeddings - 1; weight: [num_embeddings,
    embedding_dim]; gives [*input.shape, embedding_dim]. The row `padding_idx` (negative: counted
    from the last) gets no gradient. Raises IndexRangeError for an integer out of range and
    ShapeError for indices that are not integers.

    >>> import chainrule as cr
    >>> embedding(cr.tensor([1, 1, 0]), cr.tensor([[0.0, 1.0], [2.0, 3.0]]))
    tensor([[2., 3.],
            [2., 3.],
            [0., 1.]])
    """
    rows: Tensor = take(weight, input)
    if padding_idx is None:
        return rows
    count = weight.shape[0]
    if not -count <= padding_idx < count:
        raise IndexRangeError(
            "padding_idx is not a row of the embedding",
            expected=f"{-count} to {count - 1}",
            got=padding_idx,
        )
    padded = equal(input.array, padding_idx % count)
    rows = where(reshape(padded, shape=(*input.shape, 1)), rows.array, rows)
    return rows


def one_hot(input: Tensor, num_classes: int = -1) -> Tensor:
    """1 at the class and 0 elsewhere, along a new last axis, as int64.

    input: integers of any shape, 0 to num_classes - 1; `num_classes` -1 takes one more than the
    largest, which cannot be done while a step is recorded. Raises IndexRangeError for a class out
    of range.

    >>> import chainrule as cr
    >>> one_hot(cr.tensor([0, 2]), 3)
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    if input.dtype.kind not in "iu":
        raise ShapeError("one_hot needs integers", got=spec_text(input), hint="cast with .long()")
    if num_classes == -1:
        if not input.size:
            raise SettingError("one_hot of nothing", hint="say how many classes: num_classes=")
        num_classes = int(input.numpy().max()) + 1
    check_classes(input.array, num_classes)
    out: Tensor = equal(
        reshape(input, shape=(*input.shape, 1)), classes(num_classes, input.ndim + 1, -1)
    )
    return cast(out, dtype="int64")  # type: ignore[no-any-return]


def classes(count: int, ndim: int, axis: int) -> Any:
    """The numbers of the classes, 0, 1, ..., along one of `ndim` axes; the others are of size 1."""
    shape = [1] * ndim
    shape[axis] = count
    return iota(shape=tuple(shape), axis=axis % ndim, dtype="int64")


def check_classes(raw: Any, count: int, ignored: int | None = None) -> None:
    """Refuse a class number that is not one of `count`. While recording there is nothing to see."""
    if isinstance(raw, Symbol):
        return
    found = np.asarray(raw)
    # One pass in the usual case: read as unsigned, a negative number is huge.
    if not found.size or found.astype("int64", copy=False).view("uint64").max() < count:
        return
    wrong = found[(found < 0) | (found >= count)]
    wrong = wrong[wrong != ignored]
    if wrong.size:
        raise IndexRangeError(
            "a class index is out of range",
            expected=f"0 to {count - 1}, for {count} classes",
            got=f"{wrong[0]} ({wrong.size} of {found.size} are out of range)",
            hint="as many outputs as classes; classes are counted from 0",
        )

"""Attention: every query reads the values whose keys it matches."""

from __future__ import annotations

import math
from typing import Any

from chainrule.errors import SettingError, ShapeError
from chainrule.functional.common import spec_text
from chainrule.functional.dropout import dropout
from chainrule.ops import pointwise as p
from chainrule.ops.create import iota
from chainrule.ops.layout import reshape
from chainrule.ops.reduce import sum as sum_op
from chainrule.spec import BOOL
from chainrule.tensors import Tensor, matmul
from chainrule.tensors.along import largest, softmax
from chainrule.tensors.axes import kept


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
) -> Tensor:
    """softmax(Q Kᵀ · scale + mask) V.

    query: [..., queries, width]; key: [..., keys, width]; value: [..., keys, value width]; gives
    [..., queries, value width]. `attn_mask` broadcasts to [..., queries, keys]: bool, true where a
    query may look, or floats that are added; a query that may look nowhere gives 0. `is_causal`: a
    query sees the keys up to its own position. `scale`: 1/√width if None. Raises ShapeError when
    shapes do not fit and SettingError for `is_causal` together with a mask. Source: A. Vaswani et
    al., "Attention is all you need", 2017.

    >>> import chainrule as cr
    >>> q = cr.tensor([[1.0], [1.0]])
    >>> scaled_dot_product_attention(q, q, cr.tensor([[2.0], [4.0]]), is_causal=True)
    tensor([[2.],
            [3.]])
    """
    weights = attention_weights(query, key, attn_mask, dropout_p, is_causal, scale)
    if value.ndim < 2 or value.shape[-2] != key.shape[-2]:
        raise ShapeError(
            "attention reads a value for every key",
            expected=f"value [..., {key.shape[-2]}, value width]",
            got=spec_text(value),
            hint="key and value come from the same sequence",
        )
    return matmul(weights, value)


def attention_weights(
    query: Tensor,
    key: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
) -> Tensor:
    """How much each query reads of each key: softmax(Q Kᵀ · scale + mask), [..., queries, keys].

    Arguments and errors as in `scaled_dot_product_attention`; of a row all weights add up to 1,
    where dropout does not thin them and the mask leaves some.

    >>> import chainrule as cr
    >>> q = cr.tensor([[1.0], [1.0]])
    >>> attention_weights(q, q, is_causal=True)
    tensor([[1. , 0. ],
            [0.5, 0.5]])
    """
    if is_causal and attn_mask is not None:
        raise SettingError(
            "attention takes is_causal or a mask, not both", hint="put the triangle into the mask"
        )
    if query.ndim < 2 or key.ndim < 2 or query.shape[-1] != key.shape[-1]:
        raise ShapeError(
            "attention compares queries with keys of one width",
            expected="query [..., queries, width] and key [..., keys, width]",
            got=f"{spec_text(query)} and {spec_text(key)}",
            hint="project both to the same width",
        )
    factor = 1.0 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = matmul(p.mul(query, factor), key.transpose(-1, -2))
    if is_causal:
        scores = p.where(_triangle(scores), scores, -math.inf)
    weights = softmax(scores, -1) if attn_mask is None else _masked_weights(scores, attn_mask)
    return dropout(weights, dropout_p)


def _triangle(scores: Tensor) -> Any:
    """Where key's position is at most the query's."""
    size = scores.shape[-2:]
    return p.greater_equal(
        iota(shape=size, axis=0, dtype="int64"), iota(shape=size, axis=1, dtype="int64")
    )


def _masked_weights(scores: Tensor, mask: Tensor) -> Tensor:
    """softmax over the keys; all 0 where the mask leaves a query none, as in PyTorch."""
    scores = p.where(mask, scores, -math.inf) if mask.dtype == BOOL else p.add(scores, mask)
    top = largest(scores, (scores.ndim - 1,))
    powers = p.exp(p.sub(scores, p.where(p.isfinite(top), top, 0.0)))
    total = sum_op(powers, axes=(scores.ndim - 1,))
    total = reshape(
        p.where(p.equal(total, 0.0), 1.0, total), shape=kept(scores.shape, (scores.ndim - 1,))
    )
    weights: Tensor = p.div(powers, total)
    return weights

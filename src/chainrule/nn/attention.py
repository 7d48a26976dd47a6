"""Multi-head attention: several attentions beside each other, each over a part of the width."""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import DTypeLike

from chainrule.errors import SettingError, ShapeError
from chainrule.functional.attention import attention_weights
from chainrule.functional.linear import linear
from chainrule.nn import init
from chainrule.nn.cache import KeyValueCache
from chainrule.nn.linear import Linear
from chainrule.nn.module import Module
from chainrule.ops.create import iota
from chainrule.ops.pointwise import greater, logical_and, logical_not, sub, where
from chainrule.spec import BOOL, Spec
from chainrule.tensors import Parameter, Tensor, as_tensor, matmul


class MultiheadAttention(Module):
    """softmax(Q Kᵀ / √(width of a head) + mask) V per head, projected in and out.

    query: [queries, batch, embed_dim], key and value: [keys, batch, kdim or vdim (embed_dim if
    None)], with `batch_first` the batch comes first, and without a batch all have one axis less.
    Gives (output, weights): output like query; weights [batch, queries, keys] averaged over heads,
    per head [batch, heads, queries, keys] without `average_attn_weights`, None without
    `need_weights`. Masks: bool, true where a query must NOT look (the opposite of
    `functional.scaled_dot_product_attention`, as in PyTorch), or floats that are added:
    `key_padding_mask` [batch, keys], `attn_mask` [queries, keys] or [batch · heads, queries, keys].
    `is_causal` without attn_mask: a query sees the keys up to its own place. A query that may look
    nowhere reads 0. With a `cache` (`chainrule.nn.cache.KeyValueCache`), key and value are what is
    new (perhaps nothing, [0, batch, kdim]): what it holds comes before, and masks are for all keys.
    Raises ShapeError when shapes do not fit and SettingError when num_heads does not divide
    embed_dim. Source: A. Vaswani et al., "Attention is all you need", 2017.

    >>> import chainrule as cr
    >>> x = cr.zeros(2, 5, 8)
    >>> output, weights = MultiheadAttention(8, 2, batch_first=True)(x, x, x)
    >>> output.shape, weights.shape
    ((2, 5, 8), (2, 5, 5))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        *,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        dtype: DTypeLike | None = None,
    ) -> None:
        if min(embed_dim, num_heads) < 1 or embed_dim % num_heads:
            raise SettingError(
                "num_heads divides embed_dim", expected=f"a divisor of {embed_dim}", got=num_heads
            )
        self.embed_dim, self.num_heads = embed_dim, num_heads
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.dropout, self.batch_first = dropout, batch_first
        widths = (embed_dim, self.kdim, self.vdim)
        self.in_proj_weight: Parameter | None = None
        if widths == (embed_dim,) * 3:
            self.in_proj_weight = init.empty_parameter(3 * embed_dim, embed_dim, dtype=dtype)
        else:
            for name, width in zip("qkv", widths, strict=True):
                weight = init.empty_parameter(embed_dim, width, dtype=dtype)
                setattr(self, f"{name}_proj_weight", weight)
        self.in_proj_bias = init.empty_parameter(3 * embed_dim, dtype=dtype) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias=bias, dtype=dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the projections in anew, and make all biases 0."""
        for weight in self._projections():
            init.xavier_uniform_(weight)
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                init.zeros_(bias)

    def _projections(self) -> list[Parameter]:
        if self.in_proj_weight is not None:
            return [self.in_proj_weight]
        return [getattr(self, f"{name}_proj_weight") for name in "qkv"]

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
        *,
        cache: KeyValueCache | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        self._check(query, key, value)
        q, k, v = (self._heads(x) for x in self._projected(query, key, value))
        new = k.shape[2]
        if cache is not None:
            k, v = cache.extended(self, k, v)
        before = k.shape[2] - new
        causal = is_causal and attn_mask is None
        if causal and (before or key_padding_mask is not None):
            attn_mask = later(q.shape[2], k.shape[2], before)
        mask = self._mask(q, k, key_padding_mask, attn_mask)
        p = self.dropout if self.training else 0.0
        weights = attention_weights(q, k, mask, p, causal and mask is None)
        read = matmul(weights, v)
        joined = read.permute(0, 2, 1, 3).reshape(q.shape[0], q.shape[2], self.embed_dim)
        output = self.out_proj(self._as_given(joined, query))
        return output, self._shown(weights, query, average_attn_weights) if need_weights else None

    def _projected(self, *inputs: Tensor) -> list[Tensor]:
        """Queries, keys and values; of self-attention in one product."""
        weights, size = self._projections(), self.embed_dim
        if len(weights) == 1 and inputs[0] is inputs[1] is inputs[2]:
            mixed = linear(inputs[0], weights[0], self.in_proj_bias)
            return [mixed[..., i * size : (i + 1) * size] for i in range(3)]
        parts = [slice(i * size, (i + 1) * size) for i in range(3)]
        matrices = weights if len(weights) == 3 else [weights[0][part] for part in parts]
        bias = self.in_proj_bias
        biases = [None] * 3 if bias is None else [bias[part] for part in parts]
        return [linear(*one) for one in zip(inputs, matrices, biases, strict=True)]

    def _heads(self, x: Tensor) -> Tensor:
        """As [batch, heads, time, width of a head]."""
        if x.ndim == 2:
            x = x.unsqueeze(0)
        elif not self.batch_first:
            x = x.transpose(0, 1)
        batch, time, _ = x.shape
        shape = (batch, time, self.num_heads, self.embed_dim // self.num_heads)
        return x.reshape(shape).permute(0, 2, 1, 3)

    def _as_given(self, x: Tensor, query: Tensor) -> Tensor:
        """[batch, time, ...] in the query's layout."""
        if query.ndim == 2:
            return x.squeeze(0)
        return x if self.batch_first else x.transpose(0, 1)

    def _shown(self, weights: Tensor, query: Tensor, averaged: bool) -> Tensor:
        shown = weights.mean(1) if averaged else weights
        return shown.squeeze(0) if query.ndim == 2 else shown

    def _mask(self, q: Tensor, k: Tensor, padding: Tensor | None, mask: Tensor | None) -> Any:
        """Both masks as one that `attention_weights` takes: true where a query may look."""
        batch, heads, queries = q.shape[:3]
        keys, parts = k.shape[2], []
        if padding is not None:
            shapes = {(batch, keys): (batch, 1, 1, keys), (keys,): (1, 1, 1, keys)}
            parts.append(_fitted("key_padding_mask", padding, shapes))
        if mask is not None:
            shapes = {
                (queries, keys): (1, 1, queries, keys),
                (batch * heads, queries, keys): (batch, heads, queries, keys),
            }
            parts.append(_fitted("attn_mask", mask, shapes))
        if not parts:
            return None
        if all(part.dtype == BOOL for part in parts):
            allowed = [as_tensor(logical_not(part)) for part in parts]
            return allowed[0] if len(parts) == 1 else logical_and(*allowed)
        added = [_added(part, q.dtype.name) for part in parts]
        return added[0] if len(parts) == 1 else added[0] + added[1]

    def _check(self, query: Tensor, key: Tensor, value: Tensor) -> None:
        widths = (self.embed_dim, self.kdim, self.vdim)
        given = {"query": query, "key": key, "value": value}
        for (name, x), width in zip(given.items(), widths, strict=True):
            if x.ndim not in (2, 3) or x.ndim != query.ndim or x.shape[-1] != width:
                raise ShapeError(
                    f"the {name} has other axes or another width",
                    expected=f"[{'batch, time' if self.batch_first else 'time, batch'}, {width}], "
                    f"or [time, {width}] without a batch, for all three alike",
                    got=", ".join(f"{n} {Spec(y.shape, y.dtype)}" for n, y in given.items()),
                    hint="embed_dim (d_model of a transformer), kdim and vdim are these widths",
                )
        batch_axis = 0 if self.batch_first else 1
        batches = {x.shape[batch_axis] for x in (query, key, value) if x.ndim == 3}
        if len(batches) > 1 or key.shape[:-1] != value.shape[:-1]:
            raise ShapeError(
                "keys and values come in pairs, and batches are equal",
                expected="one batch for all, and as many keys as values",
                got=", ".join(str(Spec(x.shape, x.dtype)) for x in (query, key, value)),
                hint="batch_first=True if the batch is the first axis",
            )


def later(queries: int, keys: int, before: int = 0) -> Tensor:
    """True where the key comes after the query: bool [queries, keys]; query 0 is at `before`."""
    size = (queries, keys)
    query, key = (iota(shape=size, axis=axis, dtype="int64") for axis in (0, 1))
    return as_tensor(greater(sub(key, before), query))


def _fitted(name: str, mask: Tensor, shapes: dict[Any, Any]) -> Tensor:
    if mask.shape not in shapes or mask.dtype.kind not in "bf":
        raise ShapeError(
            f"{name} does not fit",
            expected=f"bool or float {' or '.join(str(list(shape)) for shape in shapes)}",
            got=Spec(mask.shape, mask.dtype),
            hint="true (or -inf) where a query must not look",
        )
    return mask.reshape(shapes[mask.shape])


def _added(mask: Tensor, dtype: str) -> Tensor:
    return as_tensor(where(mask, -math.inf, 0.0)).to(dtype) if mask.dtype == BOOL else mask

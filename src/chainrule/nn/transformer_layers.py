"""The layers of transformers: attention, and features by themselves, for encoders and decoders.

Shapes, masks and names are PyTorch's: [time, batch, d_model], or batch first; true in a bool mask
is where one must not look. Source: A. Vaswani et al., "Attention is all you need", 2017.
"""

from __future__ import annotations

from collections.abc import Callable

from numpy.typing import DTypeLike

from chainrule import functional as F
from chainrule.errors import SettingError, nearest
from chainrule.nn.attention import MultiheadAttention
from chainrule.nn.cache import KeyValueCache
from chainrule.nn.dropout import Dropout
from chainrule.nn.linear import Linear
from chainrule.nn.module import Module
from chainrule.nn.normalization import LayerNorm
from chainrule.tensors import Tensor

Activation = str | Callable[[Tensor], Tensor]
_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": F.relu, "gelu": F.gelu}


class TransformerEncoderLayer(Module):
    """x + attention(x), then x + layers(x), each with a LayerNorm behind, or before (`norm_first`).

    src: [time, batch, d_model], [batch, time, d_model] with `batch_first`, or without the batch;
    gives the same. `src_mask` [time, time], `src_key_padding_mask` [batch, time], `is_causal`: as
    in `MultiheadAttention`. `activation`: "relu", "gelu" or a function. Raises ShapeError when the
    width is not d_model.

    >>> import chainrule as cr
    >>> TransformerEncoderLayer(8, 2, 16, batch_first=True)(cr.zeros(3, 5, 8)).shape
    (3, 5, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, dtype=dtype
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias, dtype=dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, dtype=dtype)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        self.activation = _activation(activation)

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        def attend(x: Tensor) -> Tensor:
            masks = (src_key_padding_mask, src_mask, is_causal)
            return self.dropout1(_read(self.self_attn, x, x, *masks))  # type: ignore[no-any-return]

        x = _residual(src, attend, self.norm1, self.norm_first)
        return _residual(x, self._features, self.norm2, self.norm_first)

    def _features(self, x: Tensor) -> Tensor:
        hidden = self.dropout(self.activation(self.linear1(x)))
        return self.dropout2(self.linear2(hidden))  # type: ignore[no-any-return]


class TransformerDecoderLayer(Module):
    """x + attention(x), x + attention(x to memory), then x + layers(x), each with a LayerNorm.

    tgt: [time, batch, d_model], memory: [source time, batch, d_model], both batch first with
    `batch_first`, or without the batch; gives tgt's shape. Masks as in `MultiheadAttention`, those
    of tgt for itself and those of memory for where tgt may look in it. With a `cache`, tgt and
    memory are what is new, as in `MultiheadAttention`. Settings and errors as in
    `TransformerEncoderLayer`.

    >>> import chainrule as cr
    >>> layer = TransformerDecoderLayer(8, 2, 16, batch_first=True)
    >>> layer(cr.zeros(3, 5, 8), cr.zeros(3, 7, 8), tgt_is_causal=True).shape
    (3, 5, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        attentions = [
            MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, dtype=dtype)
            for _ in range(2)
        ]
        self.self_attn, self.multihead_attn = attentions
        self.linear1 = Linear(d_model, dim_feedforward, bias, dtype=dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, dtype=dtype)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm3 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.dropout1, self.dropout2, self.dropout3 = (Dropout(dropout) for _ in range(3))
        self.activation = _activation(activation)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
        *,
        cache: KeyValueCache | None = None,
    ) -> Tensor:
        def attend(x: Tensor) -> Tensor:
            masks = (tgt_key_padding_mask, tgt_mask, tgt_is_causal)
            read = _read(self.self_attn, x, x, *masks, cache)
            return self.dropout1(read)  # type: ignore[no-any-return]

        def look_up(x: Tensor) -> Tensor:
            masks = (memory_key_padding_mask, memory_mask, memory_is_causal)
            read = _read(self.multihead_attn, x, memory, *masks, cache)
            return self.dropout2(read)  # type: ignore[no-any-return]

        x = _residual(tgt, attend, self.norm1, self.norm_first)
        x = _residual(x, look_up, self.norm2, self.norm_first)
        return _residual(x, self._features, self.norm3, self.norm_first)

    def _features(self, x: Tensor) -> Tensor:
        hidden = self.dropout(self.activation(self.linear1(x)))
        return self.dropout3(self.linear2(hidden))  # type: ignore[no-any-return]


def _residual(x: Tensor, part: Callable[[Tensor], Tensor], norm: Module, first: bool) -> Tensor:
    """x plus what the part makes of it, normalised before the part or after the sum."""
    return x + part(norm(x)) if first else norm(x + part(x))  # type: ignore[no-any-return]


def _read(
    attention: Module,
    x: Tensor,
    source: Tensor,
    padding: Tensor | None,
    mask: Tensor | None,
    causal: bool,
    cache: KeyValueCache | None = None,
) -> Tensor:
    found = attention(
        x,
        source,
        source,
        key_padding_mask=padding,
        need_weights=False,
        attn_mask=mask,
        is_causal=causal,
        cache=cache,
    )
    return found[0]  # type: ignore[no-any-return]


def _activation(given: Activation) -> Callable[[Tensor], Tensor]:
    if not isinstance(given, str):
        return given
    if given not in _ACTIVATIONS:
        close = nearest(given, _ACTIVATIONS)
        raise SettingError(
            "no such activation of a transformer",
            expected=f"{' or '.join(_ACTIVATIONS)}, or a function",
            got=repr(given),
            hint=f"did you mean {close!r}?" if close else None,
        )
    return _ACTIVATIONS[given]

"""Transformers: layers of attention and of features by themselves, for encoders and decoders.

Shapes, masks and names are PyTorch's: [time, batch, d_model], or batch first; true in a bool mask
is where one must not look. Source: A. Vaswani et al., "Attention is all you need", 2017.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

from numpy.typing import DTypeLike

from chainrule import functional as F
from chainrule.errors import SettingError, nearest
from chainrule.nn import init
from chainrule.nn.attention import MultiheadAttention, later
from chainrule.nn.container import ModuleList
from chainrule.nn.dropout import Dropout
from chainrule.nn.linear import Linear
from chainrule.nn.module import Module
from chainrule.nn.normalization import LayerNorm
from chainrule.ops.pointwise import where
from chainrule.tensors import Tensor, as_tensor

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
    of tgt for itself and those of memory for where tgt may look in it. Settings and errors as in
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
    ) -> Tensor:
        def attend(x: Tensor) -> Tensor:
            masks = (tgt_key_padding_mask, tgt_mask, tgt_is_causal)
            return self.dropout1(_read(self.self_attn, x, x, *masks))  # type: ignore[no-any-return]

        def look_up(x: Tensor) -> Tensor:
            masks = (memory_key_padding_mask, memory_mask, memory_is_causal)
            read = _read(self.multihead_attn, x, memory, *masks)
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
) -> Tensor:
    found = attention(
        x,
        source,
        source,
        key_padding_mask=padding,
        need_weights=False,
        attn_mask=mask,
        is_causal=causal,
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


class _Stack(Module):
    """Copies of a layer, which start from the same weights, and a norm behind them."""

    def __init__(self, layer: Module, num_layers: int, norm: Module | None) -> None:
        self.layers = ModuleList([copy.deepcopy(layer) for _ in range(num_layers)])
        self.num_layers = num_layers
        self.norm = norm

    def _through(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        for layer in self.layers:
            x = layer(x, *args, **kwargs)
        return x if self.norm is None else self.norm(x)


class TransformerEncoder(_Stack):
    """`num_layers` copies of an encoder layer, one after the other, and `norm`, if any, behind.

    src, masks and errors as in `TransformerEncoderLayer`; gives src's shape. All copies start from
    the same weights, as in PyTorch.

    >>> import chainrule as cr
    >>> layer = TransformerEncoderLayer(8, 2, 16, batch_first=True)
    >>> TransformerEncoder(layer, 2)(cr.zeros(3, 5, 8)).shape
    (3, 5, 8)
    """

    def __init__(self, encoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__(encoder_layer, num_layers, norm)

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        return self._through(src, mask, src_key_padding_mask, is_causal=is_causal)


class TransformerDecoder(_Stack):
    """`num_layers` copies of a decoder layer, one after the other, and `norm`, if any, behind.

    tgt, memory, masks and errors as in `TransformerDecoderLayer`; gives tgt's shape.

    >>> import chainrule as cr
    >>> layer = TransformerDecoderLayer(8, 2, 16, batch_first=True)
    >>> TransformerDecoder(layer, 2)(cr.zeros(3, 5, 8), cr.zeros(3, 7, 8)).shape
    (3, 5, 8)
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__(decoder_layer, num_layers, norm)

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
    ) -> Tensor:
        return self._through(
            tgt,
            memory,
            tgt_mask,
            memory_mask,
            tgt_key_padding_mask,
            memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )


class Transformer(Module):
    """An encoder that reads src, and a decoder that reads what comes out while it writes tgt.

    src: [source time, batch, d_model], tgt: [time, batch, d_model], both batch first with
    `batch_first`, or without the batch; gives tgt's shape. Masks, settings and errors as in
    `TransformerEncoderLayer` and `TransformerDecoderLayer`; weights of two axes start by
    `init.xavier_uniform_`.

    >>> import chainrule as cr
    >>> model = Transformer(8, 2, 1, 1, 16, batch_first=True)
    >>> model(cr.zeros(3, 7, 8), cr.zeros(3, 5, 8), tgt_is_causal=True).shape
    (3, 5, 8)
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        custom_encoder: Module | None = None,
        custom_decoder: Module | None = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        settings = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps)
        flags = (batch_first, norm_first, bias)

        def norm() -> LayerNorm:
            return LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)

        self.encoder = custom_encoder or TransformerEncoder(
            TransformerEncoderLayer(*settings, *flags, dtype=dtype), num_encoder_layers, norm()
        )
        self.decoder = custom_decoder or TransformerDecoder(
            TransformerDecoderLayer(*settings, *flags, dtype=dtype), num_decoder_layers, norm()
        )
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights of two axes anew."""
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool = False,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        memory = self.encoder(src, src_mask, src_key_padding_mask, is_causal=src_is_causal)
        out: Tensor = self.decoder(
            tgt,
            memory,
            tgt_mask,
            memory_mask,
            tgt_key_padding_mask,
            memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )
        return out

    @staticmethod
    def generate_square_subsequent_mask(sz: int) -> Tensor:
        """-inf where the key comes after the query, else 0: float32 [sz, sz].

        >>> Transformer.generate_square_subsequent_mask(2)
        tensor([[  0., -inf],
                [  0.,   0.]])
        """
        return as_tensor(where(later(sz, sz), -math.inf, 0.0)).float()

"""What attentions have read already, so that a text goes on without being read anew."""

from __future__ import annotations

from chainrule.functions import cat
from chainrule.nn.module import Module
from chainrule.tensors import Tensor


class KeyValueCache:
    """The keys and values that each of several attentions has read, [batch, heads, time, width].

    Pass it to `MultiheadAttention` or a decoder with what is new. It grows with every call, so it
    is not for compiled steps, whose shapes are fixed; read under `no_grad`, or gradients keep all.

    >>> import chainrule as cr
    >>> layer, cache = cr.nn.MultiheadAttention(8, 2, batch_first=True), KeyValueCache()
    >>> first, second = cr.zeros(1, 3, 8), cr.zeros(1, 1, 8)
    >>> for x in (first, second):  # the same as both at once with is_causal=True
    ...     output, weights = layer(x, x, x, is_causal=True, cache=cache)
    >>> weights.shape
    (1, 1, 4)
    """

    def __init__(self) -> None:
        self.held: dict[Module, list[Tensor]] = {}

    def extended(self, attention: Module, *new: Tensor) -> list[Tensor]:
        """All keys and all values that `attention` has read, the new ones behind the others."""
        held = self.held.get(attention)
        both = new if held is None else [cat(pair, 2) for pair in zip(held, new, strict=True)]
        self.held[attention] = list(both)
        return self.held[attention]

    def reorder(self, rows: Tensor) -> None:
        """Go on with these rows of the batch, integers [batch from now on]; one may come twice."""
        self.held = {key: [part[rows] for part in parts] for key, parts in self.held.items()}

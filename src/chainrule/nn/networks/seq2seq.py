"""An encoder-decoder transformer: one sequence read whole, another written token by token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule import functional as F
from chainrule.errors import SettingError
from chainrule.nn import init
from chainrule.nn.cache import KeyValueCache
from chainrule.nn.embedding import Embedding
from chainrule.nn.linear import Linear
from chainrule.nn.modes import in_mode
from chainrule.nn.module import Module
from chainrule.nn.positions import SinusoidalPositions
from chainrule.nn.transformer import Transformer
from chainrule.tensors import Tensor, as_tensor


@dataclass(frozen=True)
class Seq2SeqConfig:
    """How many tokens there are on both sides, sizes, and which tokens mark padding and the ends.

    The target's embedding is also the head's weight.
    """

    source_tokens: int
    target_tokens: int
    width: int = 128
    heads: int = 4
    layers: int = 2
    dropout: float = 0.1
    padding: int = 0
    start: int = 1
    end: int = 2


class Seq2Seq(Module):
    """source [batch, time], target [batch, time] to scores of what follows, [batch, time, tokens].

    While it trains, `target` is what is to be written with the start token in front, and the loss
    compares with the same one step on, ignore_index=padding. `greedy` and `beam` write. Raises
    IndexRangeError for an unknown token. Source: A. Vaswani et al., "Attention is all you need",
    2017, with the norms in front.

    >>> import chainrule as cr
    >>> model = Seq2Seq(Seq2SeqConfig(9, 7, width=8, heads=2, layers=1))
    >>> model(cr.tensor([[3, 4, 0]]), cr.tensor([[1, 5]])).shape
    (1, 2, 7)
    >>> len(model.beam([[3, 4]], 3)[0]) <= 3
    True
    """

    def __init__(self, config: Seq2SeqConfig) -> None:
        self.config = config
        width = config.width
        self.source = Embedding(config.source_tokens, width, config.padding)
        self.target = Embedding(config.target_tokens, width)
        self.places = SinusoidalPositions(width)
        self.transformer = Transformer(
            width,
            config.heads,
            config.layers,
            config.layers,
            4 * width,
            config.dropout,
            batch_first=True,
            norm_first=True,
        )
        self.head = Linear(width, config.target_tokens, bias=False)
        self.head.weight = self.target.weight
        for table in (self.source, self.target):
            init.normal_(table.weight, std=width**-0.5)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        return self.decode(target, *self.encode(source))

    def encode(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """What is read, [batch, time, width], and where it is padding, bool [batch, time]."""
        padding: Tensor = source == self.config.padding
        x = self._placed(self.source(source))
        return self.transformer.encoder(x, src_key_padding_mask=padding), padding

    def decode(
        self,
        target: Tensor,
        memory: Tensor,
        padding: Tensor,
        before: int = 0,
        cache: KeyValueCache | None = None,
    ) -> Tensor:
        """Scores of what follows each place of `target`.

        A cache holds the `before` tokens before these: target and memory are what is new, and
        memory is [batch, 0, width] once it has been read. padding is of all that was to read.
        """
        read = self.transformer.decoder(
            self._placed(self.target(target), before),
            memory,
            memory_key_padding_mask=padding,
            tgt_is_causal=True,
            cache=cache,
        )
        return self.head(read)  # type: ignore[no-any-return]

    def _placed(self, vectors: Tensor, before: int = 0) -> Tensor:
        return self.places(vectors * self.config.width**0.5, before)  # type: ignore[no-any-return]

    def greedy(self, source: Any, count: int) -> list[list[int]]:
        """The likeliest token after the likeliest: a `beam` of width 1.

        >>> model = Seq2Seq(Seq2SeqConfig(9, 7, width=8, heads=2, layers=1))
        >>> len(model.greedy([[3, 4], [5, 0]], count=3))
        2
        """
        return self.beam(source, count, width=1)

    def beam(
        self, source: Any, count: int, width: int = 4, length_penalty: float = 0.6
    ) -> list[list[int]]:
        """The best of what `width` continuations at a time lead to, for each source.

        source: integers [batch, time]. At most `count` tokens each, without start and end. The best
        has the highest log-probability / ((5 + length) / 6)^length_penalty. The source is read once
        and so is every token: their keys and values are kept. Raises SettingError for a width or a
        count below 1. Source of the penalty: Y. Wu et al., "Google's neural machine translation
        system", 2016.

        >>> model = Seq2Seq(Seq2SeqConfig(9, 7, width=8, heads=2, layers=1))
        >>> len(model.beam([[3, 4], [5, 0]], count=3, width=2))
        2
        """
        if width < 1 or count < 1:
            raise SettingError(
                "a beam has a width and a length",
                expected="width and count of at least 1",
                got=f"width {width}, count {count}",
            )
        return self._search(source, count, width).best(length_penalty)

    def _search(self, source: Any, count: int, width: int) -> _Beams:
        with in_mode(self, training=False):
            memory, padding = self.encode(as_tensor(np.asarray(source, "int64")))
            beams, cache = _Beams(self.config, memory.shape[0], width), KeyValueCache()
            while beams.length < count and not beams.finished.all():
                last = as_tensor(beams.tokens[..., -1].reshape(-1, 1))
                scores = self.decode(last, memory, padding, beams.length, cache)
                parents = as_tensor(beams.extend(F.log_softmax(scores, -1).numpy()))
                cache.reorder(parents)
                memory, padding = memory[:, :0][parents], padding[parents]
        return beams


class _Beams:
    """The `width` best texts so far, from one empty text on, for each of several sources."""

    def __init__(self, config: Seq2SeqConfig, batch: int, width: int) -> None:
        self.config, self.width = config, width
        self.tokens = np.full((batch, 1, 1), config.start)
        self.scores = np.zeros((batch, 1))
        self.lengths = np.zeros((batch, 1), int)
        self.finished = np.zeros((batch, 1), bool)

    @property
    def length(self) -> int:
        return self.tokens.shape[2] - 1

    def extend(self, logs: Any) -> Any:
        """By one token each; a finished text goes on as padding, at no cost.

        logs: log-probabilities [texts, 1, tokens]. Gives the text that each one extends, int64
        [texts from now on].
        """
        count = logs.shape[-1]
        logs = logs.reshape(*self.scores.shape, count).astype("float64")
        nothing = np.where(np.arange(count) == self.config.padding, 0.0, -np.inf)
        totals = self.scores[..., None] + np.where(self.finished[..., None], nothing, logs)
        flat = totals.reshape(len(totals), -1)
        best = _largest(flat, self.width)
        parent, token = best // count, best % count
        row = np.arange(len(totals))[:, None]
        self.scores = flat[row, best]
        done = self.finished[row, parent]
        self.tokens = np.concatenate([self.tokens[row, parent], token[..., None]], axis=2)
        self.lengths = self.lengths[row, parent] + ~done
        self.finished = done | (token == self.config.end)
        return (row * totals.shape[1] + parent).ravel()

    def best(self, length_penalty: float) -> list[list[int]]:
        marks = (self.scores / ((5 + self.lengths) / 6) ** length_penalty).argmax(axis=1)
        found = []
        for row, mark in enumerate(marks):
            text = self.tokens[row, mark, 1 : 1 + self.lengths[row, mark]].tolist()
            found.append(text[:-1] if text[-1] == self.config.end else text)
        return found


def _largest(values: Any, count: int) -> Any:
    """Where the `count` largest of each row are, the largest first, without sorting the others."""
    count = min(count, values.shape[1])
    found = np.sort(np.argpartition(values, -count, axis=1)[:, -count:], axis=1)
    order = np.argsort(-np.take_along_axis(values, found, axis=1), axis=1, kind="stable")
    return np.take_along_axis(found, order, axis=1)

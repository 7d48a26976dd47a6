"""LSTMs for sequences: a tag for every word, or what comes next in a series of numbers."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.nn.dropout import Dropout
from chainrule.nn.embedding import Embedding
from chainrule.nn.linear import Linear
from chainrule.nn.module import Module
from chainrule.nn.recurrent import LSTM
from chainrule.tensors import Tensor


@dataclass(frozen=True)
class LSTMTaggerConfig:
    """How many words and tags there are, the widths, and which word is the padding (None: none)."""

    tokens: int
    tags: int
    width: int = 64
    hidden: int = 64
    layers: int = 1
    dropout: float = 0.0
    padding: int | None = 0


class LSTMTagger(Module):
    """Texts, integers [batch, time], to scores [batch, time, tags], read in both directions.

    `lengths`: integers [batch], how many words are real; the rest does not count. Raises
    IndexRangeError for an unknown word. Source: Z. Huang, W. Xu and K. Yu, "Bidirectional LSTM-CRF
    models for sequence tagging", 2015 (without the CRF).

    >>> import chainrule as cr
    >>> model = LSTMTagger(LSTMTaggerConfig(tokens=100, tags=5))
    >>> model(cr.tensor([[4, 7, 9], [3, 8, 0]]), cr.tensor([3, 2])).shape
    (2, 3, 5)
    """

    def __init__(self, config: LSTMTaggerConfig) -> None:
        self.config = config
        self.embed = Embedding(config.tokens, config.width, config.padding)
        self.lstm = LSTM(
            config.width,
            config.hidden,
            config.layers,
            batch_first=True,
            dropout=config.dropout,
            bidirectional=True,
        )
        self.dropout, self.head = Dropout(config.dropout), Linear(2 * config.hidden, config.tags)

    def forward(self, text: Tensor, lengths: Tensor | None = None) -> Tensor:
        read, _ = self.lstm(self.embed(text), lengths=lengths)
        return self.head(self.dropout(read))  # type: ignore[no-any-return]


@dataclass(frozen=True)
class LSTMForecasterConfig:
    """How many numbers a step has, how many steps are forecast, and of how many numbers each."""

    inputs: int = 1
    horizon: int = 1
    outputs: int = 1
    hidden: int = 64
    layers: int = 1
    dropout: float = 0.0


class LSTMForecaster(Module):
    """A series [batch, time, inputs] to the next steps [batch, horizon, outputs].

    All steps are forecast at once from the last state. `lengths`: integers [batch], how many steps
    are real. Raises ShapeError when the last axis is not `inputs`.

    >>> import chainrule as cr
    >>> LSTMForecaster(LSTMForecasterConfig(horizon=3))(cr.zeros(2, 10, 1)).shape
    (2, 3, 1)
    """

    def __init__(self, config: LSTMForecasterConfig) -> None:
        self.config = config
        self.lstm = LSTM(
            config.inputs, config.hidden, config.layers, batch_first=True, dropout=config.dropout
        )
        self.head = Linear(config.hidden, config.horizon * config.outputs)

    def forward(self, series: Tensor, lengths: Tensor | None = None) -> Tensor:
        _, (hidden, _) = self.lstm(series, lengths=lengths)
        forecast: Tensor = self.head(hidden[-1])
        return forecast.reshape(-1, self.config.horizon, self.config.outputs)

"""Every layer and loss, with the options that change what it computes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Arrays = Callable[[Any], list[Any]]


@dataclass(frozen=True)
class Case:
    """A class of nn, its arguments, and inputs away from kinks."""

    name: str
    args: tuple[Any, ...]
    inputs: Arrays
    settings: dict[str, Any] = field(default_factory=dict)
    smooth: bool = True  # has a second derivative, here and in PyTorch
    training: bool = True
    peer: bool = True  # PyTorch has it, too

    def __str__(self) -> str:
        words = [*map(str, self.args), *(f"{k}={v}" for k, v in self.settings.items())]
        text = f"{self.name}({','.join(words)}){'' if self.training else '.eval'}"
        return text.replace(" ", "")

    def make(self, nn: Any, convert: Callable[[Any], Any] = lambda value: value) -> Any:
        """The module of this library; arguments that are cases are modules, too."""

        def made(value: Any) -> Any:
            return value.make(nn) if isinstance(value, Case) else convert(value)

        settings = {name: made(value) for name, value in self.settings.items()}
        return getattr(nn, self.name)(*map(made, self.args), **settings)

    def arrays(self) -> list[Any]:
        return self.inputs(np.random.default_rng(3))


def normal(*shape: int) -> Arrays:
    return lambda rng: [rng.standard_normal(shape)]


def pair(*shape: int) -> Arrays:
    return lambda rng: [rng.standard_normal(shape), rng.standard_normal(shape)]


def indices(high: int, *shape: int) -> Arrays:
    return lambda rng: [rng.integers(0, high, shape)]


def scores(classes: int, *rows: int) -> Arrays:
    """Scores [batch, classes, ...] and class indices [batch, ...]."""
    shape = (*rows[:1], classes, *rows[1:])
    return lambda rng: [rng.standard_normal(shape), rng.integers(0, classes, rows)]


def soft(classes: int, *rows: int) -> Arrays:
    shape = (*rows[:1], classes, *rows[1:])
    axis = 1 if rows else 0
    return lambda rng: [
        rng.standard_normal(shape),
        rng.dirichlet(np.ones(classes), rows).transpose(*_class_axis(len(rows), axis)),
    ]


def _class_axis(rows: int, axis: int) -> list[int]:
    order = list(range(rows))
    order.insert(axis, rows)
    return order


def probabilities(*shape: int) -> Arrays:
    return lambda rng: [rng.uniform(0.02, 0.98, shape), rng.uniform(0.0, 1.0, shape)]


def each(*arrays: Arrays) -> Arrays:
    """The inputs of several makers, one after the other."""
    return lambda rng: [array for make in arrays for array in make(rng)]


def fixed(*values: Any) -> Arrays:
    return lambda rng: [np.array(value) for value in values]


def later(size: int) -> Arrays:
    """The mask of attention that hides what comes later."""
    return fixed(np.triu(np.ones((size, size), bool), 1))


WEIGHTS = [0.5, 2.0, 0.0, 1.25]

ENCODER = Case("TransformerEncoderLayer", (4, 2, 6), normal())
DECODER = Case("TransformerDecoderLayer", (4, 2, 6, 0.0), normal())
DECODED = each(normal(3, 2, 4), normal(5, 2, 4))  # what is read or written, time first

LAYERS = [
    Case("Linear", (3, 2), normal(5, 3)),
    Case("Linear", (3, 2), normal(3)),
    Case("Linear", (3, 2), normal(2, 4, 3), {"bias": False}),
    Case("Identity", (), normal(2, 3)),
    Case("Flatten", (), normal(2, 3, 4)),
    Case("Flatten", (0, 1), normal(2, 3, 4)),
    Case("ReLU", (), normal(4, 3), smooth=False),
    Case("LeakyReLU", (0.2,), normal(4, 3), smooth=False),
    Case("GELU", (), normal(4, 3)),
    Case("GELU", ("tanh",), normal(4, 3)),
    Case("SiLU", (), normal(4, 3)),
    Case("Sigmoid", (), normal(4, 3)),
    Case("Tanh", (), normal(4, 3)),
    Case("Softplus", (), normal(4, 3)),
    Case("Softplus", (2.0, 1.0), normal(4, 3)),
    Case("Softmax", (1,), normal(4, 3)),
    Case("Softmax", (-2,), normal(4, 3, 2)),
    Case("LogSoftmax", (1,), normal(4, 3)),
    Case("LayerNorm", (4,), normal(3, 4)),
    Case("LayerNorm", ((2, 4),), normal(3, 2, 4), {"eps": 1e-3}),
    Case("LayerNorm", (4,), normal(2, 3, 4), {"bias": False}),
    Case("LayerNorm", (4,), normal(3, 4), {"elementwise_affine": False}),
    Case("BatchNorm1d", (4,), normal(6, 4)),
    Case("BatchNorm1d", (4,), normal(3, 4, 5), {"momentum": 0.3, "eps": 1e-2}),
    Case("BatchNorm1d", (4,), normal(6, 4), {"momentum": None}),
    Case("BatchNorm1d", (4,), normal(6, 4), {"affine": False}),
    Case("BatchNorm1d", (4,), normal(6, 4), {"bias": False}),
    Case("BatchNorm1d", (4,), normal(6, 4), {"track_running_stats": False}),
    Case("BatchNorm1d", (4,), normal(6, 4), training=False),
    Case("BatchNorm1d", (4,), normal(6, 4), {"track_running_stats": False}, training=False),
    Case("Embedding", (7, 3), indices(7, 4, 5)),
    Case("Embedding", (7, 3), indices(3, 6), {"padding_idx": 1}),
    Case("Embedding", (7, 3), indices(7, 6), {"padding_idx": -1}),
    Case("Dropout", (0.4,), normal(4, 3), training=False),
    Case("Dropout", (0.0,), normal(4, 3)),
    Case("Dropout", (1.0,), normal(4, 3)),
    Case("Dropout1d", (1.0,), normal(2, 4, 3)),
    Case("Dropout2d", (0.4,), normal(1, 2, 4, 3), training=False),
    Case("RMSNorm", (4,), normal(3, 4)),
    Case("RMSNorm", ((2, 4),), normal(3, 2, 4), {"eps": 1e-2, "elementwise_affine": False}),
    Case("GroupNorm", (2, 4), normal(3, 4)),
    Case("GroupNorm", (2, 4), normal(2, 4, 2, 3), {"eps": 1e-2}),
    Case("GroupNorm", (4, 4), normal(2, 4, 3), {"affine": False}),
    Case("BatchNorm2d", (2,), normal(3, 2, 2, 3)),
    Case("BatchNorm2d", (2,), normal(3, 2, 2, 3), training=False),
    Case("EmbeddingBag", (7, 3), indices(7, 4, 5)),
    Case("EmbeddingBag", (7, 3), each(indices(7, 4, 5)), {"padding_idx": 2, "mode": "max"}),
    Case(
        "EmbeddingBag",
        (7, 3),
        each(indices(7, 8), fixed([0, 3, 3, 6]), normal(8)),
        {"padding_idx": -1, "mode": "sum"},
        smooth=False,
    ),
    Case(
        "EmbeddingBag",
        (7, 3),
        each(indices(7, 8), fixed([0, 3, 3, 6, 8])),
        {"mode": "max", "include_last_offset": True},
    ),
    Case("Conv1d", (2, 3, 3), normal(2, 2, 6)),
    Case("Conv1d", (2, 4, 2), normal(2, 6), {"padding": "same", "groups": 2, "bias": False}),
    Case("Conv2d", (2, 3, 3), normal(2, 2, 5, 4), {"padding": 1}),
    Case("Conv2d", (4, 2, (3, 2)), normal(1, 4, 6, 5), {"stride": (2, 1), "groups": 2}),
    Case("Conv2d", (1, 2, 2), normal(1, 1, 5, 5), {"dilation": 2, "padding": "valid"}),
    Case("ConvTranspose1d", (2, 3, 3), normal(2, 2, 4), {"stride": 2, "padding": 1}),
    Case(
        "ConvTranspose2d",
        (4, 2, (3, 2)),
        normal(1, 4, 3, 2),
        {"stride": 2, "output_padding": 1, "groups": 2, "dilation": (1, 2)},
    ),
    Case("MaxPool1d", (2,), normal(2, 2, 5), smooth=False),
    Case("MaxPool2d", (3, 2, 1), normal(1, 2, 5, 4), {"ceil_mode": True}, smooth=False),
    Case("AvgPool1d", (3, 2, 1), normal(2, 2, 6)),
    Case("AvgPool2d", (2,), normal(1, 2, 5, 4), {"count_include_pad": False}),
    Case("AdaptiveAvgPool1d", (2,), normal(2, 2, 5)),
    Case("AdaptiveAvgPool2d", ((2, None),), normal(1, 2, 5, 3)),
    Case("RNN", (3, 2), normal(4, 2, 3)),
    Case("RNN", (3, 2, 1, "relu"), normal(4, 3), {"bias": False}, smooth=False),
    Case("LSTM", (3, 2), normal(2, 4, 3), {"batch_first": True}),
    Case("LSTM", (3, 2, 2), normal(3, 2, 3), {"bidirectional": True}, smooth=False),
    Case("GRU", (3, 2), each(normal(4, 2, 3), normal(1, 2, 2))),
    Case("GRU", (3, 2, 2), normal(3, 2, 3), {"bidirectional": True, "dropout": 0.0}, smooth=False),
    Case("MultiheadAttention", (4, 2), each(normal(3, 2, 4), normal(5, 2, 4), normal(5, 2, 4))),
    Case(
        "MultiheadAttention",
        (4, 2),
        each(
            normal(2, 3, 4),
            normal(2, 3, 5),
            normal(2, 3, 6),
            fixed([[False, False, True], [False, True, False]]),
        ),
        {"kdim": 5, "vdim": 6, "batch_first": True, "bias": False},
    ),
    Case(
        "TransformerEncoderLayer",
        (4, 2, 6, 0.0, "gelu"),
        each(normal(2, 3, 4), later(3)),
        {"batch_first": True, "norm_first": True},
        smooth=False,
    ),
    Case("TransformerDecoderLayer", (4, 2, 6, 0.0), DECODED, smooth=False),
    Case("TransformerEncoder", (ENCODER, 2), normal(3, 2, 4), training=False, smooth=False),
    Case(
        "TransformerDecoder", (DECODER, 1, Case("LayerNorm", (4,), normal())), DECODED, smooth=False
    ),
    Case("Transformer", (4, 2, 1, 1, 6, 0.0), DECODED, smooth=False),
    Case("LearnedPositions", (5, 4), normal(2, 3, 4), peer=False),
    Case("SinusoidalPositions", (4,), normal(2, 3, 4), peer=False),
    Case("RotaryPositions", (4,), each(normal(2, 3, 4), fixed([3, 0, 7])), peer=False),
]

LOSSES = [
    Case(name, args, inputs, {**settings, "reduction": reduction}, smooth=smooth)
    for reduction in ("mean", "sum", "none")
    for name, args, inputs, settings, smooth in [
        ("MSELoss", (), pair(4, 3), {}, True),
        ("L1Loss", (), pair(4, 3), {}, False),
        ("HuberLoss", (), pair(8, 3), {"delta": 0.7}, False),
        ("SmoothL1Loss", (), pair(8, 3), {"beta": 0.7}, False),
        ("SmoothL1Loss", (), pair(4, 3), {"beta": 0.0}, False),
        ("CrossEntropyLoss", (), scores(4, 5), {}, True),
        ("CrossEntropyLoss", (), scores(4), {}, True),
        ("CrossEntropyLoss", (), scores(4, 2, 3), {"label_smoothing": 0.2}, True),
        ("CrossEntropyLoss", (WEIGHTS,), scores(4, 9), {}, True),
        ("CrossEntropyLoss", (WEIGHTS,), scores(4, 3, 3), {"label_smoothing": 0.1}, True),
        ("CrossEntropyLoss", (), scores(4, 9), {"ignore_index": 2}, True),
        (
            "CrossEntropyLoss",
            (WEIGHTS,),
            scores(4, 9),
            {"ignore_index": 1, "label_smoothing": 0.1},
            True,
        ),
        ("CrossEntropyLoss", (), soft(4, 5), {}, True),
        ("CrossEntropyLoss", (), soft(4), {}, True),
        ("CrossEntropyLoss", (WEIGHTS,), soft(4, 2, 3), {"label_smoothing": 0.3}, True),
        ("NLLLoss", (), scores(4, 5), {}, True),
        ("NLLLoss", (WEIGHTS,), scores(4, 3, 2), {"ignore_index": 0}, True),
        ("BCELoss", (), probabilities(5, 2), {}, True),
        ("BCELoss", ([0.5, 2.0],), probabilities(5, 2), {}, True),
        ("BCEWithLogitsLoss", (), pair(5, 2), {}, True),
        ("BCEWithLogitsLoss", ([0.5, 2.0],), pair(5, 2), {"pos_weight": [3.0, 0.25]}, True),
    ]
]

# Inputs that do not fit, and which part of the layer says so: its own name where it is one part.
WRONG = [
    (Case("Linear", (3, 2), normal(5, 4)), "Linear"),
    (Case("Flatten", (0, 5), normal(2, 3)), "Flatten"),
    (Case("Softmax", (2,), normal(2, 3)), "Softmax"),
    (Case("LogSoftmax", (2,), normal(2, 3)), "LogSoftmax"),
    (Case("LayerNorm", (4,), normal(2, 3)), "LayerNorm"),
    (Case("RMSNorm", (4,), normal(2, 3)), "RMSNorm"),
    (Case("GroupNorm", (2, 4), normal(2, 3)), "GroupNorm"),
    (Case("BatchNorm1d", (4,), normal(2, 3)), "BatchNorm1d"),
    (Case("BatchNorm2d", (4,), normal(2, 4)), "BatchNorm2d"),
    (Case("Embedding", (7, 3), indices(9, 40)), "Embedding"),
    (Case("Embedding", (7, 3), normal(4)), "Embedding"),
    (Case("EmbeddingBag", (7, 3), indices(7, 4)), "EmbeddingBag"),
    (Case("EmbeddingBag", (7, 3), each(indices(7, 4), normal(2))), "EmbeddingBag"),
    (Case("Dropout1d", (), normal(4)), "Dropout1d"),
    (Case("Dropout2d", (), normal(4, 2, 3)), "Dropout2d"),
    (Case("Conv1d", (2, 3, 3), normal(2, 3, 6)), "Conv1d"),
    (Case("Conv1d", (2, 3, 3), normal(2, 2, 1)), "Conv1d"),
    (Case("Conv2d", (2, 3, 3), normal(28, 28)), "Conv2d"),
    (Case("Conv2d", (1, 3, 3), normal(2, 3, 6, 6)), "Conv2d"),
    (Case("ConvTranspose2d", (1, 3, 3), normal(2, 3, 6, 6)), "ConvTranspose2d"),
    (Case("ConvTranspose1d", (2, 3, 3), normal(2, 3, 6)), "ConvTranspose1d"),
    (Case("ConvTranspose2d", (2, 3, 3, 1, 2), normal(1, 2, 1, 1)), "ConvTranspose2d"),
    (Case("MaxPool1d", (4,), normal(2, 2, 3)), "MaxPool1d"),
    (Case("MaxPool2d", (2,), normal(6, 6)), "MaxPool2d"),
    (Case("AvgPool1d", (4,), normal(2, 2, 3)), "AvgPool1d"),
    (Case("AvgPool2d", (2,), normal(6, 6)), "AvgPool2d"),
    (Case("AdaptiveAvgPool1d", (2,), normal(6)), "AdaptiveAvgPool1d"),
    (Case("AdaptiveAvgPool2d", (2,), normal(6, 6)), "AdaptiveAvgPool2d"),
    (Case("RNN", (3, 2), normal(5, 2, 4)), "RNN"),
    (Case("LSTM", (1, 2), normal(5, 2)), "LSTM"),
    (Case("GRU", (3, 2), each(normal(5, 2, 3), normal(2, 2, 2))), "GRU"),
    (Case("MultiheadAttention", (4, 2), each(*[normal(3, 2, 6)] * 3)), "MultiheadAttention"),
    (
        Case(
            "MultiheadAttention",
            (4, 2),
            each(*[normal(3, 2, 4)] * 3, fixed([[True, False, False]])),
        ),
        "MultiheadAttention",
    ),
    (Case("TransformerEncoderLayer", (4, 2, 6), normal(3, 2, 5)), "self_attn: Multihead"),
    (Case("TransformerDecoderLayer", (4, 2, 6), each(*[normal(3, 2, 5)] * 2)), "self_attn: Mult"),
    (Case("TransformerEncoder", (ENCODER, 2), normal(3, 2, 5)), "layers.0.self_attn: Multi"),
    (Case("TransformerDecoder", (DECODER, 2), each(*[normal(3, 2, 5)] * 2)), "layers.0.self_attn"),
    (Case("Transformer", (4, 2, 1, 1, 6), each(*[normal(3, 2, 5)] * 2)), "encoder.layers.0.self"),
    (Case("LearnedPositions", (4, 4), normal(2, 5, 4)), "LearnedPositions"),
    (Case("SinusoidalPositions", (4,), normal(2, 3, 6)), "SinusoidalPositions"),
    (Case("RotaryPositions", (4,), each(normal(2, 3, 4), fixed([1, 2]))), "RotaryPositions"),
    (Case("MSELoss", (), each(normal(4, 1), normal(4))), "MSELoss"),
    (Case("L1Loss", (), each(normal(4, 1), normal(4))), "L1Loss"),
    (Case("HuberLoss", (), each(normal(4, 1), normal(4))), "HuberLoss"),
    (Case("SmoothL1Loss", (), each(normal(4, 1), normal(4))), "SmoothL1Loss"),
    (Case("CrossEntropyLoss", (), each(normal(4, 3), normal(4))), "CrossEntropyLoss"),
    (Case("CrossEntropyLoss", (), each(normal(4, 3), fixed([0, 1, 2, 3]))), "CrossEntropyLoss"),
    (Case("NLLLoss", (), each(normal(4, 3), indices(3, 5))), "NLLLoss"),
    (Case("BCELoss", (), each(lambda rng: probabilities(4, 1)(rng)[:1], normal(4))), "BCELoss"),
    (Case("BCEWithLogitsLoss", (), each(normal(4, 1), normal(4))), "BCEWithLogitsLoss"),
]

ANY_SHAPE = {
    "Identity", "Dropout", "ReLU", "LeakyReLU", "GELU", "SiLU", "Sigmoid", "Tanh", "Softplus",
}  # fmt: skip

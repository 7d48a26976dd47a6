"""Every layer and loss that PyTorch has, too, with shapes and options drawn, trained and not.

A layer without a way to draw it is a failure: a new one cannot be forgotten.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.nn.against_torch import agree, torch_run
from tests.nn.cases import Case, normal
from tests.nn.steps import run
from tests.peers.test_nn_layers import both

import chainrule as cr

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.peers,
    pytest.mark.filterwarnings("ignore:Using padding='same'", "ignore:enable_nested_tensor"),
]


class Draw:
    """Short names for what the cases below draw."""

    def __init__(self, data: Any) -> None:
        self.data = data
        self.rng = np.random.default_rng(self.size(0, 99))

    def of(self, *choices: Any) -> Any:
        return self.data.draw(st.sampled_from(choices))

    def flag(self) -> bool:
        return self.of(False, True)

    def size(self, low: int = 1, high: int = 4) -> int:
        return self.data.draw(st.integers(low, high))

    def sizes(self, count: int, low: int = 1, high: int = 3) -> tuple[int, ...]:
        return tuple(self.size(low, high) for _ in range(count))

    def shape(self, low: int = 1, high: int = 3) -> tuple[int, ...]:
        return self.sizes(self.size(low, high), 1, 4)

    def normal(self, *shape: int) -> Any:
        return self.rng.standard_normal(shape)

    def classes(self, count: int, *shape: int) -> Any:
        return self.rng.integers(0, count, shape)


# What a case gives: arguments, settings, and the inputs.
Drawn = tuple[tuple[Any, ...], dict[str, Any], list[Any]]


def elementwise(*names: str) -> Callable[[Draw], Drawn]:
    """Any shape; the settings named are drawn between 0.1 and 3."""
    return lambda d: (
        (), {name: d.data.draw(st.floats(0.1, 3.0)) for name in names}, [d.normal(*d.shape(0))]
    )  # fmt: skip


def linear(d: Draw) -> Drawn:
    inputs, outputs = d.sizes(2)
    return (inputs, outputs), {"bias": d.flag()}, [d.normal(*d.shape(0), inputs)]


def flatten(d: Draw) -> Drawn:
    shape = d.shape(1, 4)
    start = d.size(0, len(shape) - 1)
    return (start, d.size(start, len(shape) - 1)), {}, [d.normal(*shape)]


def along_an_axis(d: Draw) -> Drawn:
    shape = d.shape()
    return (d.size(-len(shape), len(shape) - 1),), {}, [d.normal(*shape) * d.of(1, 50)]


def last_axes(*names: str) -> Callable[[Draw], Drawn]:
    def drawn(d: Draw) -> Drawn:
        shape = d.shape()
        last = shape[d.size(0, len(shape) - 1) :]
        options = {"eps": d.of(1e-5, 1e-2), **{name: d.flag() for name in names}}
        return (last,), options, [d.normal(*shape)]

    return drawn


def group_norm(d: Draw) -> Drawn:
    groups, each = d.sizes(2)
    x = d.normal(d.size(), groups * each, *d.sizes(d.size(0, 2)))
    assume(x[0].size > groups)  # of a single number there is nothing but eps
    return (groups, groups * each), {"affine": d.flag()}, [x]


def batch_norm(*spaces: int) -> Callable[[Draw], Drawn]:
    def drawn(d: Draw) -> Drawn:
        channels, options = d.size(), {"eps": d.of(1e-5, 1e-2), "momentum": d.of(0.1, 0.7, None)}
        options |= {"affine": d.flag(), "track_running_stats": d.flag()}
        return (channels,), options, [d.normal(d.size(2, 5), channels, *d.sizes(d.of(*spaces)))]

    return drawn


def embedding(d: Draw) -> Drawn:
    count, options = d.size(2, 6), {"padding_idx": d.of(None, 0, -1)}
    return (count, d.size()), options, [d.classes(count, *d.shape(0))]


def bags(d: Draw) -> Drawn:
    count = d.size(2, 6)
    options = {"mode": d.of("sum", "mean", "max"), "padding_idx": d.of(None, 1)}
    return (count, d.size()), options, [d.classes(count, *d.sizes(2))]


def dropout(axes: int) -> Callable[[Draw], Drawn]:
    """All or nothing while it trains: the numbers drawn are chainrule's own."""
    return lambda d: ((d.of(0.0, 1.0),), {}, [d.normal(*d.sizes(axes))])


def convolution(axes: int) -> Callable[[Draw], Drawn]:
    def drawn(d: Draw) -> Drawn:
        window, stride, dilation = d.sizes(axes), d.sizes(axes), d.sizes(axes)
        groups, padding = d.size(1, 2), d.of("same", "valid", 0, 1)
        options = {"padding": padding, "dilation": dilation, "groups": groups, "bias": d.flag()}
        options["stride"] = 1 if padding == "same" else stride
        spread = [n * (k - 1) + d.size() for n, k in zip(dilation, window, strict=True)]
        channels = groups * d.size(1, 2)
        x = d.normal(*d.of((), (2,)), channels, *spread)
        return (channels, groups * d.size(1, 2), window), options, [x]

    return drawn


def transposed(axes: int) -> Callable[[Draw], Drawn]:
    def drawn(d: Draw) -> Drawn:
        window, stride = d.sizes(axes), d.sizes(axes)
        groups, more = d.size(1, 2), tuple(d.size(0, s - 1) for s in stride)
        options = {"stride": stride, "output_padding": more, "groups": groups, "bias": d.flag()}
        channels = groups * d.size(1, 2)
        x = d.normal(*d.of((), (2,)), channels, *d.sizes(axes))
        return (channels, groups * d.size(1, 2), window), options, [x]

    return drawn


def pooling(axes: int, *names: str) -> Callable[[Draw], Drawn]:
    def drawn(d: Draw) -> Drawn:
        window = d.size()
        options = {"stride": d.of(None, 1, 2), "padding": d.size(0, window // 2)}
        options |= {name: d.flag() for name in names}
        x = d.normal(*d.of((), (2,)), 2, *(window + d.size(0, 3) for _ in range(axes)))
        return (window,), options, [x]

    return drawn


def adaptive(axes: int) -> Callable[[Draw], Drawn]:
    return lambda d: (
        (d.sizes(axes),), {}, [d.normal(*d.of((), (2,)), 2, *d.sizes(axes, 1, 6))]
    )  # fmt: skip


def recurrent(d: Draw) -> Drawn:
    inputs, hidden = d.sizes(2)
    names = ("bias", "batch_first", "bidirectional")
    options = {"num_layers": d.size(1, 2), **{name: d.flag() for name in names}}
    return (inputs, hidden), options, [d.normal(*d.of((3,), (2, 4)), inputs)]


def attention(d: Draw) -> Drawn:
    heads, first = d.size(1, 2), d.flag()
    width, batch = heads * d.size(1, 2), d.size()
    kdim, vdim = d.of((width, width), (width + 1, 2))
    options = {"bias": d.flag(), "kdim": kdim, "vdim": vdim, "batch_first": first}
    shapes = [(d.size(), width), *((n, w) for n in [d.size()] for w in (kdim, vdim))]
    places = [(batch, n, w) if first else (n, batch, w) for n, w in shapes]
    return (width, heads), options, [d.normal(*place) for place in places]


def transformer_layer(inputs: int) -> Callable[[Draw], Drawn]:
    def drawn(d: Draw) -> Drawn:
        args, options = _transformer(d)
        return args, options, _sequences(d, inputs, options)

    return drawn


def stack(name: str, inputs: int) -> Callable[[Draw], Drawn]:
    def drawn(d: Draw) -> Drawn:
        args, options = _transformer(d)
        norm = d.of(None, Case("LayerNorm", (4,), normal()))
        inside = (Case(name, args, normal(), options), d.size(1, 2), norm)
        return inside, {}, _sequences(d, inputs, options)

    return drawn


def transformer(d: Draw) -> Drawn:
    (width, heads, wide, dropout), options = _transformer(d)
    sizes = (width, heads, *d.sizes(2, 1, 2), wide, dropout)
    return sizes, options, _sequences(d, 2, options)


def _transformer(d: Draw) -> tuple[tuple[Any, ...], dict[str, Any]]:
    names = ("batch_first", "norm_first", "bias")
    options = {"activation": d.of("relu", "gelu"), **{name: d.flag() for name in names}}
    return (4, d.of(1, 2), d.size(1, 6), 0.0), options


def _sequences(d: Draw, count: int, options: dict[str, Any]) -> list[Any]:
    batch, times = d.size(1, 3), d.sizes(count)
    return [d.normal(*((batch, n) if options["batch_first"] else (n, batch)), 4) for n in times]


def _reduction(d: Draw) -> dict[str, Any]:
    return {"reduction": d.of("none", "mean", "sum")}


def distance(*names: str) -> Callable[[Draw], Drawn]:
    def drawn(d: Draw) -> Drawn:
        shape, options = d.shape(0), {name: d.of(0.3, 1.0, 2.0) for name in names}
        return (), _reduction(d) | options, [d.normal(*shape), d.normal(*shape)]

    return drawn


def class_loss(*names: str) -> Callable[[Draw], Drawn]:
    def drawn(d: Draw) -> Drawn:
        classes, rows = d.size(2, 5), d.shape(0)
        options = _reduction(d) | {name: d.of(0.0, 0.1, 1.0) for name in names}
        options["weight"] = d.of(None, (d.rng.random(classes) + 0.1).tolist())
        shape = (*rows[:1], classes, *rows[1:])
        return (), options, [d.normal(*shape), d.classes(classes, *rows)]

    return drawn


def binary_loss(squeezed: bool) -> Callable[[Draw], Drawn]:
    def drawn(d: Draw) -> Drawn:
        shape, options = d.shape(), _reduction(d)
        options["weight"] = d.of(None, (d.rng.random(shape[-1]) + 0.1).tolist())
        x = d.normal(*shape)
        if squeezed:
            x = 1 / (1 + np.exp(-x))
        else:
            options["pos_weight"] = d.of(None, (d.rng.random(shape[-1]) + 0.1).tolist())
        return (), options, [x, d.rng.random(shape)]

    return drawn


DRAWN: dict[str, Callable[[Draw], Drawn]] = {
    "Linear": linear, "Flatten": flatten, "Identity": elementwise(),
    "ReLU": elementwise(), "LeakyReLU": elementwise("negative_slope"), "SiLU": elementwise(),
    "Sigmoid": elementwise(), "Tanh": elementwise(), "Softplus": elementwise("beta", "threshold"),
    "GELU": lambda d: ((d.of("none", "tanh"),), {}, [d.normal(*d.shape(0))]),
    "Softmax": along_an_axis, "LogSoftmax": along_an_axis,
    "LayerNorm": last_axes("elementwise_affine", "bias"),
    "RMSNorm": last_axes("elementwise_affine"),
    "GroupNorm": group_norm, "BatchNorm1d": batch_norm(0, 1), "BatchNorm2d": batch_norm(2),
    "Embedding": embedding, "EmbeddingBag": bags,
    "Dropout": dropout(2), "Dropout1d": dropout(3), "Dropout2d": dropout(4),
    "Conv1d": convolution(1), "Conv2d": convolution(2),
    "ConvTranspose1d": transposed(1), "ConvTranspose2d": transposed(2),
    "MaxPool1d": pooling(1, "ceil_mode"), "MaxPool2d": pooling(2, "ceil_mode"),
    "AvgPool1d": pooling(1, "ceil_mode", "count_include_pad"),
    "AvgPool2d": pooling(2, "ceil_mode", "count_include_pad"),
    "AdaptiveAvgPool1d": adaptive(1), "AdaptiveAvgPool2d": adaptive(2),
    "RNN": recurrent, "LSTM": recurrent, "GRU": recurrent, "MultiheadAttention": attention,
    "TransformerEncoderLayer": transformer_layer(1),
    "TransformerDecoderLayer": transformer_layer(2),
    "TransformerEncoder": stack("TransformerEncoderLayer", 1),
    "TransformerDecoder": stack("TransformerDecoderLayer", 2),
    "Transformer": transformer,
    "MSELoss": distance(), "L1Loss": distance(), "HuberLoss": distance("delta"),
    "SmoothL1Loss": distance("beta"),
    "CrossEntropyLoss": class_loss("label_smoothing"), "NLLLoss": class_loss(),
    "BCELoss": binary_loss(True), "BCEWithLogitsLoss": binary_loss(False),
}  # fmt: skip


@pytest.mark.parametrize("name", DRAWN)
@settings(max_examples=10)
@given(data=st.data(), training=st.booleans(), recorded=st.booleans())
def test_outputs_and_gradients(name: str, data: Any, training: bool, recorded: bool) -> None:
    args, options, arrays = DRAWN[name](Draw(data))
    mine, theirs = both(Case(name, args, normal(), options, training=training))
    got = run(mine, arrays, list(mine.parameters()), 1, recorded)
    agree(got, torch_run(theirs, arrays, 1, list(theirs.parameters())))
    for key, tensor in theirs.state_dict().items():  # running statistics have moved alike
        np.testing.assert_allclose(mine.state_dict()[key].numpy(), tensor.numpy(), rtol=1e-9)


def test_every_layer_that_pytorch_has_is_drawn() -> None:
    modules = {n for n in cr.nn.__all__ if inspect.isclass(getattr(cr.nn, n))}
    layers = {n for n in modules if issubclass(getattr(cr.nn, n), cr.nn.Module)}
    containers = {"Module", "Sequential", "ModuleList", "ModuleDict"}
    assert set(DRAWN) == {n for n in layers if hasattr(torch.nn, n)} - containers

"""Networks other than those of tables as graphs of ONNX: onnxruntime gives what they give."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import onnxruntime as runtime

import chainrule as cr
from chainrule import nn
from chainrule.errors import ProgramError, ShapeError
from chainrule.model.onnx_export import export_network
from chainrule.nn import networks

Arrays = list[np.ndarray[Any, Any]]


def numbers(*sizes: int) -> Callable[[Any, int], Any]:
    return lambda rng, rows: rng.standard_normal((rows, *sizes)).astype(np.float32)


def tokens(known: int, *sizes: int) -> Callable[[Any, int], Any]:
    return lambda rng, rows: rng.integers(1, known, (rows, *sizes))


def small_cnn() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.BatchNorm2d(4), nn.Flatten(),
        nn.Linear(64, 5),
    )  # fmt: skip


class OverRows(nn.Module):
    """Python's numbers that follow the number of rows: in a division they can be written."""

    def __init__(self, power: float | int) -> None:
        self.power = power

    def forward(self, x: Any) -> Any:
        return (x - x.mean(0)) / len(x) ** self.power


GPT = networks.GPTConfig(tokens=11, context=8, width=8, layers=2, heads=2)
WRITING = networks.GPTConfig(11, 8, 8, 2, 2, bias=False, positions="rotary")
TRANSLATING = networks.Seq2SeqConfig(9, 7, width=8, heads=2, layers=1)

# Those of examples/uses and of the benchmarks, small: the network, and what makes its inputs.
CASES: dict[str, tuple[Callable[[], nn.Module], list[Callable[[Any, int], Any]]]] = {
    "mlp": (lambda: networks.MLP(networks.MLPConfig(4, 2)), [numbers(4)]),
    "cnn": (small_cnn, [numbers(1, 8, 8)]),
    "classify-resnet": (
        lambda: networks.ResNet(networks.ResNetConfig(1, 10, widths=(4, 8), blocks=(1, 1))),
        [numbers(1, 8, 8)],
    ),
    "classify-vit": (
        lambda: networks.ViT(networks.ViTConfig(8, 2, 1, 10, width=8, layers=2, heads=2)),
        [numbers(1, 8, 8)],
    ),
    "write": (lambda: networks.GPT(WRITING), [tokens(11, 8)]),
    "gpt": (lambda: networks.GPT(GPT), [tokens(11, 6)]),
    "translate": (lambda: networks.Seq2Seq(TRANSLATING), [tokens(9, 6), tokens(7, 4)]),
    "forecast": (
        lambda: networks.LSTMForecaster(networks.LSTMForecasterConfig(3, 2, hidden=8)),
        [numbers(7, 3)],
    ),
    "tagger": (
        lambda: networks.LSTMTagger(networks.LSTMTaggerConfig(20, 5, 8, 8, layers=2)),
        [tokens(20, 7), tokens(7)],
    ),
    "recommend": (
        lambda: networks.MatrixFactorization(networks.MatrixFactorizationConfig(10, 20, 4, 3.5)),
        [tokens(10), tokens(20)],
    ),
    "gru": (
        lambda: nn.GRU(3, 4, 2, batch_first=True, bidirectional=True),  # gives two outputs
        [numbers(7, 3)],
    ),
    "bag": (lambda: nn.EmbeddingBag(7, 3), [tokens(7, 5)]),
    "up": (lambda: nn.ConvTranspose2d(2, 3, 3, 2, 1, 1), [numbers(2, 4, 5)]),
    "over": (lambda: OverRows(1), [numbers(3)]),
    "mean": (lambda: nn.AvgPool2d(3, 2, 1), [numbers(2, 7, 5)]),
}


@pytest.mark.parametrize("name", CASES)
def test_any_number_of_rows(name: str, tmp_path: Path) -> None:
    make, makers = CASES[name]
    cr.manual_seed(0)
    network, rng = make(), np.random.default_rng(0)
    export_network(network, [given(rng, 2) for given in makers], tmp_path / "network.onnx")
    assert network.training  # as it was
    session = runtime.InferenceSession(tmp_path / "network.onnx")
    names = [one.name for one in session.get_inputs()]
    network.eval()
    for rows in (1, 5):
        inputs = [given(rng, rows) for given in makers]
        with cr.no_grad():
            found = network(*map(cr.tensor, inputs))
        expected = found if isinstance(found, tuple) else (found,)
        for got, want in zip(
            session.run(None, dict(zip(names, inputs, strict=True))), expected, strict=True
        ):
            np.testing.assert_allclose(got, want.numpy(), rtol=1e-5, atol=1e-5)


def test_inputs_have_the_names_of_the_arguments(tmp_path: Path) -> None:
    make, makers = CASES["recommend"]
    inputs = [given(np.random.default_rng(0), 2) for given in makers]
    export_network(make(), inputs, tmp_path / "network.onnx")
    session = runtime.InferenceSession(tmp_path / "network.onnx")
    assert [(one.name, one.shape) for one in session.get_inputs()] == [
        ("users", ["rows"]),
        ("items", ["rows"]),
    ]
    assert [one.name for one in session.get_outputs()] == ["output"]


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match="another number of rows"):
        export_network(OverRows(0.5), [cr.zeros(2, 3)], tmp_path / "network.onnx")
    times = [cr.zeros(n, 2, 4) for n in (3, 5, 5)]
    with pytest.raises(ShapeError, match="first axis of all"):
        export_network(nn.MultiheadAttention(4, 2), times, tmp_path / "network.onnx")
    assert not list(tmp_path.iterdir())

"""The source of a PyTorch module computes what the model computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

import chainrule as cr
from chainrule.core.program import Program
from chainrule.model import record_forward
from chainrule.model.torch_source import torch_source
from chainrule.nn import init
from chainrule.spec import Spec
from chainrule.train import Settings, train_table
from chainrule.train.network import TableNetwork
from chainrule.train.pictures import PictureVector
from chainrule.train.vectors import CategoryVector, TokenBag, TokenSequence

pytestmark = pytest.mark.peers


@pytest.mark.parametrize(
    ("data", "settings"),
    [
        ("digits", {"types": {"p30": "category"}, "encode": {"p30": "embedding"}}),
        ("courier", {"activation": "gelu"}),
    ],
)
def test_it_computes_the_same(data: str, settings: dict[str, Any], tmp_path: Path) -> None:
    made = train_table(Settings(data=data, epochs=1, output=str(tmp_path / "run"), **settings))
    part, model = made.prepared.test, made.model
    weights, expected = model.weights(), model.outputs(part.numbers, part.codes)
    assert_same(model.program, weights, [part.numbers, part.codes], expected)


@pytest.mark.parametrize("side", [9, 12, 28])
def test_pictures_and_texts(side: int) -> None:
    """Everything that a table's network may be made of, on rows of all."""
    cr.manual_seed(0)
    vectors = [CategoryVector(9, 3), TokenBag(9, 4, 5), TokenSequence(9, 6, 7)]
    for parameter in vectors[1].parameters():
        init.normal_(parameter)
    pictures = [PictureVector(2, (side, side, 3))]
    network = TableNetwork(4 + 3 * side**2, vectors, [8], 2, "silu", 0.5, pictures).eval()
    rng = np.random.default_rng(0)
    numbers = rng.standard_normal((5, 4 + 3 * side**2)).astype(np.float32)
    codes = rng.integers(0, 9, (5, 11))
    program = record_forward(network, [Spec((1, x.shape[1]), x.dtype) for x in (numbers, codes)])
    with cr.no_grad():
        expected = network(cr.tensor(numbers), cr.tensor(codes)).numpy()
    weights = {name: program.cells[name].held() for name in program.reads}
    assert_same(program, weights, [numbers, codes], expected)


def assert_same(program: Program, weights: Any, inputs: list[Any], expected: Any) -> None:
    """The module that was written out gives what was expected."""
    names: dict[str, Any] = {}
    exec(torch_source(program, "A model."), names)
    module = names["Model"]()
    module.load_state_dict({name: torch.tensor(np.array(raw)) for name, raw in weights.items()})
    with torch.no_grad():
        found = module(*map(torch.tensor, inputs)).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)

"""The source of a PyTorch module computes what the model computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from chainrule.model.torch_source import torch_source
from chainrule.train import Settings, train_table

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
    names: dict[str, Any] = {}
    exec(torch_source(made.model.program, "A model."), names)
    module = names["Model"]()
    module.load_state_dict({k: torch.tensor(np.array(v)) for k, v in made.model.weights().items()})
    part = made.prepared.test
    with torch.no_grad():
        found = module(torch.tensor(part.numbers), torch.tensor(part.codes)).numpy()
    np.testing.assert_allclose(found, made.model.outputs(part.numbers, part.codes), atol=1e-5)

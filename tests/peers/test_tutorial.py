"""The tutorial's file runs under PyTorch, too, and the losses are the same.

Only its import line is exchanged. So that both start alike, what they import is a thin wrapper
whose `randn` and `nn.Linear` give the same noise and the same starting weights.
"""

from __future__ import annotations

import contextlib
import importlib
import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

TUTORIAL = Path(__file__).parents[2] / "examples" / "lessons" / "09_tutorial.py"
IMPORT = "import chainrule as torch\n"


def run(source: str, names: dict[str, Any]) -> dict[str, Any]:
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(source, str(TUTORIAL), "exec"), names)
    return names


def starting_alike(library: Any, noise: Any, weight: float, bias: float) -> Any:
    """`library` with the noise and the weights that are given instead of random ones."""

    class Wrapped:
        def __init__(self, inner: Any, **replaced: Any) -> None:
            self.inner = inner
            vars(self).update(replaced)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.inner, name)

    def linear(*sizes: int) -> Any:
        layer = library.nn.Linear(*sizes)
        state = {"weight": library.tensor([[weight]]), "bias": library.tensor([bias])}
        layer.load_state_dict(state)
        return layer

    nn = Wrapped(library.nn, Linear=linear)
    return Wrapped(library, nn=nn, randn=lambda *size: library.tensor(noise.reshape(size)))


@pytest.mark.peers
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_same_losses_from_the_same_start(seed):
    source = TUTORIAL.read_text("utf-8")
    assert source.count(IMPORT) == 1
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal(100).astype(np.float32)
    weight, bias = rng.uniform(-1, 1, 2).tolist()
    ended = {}
    for name in ("chainrule", "torch"):
        library = importlib.import_module(name)
        start = starting_alike(library, noise, weight, bias)
        ended[name] = SimpleNamespace(**run(source.replace(IMPORT, ""), {"torch": start}))
    ours, theirs = ended["chainrule"], ended["torch"]
    assert len(ours.losses) == len(theirs.losses) == 200
    np.testing.assert_allclose(ours.losses, theirs.losses, rtol=0, atol=1e-5)
    for name in ("weight", "bias"):
        mine, other = (getattr(one.model, name).item() for one in (ours, theirs))
        assert mine == pytest.approx(other, abs=1e-5)


@pytest.mark.peers
def test_the_file_with_only_the_import_changed_is_a_program_of_pytorch():
    names = run(TUTORIAL.read_text("utf-8").replace(IMPORT, "import torch\n"), {})
    assert names["torch"].__name__ == "torch"
    assert names["model"].weight.item() == pytest.approx(2.0, abs=0.1)
    assert names["model"].bias.item() == pytest.approx(1.0, abs=0.1)

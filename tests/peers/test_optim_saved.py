"""Files of weights go from here to PyTorch and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ArtefactError
from chainrule.serialization import load, save

pytestmark = pytest.mark.peers
torch = pytest.importorskip("torch")
from safetensors.torch import load_file, save_file  # noqa: E402 - it needs PyTorch

X = np.random.default_rng(0).standard_normal((5, 3)).astype("float32")


def models() -> tuple[cr.nn.Module, torch.nn.Module]:
    return (
        cr.nn.Sequential(cr.nn.Linear(3, 4), cr.nn.Tanh(), cr.nn.Linear(4, 2)),
        torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2)),
    )


def test_from_here_to_pytorch(tmp_path: Path) -> None:
    ours, theirs = models()
    save(ours.state_dict(), tmp_path / "w.safetensors")
    theirs.load_state_dict(load_file(tmp_path / "w.safetensors"))
    found = theirs(torch.tensor(X)).detach().numpy()
    np.testing.assert_allclose(ours(cr.tensor(X)).numpy(), found, rtol=1e-5, atol=1e-6)


def test_from_pytorch_to_here(tmp_path: Path) -> None:
    ours, theirs = models()
    save_file(theirs.state_dict(), tmp_path / "w.safetensors")
    ours.load_state_dict(load(tmp_path / "w.safetensors"))
    found = theirs(torch.tensor(X)).detach().numpy()
    np.testing.assert_allclose(ours(cr.tensor(X)).numpy(), found, rtol=1e-5, atol=1e-6)


def test_a_dtype_that_numpy_has_not(tmp_path: Path) -> None:
    save_file({"w": torch.ones(3, dtype=torch.bfloat16)}, tmp_path / "w.safetensors")
    with pytest.raises(ArtefactError, match="numbers that NumPy has"):
        load(tmp_path / "w.safetensors")

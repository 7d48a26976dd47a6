"""A checkpoint of GPT-2 gives the scores and gradients of GPT-2 written out in PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.nn.networks.test_networks import gpt2_state
from tests.nn.steps import assert_close

import chainrule as cr
from chainrule.nn.networks import gpt2

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.peers
HEADS = 2


def reference(state: dict[str, Any], text: Any) -> Any:
    """As in GPT-2's own code: Conv1D's x W + b, gelu by tanh, the head tied to the embedding."""
    functional = torch.nn.functional
    width, batch, time = state["wte.weight"].shape[1], *text.shape

    def norm(x: Any, name: str) -> Any:
        weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
        return functional.layer_norm(x, (width,), weight, bias, 1e-5)

    def layer(x: Any, name: str) -> Any:
        return x @ state[f"{name}.weight"] + state[f"{name}.bias"]

    x = state["wte.weight"][text] + state["wpe.weight"][:time]
    hidden = torch.triu(torch.ones(time, time, dtype=torch.bool), 1)
    for block in (f"h.{i}" for i in range(sum(k.endswith("ln_1.bias") for k in state))):
        parts = layer(norm(x, f"{block}.ln_1"), f"{block}.attn.c_attn").split(width, dim=2)
        q, k, v = (p.reshape(batch, time, HEADS, -1).transpose(1, 2) for p in parts)
        scores = (q @ k.transpose(2, 3) / (width // HEADS) ** 0.5).masked_fill(hidden, -torch.inf)
        read = (scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, time, width)
        x = x + layer(read, f"{block}.attn.c_proj")
        wide = layer(norm(x, f"{block}.ln_2"), f"{block}.mlp.c_fc")
        x = x + layer(functional.gelu(wide, approximate="tanh"), f"{block}.mlp.c_proj")
    return norm(x, "ln_f") @ state["wte.weight"].T


def test_a_checkpoint_of_gpt2(tmp_path: Any) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    arrays = gpt2_state(np.random.default_rng(3))
    there = {name: torch.tensor(array) for name, array in arrays.items()}
    safetensors.save_file(there, tmp_path / "model.safetensors")
    model = gpt2(cr.load(tmp_path / "model.safetensors"), heads=HEADS).double()
    there = {k: v.double().requires_grad_() for k, v in there.items()}
    text = np.array([[1, 10, 3, 3, 0], [2, 2, 9, 7, 5]])
    mine, theirs = model(cr.tensor(text)), reference(there, torch.tensor(text))
    assert_close(mine.numpy(), theirs.detach().numpy(), 1e-10)
    weights = np.random.default_rng(0).standard_normal(mine.shape)
    (mine * cr.tensor(weights)).sum().backward()
    (theirs * torch.tensor(weights)).sum().backward()
    assert_close(model.embed.weight.grad.numpy(), there["wte.weight"].grad.numpy(), 1e-10)
    got = model.blocks[1].attention.attend.weight.grad.numpy()
    assert_close(got, there["h.1.attn.c_attn.weight"].grad.numpy().T, 1e-10)


@pytest.mark.parametrize("backend", ["interpret", "native"])
def test_fifty_steps_have_the_losses_of_pytorch(backend: Any) -> None:
    """The same weights and batches in float32, by AdamW."""
    arrays = gpt2_state(np.random.default_rng(3))
    model = gpt2({name: cr.tensor(array) for name, array in arrays.items()}, heads=HEADS)
    there = {name: torch.tensor(array).requires_grad_() for name, array in arrays.items()}
    tokens = len(arrays["wte.weight"])
    text = np.random.default_rng(0).integers(0, tokens, (50, 4, 6))
    text[:, :, 1::2] = (text[:, :, 0::2] + 3) % tokens  # something to learn
    mine = cr.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.1)
    theirs = torch.optim.AdamW(there.values(), lr=3e-3, weight_decay=0.1)
    criterion, other = cr.nn.CrossEntropyLoss(), torch.nn.CrossEntropyLoss()

    def step(x: Any, y: Any) -> Any:
        loss = criterion(model(x).reshape(-1, tokens), y.reshape(-1))
        mine.zero_grad()
        loss.backward()
        mine.step()
        return loss

    compiled = cr.compile(step, backend)
    got = [compiled(cr.tensor(t[:, :-1]), cr.tensor(t[:, 1:])).item() for t in text]
    expected = []
    for batch in map(torch.tensor, text):
        loss = other(reference(there, batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
        theirs.zero_grad()
        loss.backward()
        theirs.step()
        expected.append(loss.item())
    assert expected[-1] < expected[0] - 0.3
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-4)

"""A checkpoint of GPT-2 as the transformers library writes it gives that library's scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.nn.networks import gpt2

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.peers


@pytest.mark.parametrize("part", ["GPT2LMHeadModel", "GPT2Model"])
def test_a_saved_checkpoint_loads(part: str, tmp_path: Any) -> None:
    torch.manual_seed(0)
    sizes = {"vocab_size": 67, "n_positions": 24, "n_embd": 32, "n_layer": 3, "n_head": 4}
    # Spread wider than GPT-2's first weights are, or all scores would be nearly alike.
    config = transformers.GPT2Config(**sizes, initializer_range=0.3, bos_token_id=0, eos_token_id=0)
    theirs = transformers.GPT2LMHeadModel(config).eval()
    for name, parameter in theirs.named_parameters():  # norms and biases begin as ones and zeros
        if parameter.ndim == 1:
            torch.nn.init.normal_(parameter, float(name.endswith("weight")), 0.3)
    saved = theirs if part == "GPT2LMHeadModel" else theirs.transformer
    saved.save_pretrained(tmp_path)
    mine = gpt2(cr.load(tmp_path / "model.safetensors"), heads=4).eval()
    text = np.random.default_rng(0).integers(0, 67, (2, 24))
    with torch.no_grad():
        expected = theirs(torch.tensor(text)).logits.numpy()
    got = mine(cr.tensor(text))
    assert got.dtype == np.float32
    assert expected.std() > 1
    np.testing.assert_allclose(got.numpy(), expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    whole = theirs.generate(
        torch.tensor(text[:, :9]), max_new_tokens=15, do_sample=False, pad_token_id=0,
        eos_token_id=None,
    )  # fmt: skip
    np.testing.assert_array_equal(mine.generate(text[:, :9], 15, temperature=0), whole.numpy())

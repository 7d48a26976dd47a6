"""GPT-2's checkpoints, as their files name and lay out the weights."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from chainrule.errors import ArtefactError
from chainrule.nn.networks.gpt import GPT, GPTConfig

_NAMES = {
    "wte": "embed", "wpe": "places", "ln_f": "norm", "ln_1": "norm1", "ln_2": "norm2",
    "attn.c_attn": "attention.attend", "attn.c_proj": "attention.project",
    "mlp.c_fc": "widen", "mlp.c_proj": "narrow",
}  # fmt: skip
_IGNORED = re.compile(r"h\.\d+\.attn\.(bias|masked_bias)|lm_head\.weight")
_TURNED = ("attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_fc.weight", "mlp.c_proj.weight")


def gpt2(state: Mapping[str, Any], heads: int | None = None) -> GPT:
    """The GPT of a GPT-2 checkpoint: `gpt2(cr.load("model.safetensors"))`.

    `state`: its tensors by name, "wte.weight" and so on, with or without "transformer." in front;
    weights of layers lie there as [in, out]. Sizes are taken from the shapes; `heads`: one for
    every 64 of the width if None, as in all of GPT-2's sizes. Raises ArtefactError when something
    is missing, unknown or of another shape.

    >>> gpt2({"wte.weight": np.zeros((9, 8))})
    Traceback (most recent call last):
        ...
    chainrule.errors.ArtefactError: this is no checkpoint of GPT-2
      expected: wte.weight, wpe.weight and the layers h.0 and on
      got:      wte.weight
    """
    arrays = {k.removeprefix("transformer."): np.asarray(v) for k, v in state.items()}
    arrays = {k: v for k, v in arrays.items() if not _IGNORED.fullmatch(k)}
    numbers = {int(found[1]) for k in arrays if (found := re.match(r"h\.(\d+)\.", k))}
    if not {"wte.weight", "wpe.weight"} <= arrays.keys() or not numbers:
        raise ArtefactError(
            "this is no checkpoint of GPT-2",
            expected="wte.weight, wpe.weight and the layers h.0 and on",
            got=", ".join(list(arrays)[:3]) or "nothing",
        )
    (tokens, width), context = arrays["wte.weight"].shape, len(arrays["wpe.weight"])
    config = GPTConfig(
        tokens=tokens,
        context=context,
        width=width,
        layers=max(numbers) + 1,
        heads=heads or max(width // 64, 1),
        activation="gelu_tanh",
    )
    model = GPT(config)
    renamed = {_renamed(k): v.T if k.endswith(_TURNED) else v for k, v in arrays.items()}
    renamed["head.weight"] = arrays["wte.weight"]
    try:
        model.load_state_dict(renamed)
    except ValueError as wrong:
        raise ArtefactError(
            "the checkpoint of GPT-2 is incomplete or of other shapes", got=wrong
        ) from None
    return model


def _renamed(name: str) -> str:
    """h.3.attn.c_attn.weight as blocks.3.attention.attend.weight."""
    layer = re.match(r"h\.(\d+)\.", name)
    start = f"blocks.{layer[1]}." if layer else ""
    part, _, kind = name[layer.end() if layer else 0 :].rpartition(".")
    return f"{start}{_NAMES.get(part, part)}.{kind}"

"""A GPT of characters: it predicts, at every place of a text, the character that follows."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.networks.blocks import apply_block, block, block_products, layer_norm
from benchmarks.networks.network import Network, Product, labels

VOCABULARY, CONTEXT, WIDTH, LAYERS, HEADS = 65, 64, 128, 4, 4


def _build(library: Any) -> Any:
    nn = library.nn

    class GPT(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.characters = nn.Embedding(VOCABULARY, WIDTH)
            self.places = nn.Parameter(library.randn(CONTEXT, WIDTH) * 0.1)
            self.blocks = nn.Sequential(
                *[block(library, WIDTH, HEADS, causal=True) for _ in range(LAYERS)]
            )
            self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, VOCABULARY, bias=False)

        def forward(self, text: Any) -> Any:
            x = self.blocks(self.characters(text) + self.places)
            return self.head(self.norm(x)).reshape(-1, VOCABULARY)

    return GPT()


def _forward(weights: Any, text: Any) -> Any:
    x = weights["characters.weight"][text] + weights["places"]
    for layer in range(LAYERS):
        x = apply_block(weights, f"blocks.{layer}", x, HEADS, causal=True)
    return (layer_norm(weights, "norm", x) @ weights["head.weight"]).reshape(-1, VOCABULARY)


def _data(rng: np.random.Generator, rows: int) -> Any:
    text = labels(rng, VOCABULARY, rows, CONTEXT + 1)
    return text[:, :-1].copy(), text[:, 1:].copy()


def _products(batch: int) -> list[Product]:
    return [
        *block_products(batch, CONTEXT, WIDTH, HEADS, LAYERS),
        Product(batch * CONTEXT, WIDTH, VOCABULARY),
    ]


NETWORKS = (
    Network(
        name="gpt",
        title="character GPT (width 128, 4 layers, 4 heads, context 64), batch 16",
        batch=16,
        batches=3,
        loss="cross_entropy",
        optimizer="AdamW",
        build=_build,
        forward=_forward,
        data=_data,
        products=_products,
    ),
)

"""A vision transformer: an image of 28 x 28 pixels as 16 patches of 7 x 7."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.networks.blocks import apply_block, block, block_products, layer_norm, linear
from benchmarks.networks.network import Network, Product, labels, numbers

PATCH, ALONG, WIDTH, LAYERS, HEADS, CLASSES = 7, 4, 64, 4, 4, 10
PATCHES = ALONG * ALONG


def _patches(images: Any, permute: Any) -> Any:
    """[n, 1, 28, 28] as [n, 16, 49]."""
    n = images.shape[0]
    parts = permute(images.reshape(n, ALONG, PATCH, ALONG, PATCH), (0, 1, 3, 2, 4))
    return parts.reshape(n, PATCHES, PATCH * PATCH)


def _build(library: Any) -> Any:
    nn = library.nn

    class ViT(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Linear(PATCH * PATCH, WIDTH)
            self.places = nn.Parameter(library.randn(PATCHES, WIDTH) * 0.1)
            self.blocks = nn.Sequential(
                *[block(library, WIDTH, HEADS, causal=False) for _ in range(LAYERS)]
            )
            self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, CLASSES)

        def forward(self, images: Any) -> Any:
            x = self.embed(_patches(images, library.permute)) + self.places
            return self.head(self.norm(self.blocks(x)).mean(1))

    return ViT()


def _forward(weights: Any, images: Any) -> Any:
    import jax.numpy as jnp

    x = linear(weights, "embed", _patches(images, jnp.transpose)) + weights["places"]
    for layer in range(LAYERS):
        x = apply_block(weights, f"blocks.{layer}", x, HEADS, causal=False)
    return linear(weights, "head", layer_norm(weights, "norm", x).mean(1))


def _data(rng: np.random.Generator, rows: int) -> Any:
    return numbers(rng, rows, 1, 28, 28), labels(rng, CLASSES, rows)


def _products(batch: int) -> list[Product]:
    return [
        Product(batch * PATCHES, PATCH * PATCH, WIDTH, gradients=1),
        *block_products(batch, PATCHES, WIDTH, HEADS, LAYERS),
        Product(batch, WIDTH, CLASSES),
    ]


NETWORKS = (
    Network(
        name="vit",
        title="ViT on 28x28 (patch 7, width 64, 4 layers, 4 heads), batch 64",
        batch=64,
        batches=8,
        loss="cross_entropy",
        optimizer="Adam",
        build=_build,
        forward=_forward,
        data=_data,
        products=_products,
    ),
)

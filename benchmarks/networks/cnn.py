"""A small convolutional network for images of 28 x 28 pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.networks.network import Network, Product, labels, numbers

CLASSES = 10


def _build(library: Any) -> Any:
    nn, functional = library.nn, library.nn.functional

    class CNN(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv2d(1, 16, 3, padding=1)
            self.second = nn.Conv2d(16, 32, 3, padding=1)
            self.hidden, self.head = nn.Linear(32 * 7 * 7, 128), nn.Linear(128, CLASSES)

        def forward(self, x: Any) -> Any:
            x = functional.max_pool2d(functional.relu(self.first(x)), 2)
            x = functional.max_pool2d(functional.relu(self.second(x)), 2)
            return self.head(functional.relu(self.hidden(x.flatten(1))))

    return CNN()


def _forward(weights: Any, x: Any) -> Any:
    """Channels last, which XLA's convolutions on CPUs want."""
    import jax
    import jax.numpy as jnp

    def convolution(layer: str, x: Any) -> Any:
        kernel = weights[f"{layer}.weight"].transpose(2, 3, 1, 0)
        layout = ("NHWC", "HWIO", "NHWC")
        x = jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=layout)
        n, height, width, channels = x.shape
        x = jax.nn.relu(x + weights[f"{layer}.bias"])
        return x.reshape(n, height // 2, 2, width // 2, 2, channels).max((2, 4))

    x = convolution("second", convolution("first", jnp.moveaxis(x, 1, 3)))
    x = jnp.moveaxis(x, 3, 1).reshape(len(x), -1)
    x = jax.nn.relu(x @ weights["hidden.weight"] + weights["hidden.bias"])
    return x @ weights["head.weight"] + weights["head.bias"]


def _data(rng: np.random.Generator, rows: int) -> Any:
    return numbers(rng, rows, 1, 28, 28), labels(rng, CLASSES, rows)


def _products(batch: int) -> list[Product]:
    """A convolution is a product of its windows and its weight."""
    return [
        Product(batch * 28 * 28, 9, 16, gradients=1),
        Product(batch * 14 * 14, 9 * 16, 32),
        Product(batch, 32 * 7 * 7, 128),
        Product(batch, 128, CLASSES),
    ]


NETWORKS = (
    Network(
        name="cnn",
        title="small CNN on 28x28x1, batch 64",
        batch=64,
        batches=16,
        loss="cross_entropy",
        optimizer="Adam",
        build=_build,
        forward=_forward,
        data=_data,
        products=_products,
        images=True,
    ),
)

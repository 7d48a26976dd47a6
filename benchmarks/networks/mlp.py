"""Fully connected networks: layers with relu between them."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.networks.network import Network, Product, labels, numbers

Sizes = tuple[int, ...]


def _build(sizes: Sizes, library: Any) -> Any:
    layers = []
    for wide, narrow in pairwise(sizes):
        layers += [library.nn.Linear(wide, narrow), library.nn.ReLU()]
    return library.nn.Sequential(*layers[:-1])


def _forward(sizes: Sizes, weights: Any, x: Any) -> Any:
    import jax

    last = 2 * (len(sizes) - 2)
    for layer in range(0, last + 1, 2):
        x = x @ weights[f"{layer}.weight"] + weights[f"{layer}.bias"]
        x = x if layer == last else jax.nn.relu(x)
    return x


def _products(sizes: Sizes, batch: int) -> list[Product]:
    return [
        Product(batch, wide, narrow, gradients=2 if layer else 1)
        for layer, (wide, narrow) in enumerate(pairwise(sizes))
    ]


def _regression(sizes: Sizes, rng: np.random.Generator, rows: int) -> Any:
    return numbers(rng, rows, sizes[0]), numbers(rng, rows, sizes[-1])


def _classification(sizes: Sizes, rng: np.random.Generator, rows: int) -> Any:
    return numbers(rng, rows, sizes[0]), labels(rng, sizes[-1], rows)


def _network(sizes: Sizes, batch: int, batches: int, regression: bool) -> Network:
    layers = "-".join(map(str, sizes))
    return Network(
        name=f"mlp-{layers}",
        title=f"{layers}, batch {batch} ({'MSE' if regression else 'cross-entropy'})",
        batch=batch,
        batches=batches,
        loss="mse" if regression else "cross_entropy",
        optimizer="Adam",
        build=partial(_build, sizes),
        forward=partial(_forward, sizes),
        data=partial(_regression if regression else _classification, sizes),
        products=partial(_products, sizes),
    )


NETWORKS = (
    _network((8, 64, 64, 1), 32, 512, regression=True),
    _network((8, 256, 256, 1), 256, 64, regression=True),
    _network((784, 512, 256, 10), 128, 32, regression=False),
    _network((1024, 1024, 1024, 10), 512, 6, regression=False),
)

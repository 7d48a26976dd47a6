"""Recommendations: the rating of an item by a user, from biases and a product of two vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.networks.network import Network, Product, numbers

USERS, ITEMS, WIDTH = 6040, 3700, 32


def _build(library: Any) -> Any:
    nn = library.nn

    class Factors(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.users, self.items = nn.Embedding(USERS, WIDTH), nn.Embedding(ITEMS, WIDTH)
            self.user_biases, self.item_biases = nn.Embedding(USERS, 1), nn.Embedding(ITEMS, 1)

        def forward(self, pairs: Any) -> Any:
            users, items = pairs[:, 0], pairs[:, 1]
            matched = (self.users(users) * self.items(items)).sum(-1, keepdims=True)
            return matched + self.user_biases(users) + self.item_biases(items)

    return Factors()


def _forward(weights: Any, pairs: Any) -> Any:
    users, items = pairs[:, 0], pairs[:, 1]
    matched = weights["users.weight"][users] * weights["items.weight"][items]
    biases = weights["user_biases.weight"][users] + weights["item_biases.weight"][items]
    return matched.sum(-1, keepdims=True) + biases


def _data(rng: np.random.Generator, rows: int) -> Any:
    pairs = np.stack([rng.integers(0, count, rows) for count in (USERS, ITEMS)], axis=1)
    return pairs, numbers(rng, rows, 1)


def _products(batch: int) -> list[Product]:
    """None: two rows are multiplied number by number."""
    return []


NETWORKS = (
    Network(
        name="factors",
        title="recommender (6,040 users, 3,700 items, width 32), batch 1,024",
        batch=1024,
        batches=16,
        loss="mse",
        optimizer="Adam",
        build=_build,
        forward=_forward,
        data=_data,
        products=_products,
    ),
)

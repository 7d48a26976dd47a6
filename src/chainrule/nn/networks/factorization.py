"""Recommendations: who likes what, as a product of two learned vectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.errors import ShapeError
from chainrule.nn import init
from chainrule.nn.embedding import Embedding
from chainrule.nn.module import Module
from chainrule.spec import F32, Spec
from chainrule.tensors import Buffer, Tensor


@dataclass(frozen=True)
class MatrixFactorizationConfig:
    """How many users and items there are, the width of their vectors, and the mean rating."""

    users: int
    items: int
    width: int = 32
    mean: float = 0.0


class MatrixFactorization(Module):
    """mean + bias of the user + bias of the item + user vector · item vector.

    users, items: integers of one shape; gives ratings of that shape. The vectors start normal with
    deviation 0.1 / √width, the biases at 0. Raises ShapeError when the shapes differ and
    IndexRangeError for an unknown user or item. Source: Y. Koren, R. Bell and C. Volinsky, "Matrix
    factorization techniques for recommender systems", 2009.

    >>> import chainrule as cr
    >>> model = MatrixFactorization(MatrixFactorizationConfig(users=10, items=20, mean=3.5))
    >>> model(cr.tensor([0, 3]), cr.tensor([7, 7])).shape
    (2,)
    """

    def __init__(self, config: MatrixFactorizationConfig) -> None:
        self.config = config
        self.users = Embedding(config.users, config.width)
        self.items = Embedding(config.items, config.width)
        self.user_biases, self.item_biases = Embedding(config.users, 1), Embedding(config.items, 1)
        self.mean = Buffer(np.array(config.mean, F32))
        for vectors in (self.users, self.items):
            init.normal_(vectors.weight, std=0.1 * config.width**-0.5)
        for biases in (self.user_biases, self.item_biases):
            init.zeros_(biases.weight)

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        if users.shape != items.shape:
            raise ShapeError(
                "a rating is of one user and one item",
                expected=f"items of the users' shape, {list(users.shape)}",
                got=Spec(items.shape, items.dtype),
                hint="one item beside each user",
            )
        matched = (self.users(users) * self.items(items)).sum(-1)
        biases = self.user_biases(users) + self.item_biases(items)
        return matched + biases.squeeze(-1) + self.mean  # type: ignore[no-any-return]

"""Recommendations: who likes what, as a product of two learned vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import IndexRangeError, ShapeError
from chainrule.nn import init
from chainrule.nn.embedding import Embedding
from chainrule.nn.module import Module
from chainrule.spec import F32, Spec
from chainrule.tensors import Buffer, Tensor

Scores = NDArray[np.float32]

_NOT_LIKED = 0.01  # what an item that was not liked counts in a newcomer's vector


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

    def scores(self, users: Any = None) -> Scores:
        """What is thought of every item by these users, all if not given: float32 [users, items].

        IndexRangeError for an unknown user.
        """
        rows = np.arange(self.config.users) if users is None else self._known(users, "users")
        matched = self.users.weight.numpy()[rows] @ self.items.weight.numpy().T
        biases = self.user_biases.weight.numpy()[rows] + self.item_biases.weight.numpy().T
        return np.asarray(matched + biases + self.mean.numpy(), np.float32)

    def similar(self, item: int, count: int = 10) -> NDArray[np.int64]:
        """The items whose vectors point in most nearly the same way: int64 [count], nearest first.

        IndexRangeError for an unknown item.
        """
        (item,) = self._known([item], "items")
        vectors = self.items.weight.numpy()
        length = np.maximum(np.linalg.norm(vectors, axis=1), np.finfo(F32).tiny)
        nearness = vectors @ vectors[item] / length
        nearness[item] = -np.inf
        return np.argsort(-nearness, kind="stable")[: min(count, len(vectors) - 1)]

    def newcomer(self, liked: Sequence[int]) -> tuple[Scores, Scores]:
        """For somebody unknown who liked these items: the scores of all, and what each is due to.

        float32 [items], and [items, liked]: a score is the mean, the item's bias, and the sum of
        its row. The vector behind it is the least-squares answer to 1 for what was liked and, at a
        hundredth of the weight, 0 for everything, as long as a user's is on average; it is a sum
        over what was liked, so each score is too. IndexRangeError for an unknown item. Source: Y.
        Hu, Y. Koren and C. Volinsky, "Collaborative filtering for implicit feedback datasets",
        2008, section 5.

        >>> import chainrule as cr
        >>> model = MatrixFactorization(MatrixFactorizationConfig(users=10, items=20))
        >>> scores, due_to = model.newcomer([3, 7])
        >>> scores.shape, due_to.shape
        ((20,), (20, 2))
        """
        items = self.items.weight.numpy().astype(np.float64)
        chosen = items[self._known(liked, "items")]
        curve = chosen.T @ chosen + _NOT_LIKED * items.T @ items + np.eye(items.shape[1])
        parts = np.linalg.solve(curve, chosen.T)  # [width, liked]: they add up to the vector
        usual = np.linalg.norm(self.users.weight.numpy(), axis=1).mean()
        parts *= usual / max(np.linalg.norm(parts.sum(axis=1)), np.finfo(F32).tiny)
        due_to = items @ parts
        scores = due_to.sum(axis=1) + self.item_biases.weight.numpy()[:, 0] + self.mean.numpy()
        return scores.astype(F32), due_to.astype(F32)

    def _known(self, wanted: Any, kind: str) -> NDArray[np.int64]:
        """Numbers of users or items, which must exist."""
        numbers, count = np.asarray(wanted, np.int64), getattr(self.config, kind)
        if numbers.size and (numbers.min() < 0 or numbers.max() >= count):
            raise IndexRangeError(
                f"the network knows no such {kind}",
                expected=f"0 to {count - 1}",
                got=f"{numbers.min()} to {numbers.max()}",
            )
        return numbers

"""What a benchmark knows of a network: how to build it, its data, its loss and its products."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[np.float32]]

TABLES = (
    *("characters.weight", "places"),
    *("users.weight", "items.weight", "user_biases.weight", "item_biases.weight"),
)
"""Weights of two axes that no layer multiplies by."""


@dataclass(frozen=True)
class Product:
    """Matrix products [m, k] x [k, n] of the forward pass, `times` of them.

    Backward costs as much again for every operand that wants a gradient: two, or one where the
    left operand is data.
    """

    m: int
    k: int
    n: int
    times: int = 1
    gradients: int = 2

    @property
    def flops(self) -> int:
        return 2 * self.m * self.k * self.n * self.times * (1 + self.gradients)


@dataclass(frozen=True)
class Network:
    """A network and the training step that is timed.

    `build(library)`: the module, for chainrule or PyTorch; gives outputs [rows, numbers] or logits
    [rows, classes]. `forward(weights, x)`: the same in JAX, from the state by name, whose weights
    of layers are [in, out]. `data(rng, rows)`: inputs and targets. `products(batch)`: the matrix
    products of a forward pass. `batches`: how many make an epoch, which is what is timed.
    """

    name: str
    title: str
    batch: int
    batches: int
    loss: Literal["mse", "cross_entropy"]
    optimizer: Literal["Adam", "AdamW"]
    build: Callable[[Any], Any]
    forward: Callable[[Any, Any], Any]
    data: Callable[[np.random.Generator, int], tuple[NDArray[Any], NDArray[Any]]]
    products: Callable[[int], Sequence[Product]]
    images: bool = False

    def rows(self, batch: int | None = None, batches: int | None = None) -> Any:
        """The inputs and targets of an epoch: the same in every process."""
        return self.data(
            np.random.default_rng(0), (batch or self.batch) * (batches or self.batches)
        )

    def weights(self) -> Arrays:
        """Starting weights by name: the same in every process."""
        import chainrule as cr

        cr.manual_seed(0)
        return {name: value.numpy() for name, value in self.build(cr).state_dict().items()}

    def weights_inwards(self) -> Arrays:
        """The same with every layer's weight as [in, out], as JAX's users have them."""
        return {
            name: weight.T.copy() if weight.ndim == 2 and name not in TABLES else weight
            for name, weight in self.weights().items()
        }

    def flops(self, batch: int | None = None) -> int:
        """Multiplications and additions in the products of a training step."""
        return sum(product.flops for product in self.products(batch or self.batch))


def numbers(rng: np.random.Generator, *shape: int) -> NDArray[np.float32]:
    """Normally distributed numbers."""
    return rng.standard_normal(shape, dtype="float32")


def labels(rng: np.random.Generator, classes: int, *shape: int) -> NDArray[np.int64]:
    """Classes, or characters."""
    return rng.integers(0, classes, shape)

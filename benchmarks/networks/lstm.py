"""An LSTM of characters: one layer that walks along a text and predicts what follows."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.networks.network import Network, Product, labels

VOCABULARY, STEPS, WIDTH = 65, 64, 128


def _cell(library: Any, memory: Any, gates: Any) -> Any:
    """The gates are in, forget, candidate and out, as in PyTorch; gives ((h, c), h)."""
    enter, keep, candidate, leave = (
        gates[:, part * WIDTH : (part + 1) * WIDTH] for part in range(4)
    )
    sigmoid = library.sigmoid
    memory = sigmoid(keep) * memory + sigmoid(enter) * library.tanh(candidate)
    hidden = sigmoid(leave) * library.tanh(memory)
    return (hidden, memory), hidden


def _build(library: Any) -> Any:
    nn = library.nn

    class Characters(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.characters = nn.Embedding(VOCABULARY, WIDTH)
            self.lstm = nn.LSTM(WIDTH, WIDTH, batch_first=True)
            self.head = nn.Linear(WIDTH, VOCABULARY)

        def forward(self, text: Any) -> Any:
            return self.head(self.lstm(self.characters(text))[0]).reshape(-1, VOCABULARY)

    return Characters()


def _forward(weights: Any, text: Any) -> Any:
    from types import SimpleNamespace

    import jax
    import jax.numpy as jnp

    library = SimpleNamespace(sigmoid=jax.nn.sigmoid, tanh=jnp.tanh)
    x = weights["characters.weight"][text.T]  # [steps, batch, width]
    gates = x @ weights["lstm.weight_ih_l0"] + weights["lstm.bias_ih_l0"]
    gates += weights["lstm.bias_hh_l0"]
    start = jnp.zeros(x.shape[1:])

    def step(carry: Any, gates: Any) -> Any:
        return _cell(library, carry[1], gates + carry[0] @ weights["lstm.weight_hh_l0"])

    _, found = jax.lax.scan(step, (start, start), gates)
    logits = found.swapaxes(0, 1) @ weights["head.weight"] + weights["head.bias"]
    return logits.reshape(-1, VOCABULARY)


def _data(rng: np.random.Generator, rows: int) -> Any:
    text = labels(rng, VOCABULARY, rows, STEPS + 1)
    return text[:, :-1].copy(), text[:, 1:].copy()


def _products(batch: int) -> list[Product]:
    """Of the first step, the product with the hidden state, which is 0, counts all the same."""
    return [
        Product(batch * STEPS, WIDTH, 4 * WIDTH),
        Product(batch, WIDTH, 4 * WIDTH, STEPS),
        Product(batch * STEPS, WIDTH, VOCABULARY),
    ]


NETWORKS = (
    Network(
        name="lstm",
        title="LSTM (width 128, 64 steps), batch 32",
        batch=32,
        batches=4,
        loss="cross_entropy",
        optimizer="Adam",
        build=_build,
        forward=_forward,
        data=_data,
        products=_products,
    ),
)

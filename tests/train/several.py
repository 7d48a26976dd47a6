"""A generated table with targets of every kind, which the tests of several targets share."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.data import Table

ROWS = 300


def columns(seed: int = 0) -> dict[str, list[Any]]:
    """Two inputs and a category, and what follows from them: numbers, a class, labels, yes or no.

    `rent` and `ill` are not known in some rows.
    """
    rng = np.random.default_rng(seed)
    a, b, zone = rng.normal(size=ROWS), rng.normal(size=ROWS), rng.integers(0, 3, ROWS)
    noise = rng.normal(size=ROWS)
    genres = [
        "|".join(
            name
            for name, holds in (("action", x > 0), ("comedy", y > 0.3), ("drama", z == 1))
            if holds
        )
        for x, y, z in zip(a, b, zone, strict=True)
    ]
    rent = 3 * b + zone + 10 + 0.1 * noise
    return {
        "a": np.round(a, 4).tolist(),
        "b": np.round(b, 4).tolist(),
        "zone": ["xyz"[place] for place in zone],
        "price": np.round(1000 * a + 200 * b + 5000 + 50 * noise, 2).tolist(),
        "rent": [None if i % 9 == 0 else round(value, 3) for i, value in enumerate(rent.tolist())],
        "kind": ["house" if x + y > 0 else "flat" for x, y in zip(a, b, strict=True)],
        "genre": [text or "other" for text in genres],
        "fever": [int(x > 0.2) for x in a],
        "cough": ["yes" if y > 0 else "no" for y in b],
        "ill": [None if i % 7 == 0 else "ny"[int(z == 2)] for i, z in enumerate(zone)],
    }


INPUTS = ["a", "b", "zone"]


def table(*targets: str, seed: int = 0) -> Table:
    """The inputs, and some of the targets."""
    every = columns(seed)
    return Table.of({name: every[name] for name in [*INPUTS, *targets]}, "t.csv")

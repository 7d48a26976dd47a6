"""Random numbers as a pure function of (seed, draw number, position).

The counter-based generator Philox-4x64 with 10 rounds: J. Salmon et al., "Parallel random
numbers: as easy as 1, 2, 3", SC 2011. The key is (seed, 0) and the counter starts at
(0, draw, 0, 0), so that any draw can be made again, at any time, by anybody.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.core.apply import Call, define
from chainrule.core.op import Random
from chainrule.spec import Spec

_MASK = 2**64 - 1


def bits(seed: int, draw: int, count: int) -> Any:
    """`count` random uint64 of one draw."""
    # As uint64 arrays: in a list, an integer above 2**63 would pass through a float and be rounded.
    key = np.array([seed & _MASK, 0], "uint64")
    counter = np.array([0, draw & _MASK, 0, 0], "uint64")
    return np.random.Philox(key=key, counter=counter).random_raw(count)


def _uniform(seed: Any, draw: Any, shape: tuple[int, ...], dtype: str) -> Any:
    count = math.prod(shape)
    if dtype == "float64":
        return ((bits(int(seed), int(draw), count) >> 11) * 2.0**-53).reshape(shape)
    halves = bits(int(seed), int(draw), (count + 1) // 2).view("uint32")[:count]
    return ((halves >> 8).astype("float32") * np.float32(2.0**-24)).reshape(shape)


random_uniform: Call = define(
    "random_uniform",
    inputs="seed draw",
    doc="Uniform in [0, 1): of each 64 bits, two float32 (low half first) or one float64.",
    formula="none: it does not depend on real numbers",
    spec=lambda seed, draw, shape, dtype: Spec(tuple(shape), np.dtype(dtype)),
    forward=_uniform,
    grad=(None, None),
    lower=Random(),
    samples=lambda rng: [
        ([np.array(7), np.array(3)], {"shape": s, "dtype": d})
        for s in [(3, 5), (), (0, 4)]
        for d in ("float32", "float64")
    ],
)

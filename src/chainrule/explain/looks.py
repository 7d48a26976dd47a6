"""What a network was like inside at one moment of its training, as far as pictures show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.explain.evidence import Probe

SAMPLE = 4000
"""Of more values in a layer as many are kept, evenly spaced."""


@dataclass(frozen=True, eq=False)
class Look:
    """The state before `step`, from 1: by weight (matrices and larger) and by activation.

    `gradients`: the norm of each weight's gradient. `shares`: how far the next update moves it, as
    a share of its own size. `weights`, `activations`: their values, some of them if many.
    """

    step: int
    gradients: Mapping[str, float]
    shares: Mapping[str, float]
    weights: Mapping[str, NDArray[Any]]
    activations: Mapping[str, NDArray[Any]]


def look_at(probe: Probe) -> Look:
    """What a state that was opened looks like."""
    updates, traced = probe.updates(), probe.trace
    return Look(
        probe.step,
        {one.name: float(np.linalg.norm(one.gradient)) for one in updates},
        {one.name: one.share for one in updates},
        {one.name: some(one.before) for one in updates},
        {name: some(traced[made.outputs[0]]) for name, made in probe.activations().items()},
    )


def some(values: NDArray[Any]) -> NDArray[np.float64]:
    """Values in a row, evenly spaced ones if there are too many.

    >>> some(np.zeros((1000, 10))).shape
    (3334,)
    """
    flat = values.reshape(-1)
    return flat[:: -(-len(flat) // SAMPLE) or 1].astype(np.float64)

"""The learning rate of every update, planned before the training begins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def rates(schedule: str, highest: float, steps: int) -> NDArray[np.float64]:
    """The learning rate of each of `steps` updates, float64 [steps].

    constant: always `highest`; cosine: from `highest` down to 0; one-cycle: from a 25th up to
    `highest` over the first 30% and down to a 10,000th of it, both along a cosine (L. Smith and
    N. Topin, 2017, "Super-convergence", https://arxiv.org/abs/1708.07120).

    >>> rates("cosine", 1.0, 3).tolist()
    [1.0, 0.5, 0.0]
    """
    at = np.arange(steps) / max(1, steps - 1)
    if schedule == "constant":
        return np.full(steps, highest)
    if schedule == "cosine":
        return highest * _down(at)
    rise = 0.04 + 0.96 * (1 - _down(at / 0.3))
    fall = 0.0001 + 0.9999 * _down((at - 0.3) / 0.7)
    return highest * np.where(at < 0.3, rise, fall)


def _down(at: NDArray[np.float64]) -> NDArray[np.float64]:
    """From 1 at 0 to 0 at 1 along half a cosine."""
    return np.asarray(0.5 * (1 + np.cos(np.pi * at)))

"""Random numbers as pure functions of (seed, use, position), equal on every machine."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import SettingError


class Use(IntEnum):
    """What a stream of random numbers is for; two uses of one seed share no number."""

    SPLIT = 1
    ORDER = 2
    RECIPE = 3
    SAMPLE = 4
    BLOCKS = 5
    WINDOW = 6


def raw(seed: int, use: Use, position: int, count: int) -> NDArray[np.uint64]:
    """`count` random uint64 [count]; `position` numbers the draws of one use (epochs, say).

    Philox is a counter turned into noise. Its lowest two words run within a draw, the upper two
    hold `position` and `use`: draws cannot overlap.

    >>> bool((raw(0, Use.ORDER, 5, 4) == raw(0, Use.ORDER, 5, 4)).all())
    True
    """
    if seed < 0 or position < 0:
        raise SettingError(
            "a seed and an epoch are whole numbers from 0 on",
            got=f"seed {seed}, position {position}",
        )
    counter = np.array([0, 0, position, int(use)], dtype=np.uint64)
    return np.random.Philox(key=seed, counter=counter).random_raw(count)


def permutation(seed: int, use: Use, position: int, count: int) -> NDArray[np.int64]:
    """A random order of `count` things, int64 [count]: the ranks of `count` random numbers.

    >>> sorted(permutation(0, Use.SPLIT, 0, 4).tolist())
    [0, 1, 2, 3]
    """
    return np.argsort(raw(seed, use, position, count), kind="stable").astype(np.int64, copy=False)


def uniform(seed: int, use: Use, position: int, count: int) -> NDArray[np.float64]:
    """`count` random numbers, float64 [count], evenly spread over [0, 1)."""
    return (raw(seed, use, position, count) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normal(seed: int, use: Use, position: int, count: int) -> NDArray[np.float64]:
    """`count` random numbers, float64 [count], of mean 0 and deviation 1 (Box and Muller)."""
    both = uniform(seed, use, position, 2 * count)
    radius = np.sqrt(-2.0 * np.log1p(-both[:count]))
    return np.asarray(radius * np.cos(2.0 * np.pi * both[count:]))

"""In which order the rows of an epoch are visited, and how they fall into batches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from chainrule.data.streams import Use, permutation
from chainrule.errors import SettingError

BLOCK = 128
"""Rows that stay neighbours where not all rows are in memory: to read one costs as much as all."""


def row_order(n: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order of `n` rows in one epoch, int64 [n]; depends on nothing but its arguments.

    >>> order = row_order(1000, seed=0, epoch=3)
    >>> bool((order == row_order(1000, seed=0, epoch=3)).all())
    True
    """
    return permutation(seed, Use.ORDER, epoch, n)


def windows(
    n: int, seed: int, epoch: int, window: int | None = None
) -> Iterator[NDArray[np.int64]]:
    """The order of `n` rows in one epoch, int64, `window` rows of it at a time; None: all at once.

    Without a window, or where it holds all rows, it is `row_order`. Else blocks of 128 neighbouring
    rows are put in a random order, cut into windows, and the rows of each window are shuffled:
    nearly as good as a shuffle of all rows, and read in runs ("CorgiPile": Xu et al. 2022,
    In-Database Machine Learning with CorgiPile, SIGMOD).

    >>> [len(rows) for rows in windows(1000, seed=0, epoch=1, window=400)]
    [400, 400, 200]
    >>> bool((np.sort(np.concatenate([*windows(1000, 0, 1, 400)])) == np.arange(1000)).all())
    True
    """
    if window is None or window >= n:
        yield row_order(n, seed, epoch)
        return
    order = permutation(seed, Use.BLOCKS, epoch, -(-n // BLOCK))
    sizes = np.minimum(BLOCK, n - order * BLOCK)
    begins = np.cumsum(sizes) - sizes
    for number, start in enumerate(range(0, n, window)):
        places = np.arange(start, min(start + window, n))
        at = np.searchsorted(begins, places, side="right") - 1
        rows = order[at] * BLOCK + places - begins[at]
        yield rows[permutation(seed, Use.WINDOW, (epoch << 32) + number, len(rows))]


def batch_count(rows: int, size: int) -> int:
    """How many batches so many rows are; the last, smaller one counts.

    >>> batch_count(1000, 300)
    4
    """
    if size < 1:
        raise SettingError("a batch holds at least one row", got=f"batch size {size}")
    return -(-rows // size)


def batches(order: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    """The rows of each batch, one after the other; the last, smaller one counts.

    >>> [len(rows) for rows in batches(row_order(1000, 0, 0), 300)]
    [300, 300, 300, 100]
    """
    for number in range(batch_count(len(order), size)):
        yield order[number * size : (number + 1) * size]

"""In which order the rows of an epoch are visited, and how they fall into batches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from chainrule.data.streams import Use, permutation
from chainrule.errors import SettingError


def row_order(n: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order of `n` rows in one epoch, int64 [n]; depends on nothing but its arguments.

    >>> order = row_order(1000, seed=0, epoch=3)
    >>> bool((order == row_order(1000, seed=0, epoch=3)).all())
    True
    """
    return permutation(seed, Use.ORDER, epoch, n)


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

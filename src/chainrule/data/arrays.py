"""A column of arrays: images, sounds, or rows of a NumPy file with more than two axes."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data.column import Cells, Column


class ArrayColumn(Column):
    """An array for each row, `array` [n, ...], all of one shape.

    `rate`: the samples a second, of sounds [n, samples]; None of anything else.

    Read as text, a cell is what the array is called, such as the name of its file; `names` object
    [n]. If not given it is a digest of the array, so that equal arrays are equal cells, in other
    tables too. Read as a number it is none.

    >>> column = ArrayColumn(np.zeros((3, 8, 8), np.uint8))
    >>> column.take(np.array([2, 0])).array.shape, len(set(column.cells))
    ((2, 8, 8), 1)
    """

    __slots__ = ("array", "rate")

    def __init__(
        self, array: NDArray[Any], names: Cells | None = None, rate: int | None = None
    ) -> None:
        if names is None:
            names = np.array([_digest(row) for row in array], dtype=object)
        super().__init__(names)
        self.array, self.rate = array, rate

    def take(self, rows: NDArray[Any]) -> ArrayColumn:
        """The column of some rows only (places, int64, or a mask, bool)."""
        return ArrayColumn(self.array[rows], self.cells[rows], self.rate)


def below(columns: Sequence[Column]) -> Column:
    """Columns one below the other: numbers where all are read as such, else text."""
    arrays = [column for column in columns if isinstance(column, ArrayColumn)]
    if len(arrays) == len(columns):
        names = np.concatenate([column.cells for column in arrays])
        return ArrayColumn(np.concatenate([c.array for c in arrays]), names, arrays[0].rate)
    if all(column.from_numbers for column in columns):
        return Column(numbers=np.concatenate([column.numbers for column in columns]))
    return Column(np.concatenate([column.cells for column in columns]))


def _digest(array: NDArray[Any]) -> str:
    """A short text that differs where arrays do."""
    return f"array {blake2b(np.ascontiguousarray(array).tobytes(), digest_size=8).hexdigest()}"

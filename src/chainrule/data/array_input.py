"""Columns of arrays, such as images or sounds: their elements as numbers."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from chainrule.data.arrays import ArrayColumn
from chainrule.data.column import Column
from chainrule.data.report import Record
from chainrule.errors import DataError


class ArrayInput(Record):
    """A column of arrays of one shape: (x - mean) / std of each element; float32 [n, elements].

    `mean` and `std` are those of all elements of all training rows, so that a picture stays one.

    >>> record = ArrayInput.fit("image", ArrayColumn(np.array([[[0, 4]], [[0, 4]]])))
    >>> record.apply(ArrayColumn(np.array([[[2, 4]]]))).tolist()
    [[0.0, 1.0]]
    """

    kind: Literal["array"] = "array"
    name: str
    shape: list[int]
    mean: float
    std: float

    @classmethod
    def fit(cls, name: str, column: ArrayColumn) -> ArrayInput:
        """Learn from the arrays of the training rows."""
        array = column.array
        std = float(array.std(dtype=np.float64))
        mean = float(array.mean(dtype=np.float64))
        return cls(name=name, shape=list(array.shape[1:]), mean=mean, std=std or 1.0)

    @property
    def features(self) -> list[str]:
        """The names of the numbers it makes."""
        return [f"{self.name} {list(place)}" for place in np.ndindex(*self.shape)]

    def apply(self, column: Column) -> NDArray[np.float32]:
        """A column's arrays as numbers, float32 [n, elements]; 0 where all cells are missing.

        DataError if their shape is not that of training, or if there are texts or numbers.
        """
        if not isinstance(column, ArrayColumn):
            return self._of_missing(column)
        if list(column.array.shape[1:]) != self.shape:
            raise DataError(
                f"the arrays of column {self.name!r} have another shape than those of training",
                expected=self.shape,
                got=list(column.array.shape[1:]),
            )
        flat = column.array.reshape(len(column), -1).astype(np.float32)
        return (flat - np.float32(self.mean)) / np.float32(self.std)

    def _of_missing(self, column: Column) -> NDArray[np.float32]:
        """Zeros, the mean of training, where every cell is missing; DataError if not."""
        if not column.missing.all():
            raise DataError(f"column {self.name!r} holds no arrays", expected="images or sounds")
        return np.zeros((len(column), len(self.features)), dtype=np.float32)

    def inverse(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """The arrays [n, ...] of their elements [n, elements]."""
        return np.asarray(numbers.reshape(-1, *self.shape) * self.std + self.mean)

    def unseen(self, column: Column) -> dict[str, int]:
        """Categories that training has not seen: none, for these are numbers."""
        return {}

    def treatment(self) -> str:
        """What becomes of the column, in words."""
        return f"array of {' x '.join(map(str, self.shape))} numbers, scaled"

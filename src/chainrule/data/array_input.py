"""Columns of arrays, such as images or sounds: their elements as numbers."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from chainrule.data.arrays import ArrayColumn
from chainrule.data.column import Column
from chainrule.data.report import Record
from chainrule.errors import DataError

Picture = tuple[int, int, int]
"""Height, width and channels."""

CHANNELS = 4
"""An image has so many channels at most: red, green, blue and how opaque it is."""

SIDE = 8
"""Arrays with a shorter side are no pictures."""


class Arrays(Record):
    """A column of arrays of one `shape`, scaled by `mean` and `std`.

    They are those of all elements of all training rows, so that a picture stays one.
    """

    name: str
    shape: list[int]
    mean: float
    std: float

    @property
    def features(self) -> list[str]:
        """The names of the numbers it makes."""
        return [f"{self.name} {list(place)}" for place in np.ndindex(*self.made)]

    @property
    def made(self) -> tuple[int, ...]:
        """The shape of what it makes of an array."""
        return tuple(self.shape)

    @property
    def picture(self) -> Picture | None:
        """What it makes of an array as a picture; None where neighbours may mean nothing."""
        return None

    def expected(self, column: Column) -> NDArray[Any] | None:
        """The arrays of a column, or None where every cell is missing.

        DataError if their shape is not that of training, or if there are texts or numbers.
        """
        if not isinstance(column, ArrayColumn):
            if not column.missing.all():
                raise DataError(f"column {self.name!r} holds no arrays", expected="images, sounds")
            return None
        if list(column.array.shape[1:]) != self.shape:
            raise DataError(
                f"the arrays of column {self.name!r} have another shape than those of training",
                expected=self.shape,
                got=list(column.array.shape[1:]),
            )
        return column.array

    def scaled(self, column: Column, numbers: NDArray[np.float32] | None) -> NDArray[np.float32]:
        """Numbers [n, ...] as float32 [n, elements], (x - mean) / std; without any, 0: the mean."""
        if numbers is None:
            return np.zeros((len(column), len(self.features)), dtype=np.float32)
        flat = numbers.reshape(len(column), len(self.features))
        return (flat - np.float32(self.mean)) / np.float32(self.std)

    def inverse(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """What was scaled, [n, ...], from its elements [n, elements]."""
        return np.asarray(numbers.reshape(-1, *self.made) * self.std + self.mean)

    def unseen(self, column: Column) -> dict[str, int]:
        """Categories that training has not seen: none, for these are numbers."""
        return {}


class ArrayInput(Arrays):
    """A column of arrays of one shape: (x - mean) / std of each element; float32 [n, elements].

    >>> record = ArrayInput.fit("image", ArrayColumn(np.array([[[0, 4]], [[0, 4]]])))
    >>> record.apply(ArrayColumn(np.array([[[2, 4]]]))).tolist()
    [[0.0, 1.0]]
    """

    kind: Literal["array"] = "array"

    @classmethod
    def fit(cls, name: str, column: ArrayColumn) -> ArrayInput:
        """Learn from the arrays of the training rows."""
        array = column.array
        std = float(array.std(dtype=np.float64))
        mean = float(array.mean(dtype=np.float64))
        return cls(name=name, shape=list(array.shape[1:]), mean=mean, std=std or 1.0)

    @property
    def picture(self) -> Picture | None:
        """Arrays of two axes, or of three with up to 4 channels last, are pictures."""
        if len(self.shape) not in (2, 3) or min(self.shape[:2]) < SIDE:
            return None
        height, width, channels = (*self.shape, 1)[:3]
        return (height, width, channels) if channels <= CHANNELS else None

    def apply(self, column: Column) -> NDArray[np.float32]:
        """A column's arrays as numbers, float32 [n, elements]; 0 where all cells are missing.

        DataError if their shape is not that of training, or if there are texts or numbers.
        """
        array = self.expected(column)
        return self.scaled(column, None if array is None else array.astype(np.float32))

    def treatment(self) -> str:
        """What becomes of the column, in words."""
        return f"array of {' x '.join(map(str, self.shape))} numbers, scaled"

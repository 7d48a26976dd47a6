"""Numbers of a column in the smallest integers that give them back to the last bit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

INTEGERS: tuple[np.dtype[Any], ...] = (np.dtype("i1"), np.dtype("i2"), np.dtype("i4"))

MISSING = np.array(0x7FF8_0000_0000_0001).view(np.float64)
"""Among float64, the NaN that stands for a missing cell; any other stands for a bad one."""


@dataclass(frozen=True, eq=False)
class Packed:
    """Numbers with gaps: integers that are `scale` times the number, else float64; [n].

    Of integers the least stands for a missing cell, the next one for a bad cell. Prices and
    measurements, written with a few decimals, take 1 to 4 bytes instead of 9.

    >>> nan = float("nan")
    >>> packed = Packed.of(np.array([1.25, nan, nan]), np.array([False, True, False]), scale=100.0)
    >>> packed.held.tolist()
    [125, -128, -127]
    >>> packed.numbers.tolist(), packed.missing.tolist()
    ([1.25, nan, nan], [False, True, False])
    """

    held: NDArray[Any]
    scale: float

    @classmethod
    def of(cls, numbers: NDArray[np.float64], missing: NDArray[np.bool_], scale: float) -> Packed:
        """Of numbers up to 1e150, float64 [n], NaN where missing or bad; bool [n] where missing."""
        absent = np.isnan(numbers)
        whole = np.where(absent, 0.0, np.rint(numbers * scale))
        farthest = np.abs(whole).max(initial=0.0)
        kind = next((kind for kind in INTEGERS if farthest < np.iinfo(kind).max), None)
        held = whole if kind is None else whole.astype(kind)
        same = (held / np.float64(scale)).view(np.int64) == numbers.view(np.int64)
        if kind is None or not (same | absent).all():  # the sign of 0 is to stay as well
            return cls(np.where(missing, MISSING, np.where(absent, np.nan, numbers)), scale)
        held[absent] = np.iinfo(kind).min + 1
        held[missing] = np.iinfo(kind).min
        return cls(held, scale)

    @classmethod
    def joined(cls, parts: Iterable[tuple[slice, Packed]], size: int) -> Packed:
        """The parts of `size` numbers, each in its place, one after the other."""
        whole: Packed | None = None
        for place, part in parts:
            if whole is None:
                whole = cls(np.empty(size, part.held.dtype), part.scale)
            if part.held.itemsize > whole.held.itemsize:
                wider = np.empty(size, part.held.dtype)
                wider[: place.start] = whole[: place.start].widened(wider.dtype).held
                whole = cls(wider, part.scale)
            whole.held[place] = part.widened(whole.held.dtype).held
        return cls.of(np.zeros(0), np.zeros(0, np.bool_), 1.0) if whole is None else whole

    def __len__(self) -> int:
        return len(self.held)

    def __getitem__(self, rows: NDArray[Any] | slice) -> Packed:
        return Packed(self.held[rows], self.scale)

    @property
    def nbytes(self) -> int:
        """The bytes that it takes."""
        return self.held.nbytes

    @property
    def numbers(self) -> NDArray[np.float64]:
        """The numbers as they were, float64 [n]; NaN where one is missing or bad."""
        if self.held.dtype == np.float64:
            return self.held
        numbers: NDArray[np.float64] = self.held / np.float64(self.scale)
        numbers[self.held <= np.iinfo(self.held.dtype).min + 1] = np.nan
        return numbers

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Where a cell is missing, bool [n]."""
        if self.held.dtype == np.float64:
            return np.asarray(self.held.view(np.int64) == MISSING.view(np.int64))
        return np.asarray(self.held == np.iinfo(self.held.dtype).min)

    @property
    def bad(self) -> NDArray[np.int64]:
        """The rows of cells that are neither missing nor numbers, int64 [bad]."""
        if self.held.dtype == np.float64:
            return np.flatnonzero(np.isnan(self.held) & ~self.missing)
        return np.flatnonzero(self.held == np.iinfo(self.held.dtype).min + 1)

    def widened(self, kind: np.dtype[Any]) -> Packed:
        """The same in integers that are no smaller, or in float64."""
        if self.held.dtype == kind:
            return self
        if kind == np.float64:
            return Packed(np.where(self.missing, MISSING, self.numbers), self.scale)
        held, least = self.held.astype(kind), np.iinfo(self.held.dtype).min
        for gap in (0, 1):
            held[self.held == least + gap] = np.iinfo(kind).min + gap
        return Packed(held, self.scale)

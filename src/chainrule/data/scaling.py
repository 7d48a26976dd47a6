"""Curves that numbers are bent along before they are scaled, and the way back."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from chainrule.data.report import Record
from chainrule.data.target import TINY

Floats = NDArray[np.float64]

MOST_KNOTS = 256
"""Ranks are read off at most so many numbers."""

TAIL = 3.0
"""A tail is heavy if the deviation is so many times what the quartiles let expect, and some number
is more than `FAR` deviations from the mean."""
FAR = 5.0


class Log(Record):
    """sign(x) log(1 + |x| / unit): straight near 0, a logarithm far from it.

    >>> curve = Log(unit=1.0)
    >>> curve.unbend(curve.bend(np.array([-99.0, 0.0, 1e6]))).round(6).tolist()
    [-99.0, 0.0, 1000000.0]
    """

    kind: Literal["log"] = "log"
    unit: float

    @classmethod
    def fit(cls, known: Floats) -> Log:
        """The unit is the median size of the numbers that are not 0."""
        sizes = np.abs(known[np.abs(known) > TINY])
        return cls(unit=float(np.median(sizes)) if len(sizes) else 1.0)

    def bend(self, numbers: Floats) -> Floats:
        """The curve at some numbers."""
        return np.asarray(np.sign(numbers) * np.log1p(np.abs(numbers) / self.unit))

    def unbend(self, bent: Floats) -> Floats:
        """The numbers at which the curve has some values."""
        return np.asarray(np.sign(bent) * np.expm1(np.abs(bent)) * self.unit)

    @property
    def words(self) -> str:
        """What the curve does, in words."""
        return " as a logarithm"


class Ranks(Record):
    """The share of training rows below x, straight lines between the `values` at `shares`.

    >>> curve = Ranks.fit(np.array([1.0, 10.0, 100.0]))
    >>> curve.bend(np.array([0.0, 5.5, 100.0])).tolist()
    [0.0, 0.25, 1.0]
    """

    kind: Literal["ranks"] = "ranks"
    values: list[float]
    shares: list[float]

    @classmethod
    def fit(cls, known: Floats) -> Ranks:
        """Numbers that come up often stand at the middle of their shares."""
        steps = np.linspace(0.0, 1.0, min(MOST_KNOTS, max(2, len(known))))
        values, place = np.unique(np.quantile(known, steps), return_inverse=True)
        shares = np.bincount(place, weights=steps) / np.bincount(place)
        return cls(values=values.tolist(), shares=shares.tolist())

    def bend(self, numbers: Floats) -> Floats:
        """The curve at some numbers."""
        return np.asarray(np.interp(numbers, self.values, self.shares))

    def unbend(self, bent: Floats) -> Floats:
        """The numbers at which the curve has some values."""
        return np.asarray(np.interp(bent, self.shares, self.values))

    @property
    def words(self) -> str:
        """What the curve does, in words."""
        return " by rank"


def heavy_tailed(known: Floats) -> bool:
    """Whether a few far numbers make the deviation several times what the quartiles let expect.

    >>> heavy_tailed(np.arange(100.0)), heavy_tailed(np.append(np.arange(100.0), 1e4))
    (False, True)
    """
    low, high = np.quantile(known, [0.25, 0.75])
    std, farthest = known.std(), np.abs(known - known.mean()).max()
    return bool(high > low and std > TAIL * 0.7413 * (high - low) and farthest > FAR * std)

"""From numbers to places on a picture: axes, their ticks, and the texts beside them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HUGE = 1e100
"""What is farther from 0 than this, or nearer than its inverse, has no place on an axis."""


@dataclass(frozen=True)
class Scale:
    """The way from `low` .. `high` in data to `start` .. `end` on the picture.

    With `log` the way is logarithmic, and low and high are above 0.

    >>> Scale(0, 10, 0, 100)(5), Scale(1, 100, 0, 100, log=True)(10)
    (50.0, 50.0)
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """The place of a value."""
        low, high = self._straight(self.low), self._straight(self.high)
        share = (self._straight(value) - low) / (high - low)
        return self.start + share * (self.end - self.start)

    def _straight(self, value: float) -> float:
        return math.log10(value) if self.log else value

    def shows(self, value: float) -> bool:
        """Whether a value has a place."""
        return has_place(value, self.log)

    def ticks(self, about: int = 5) -> list[float]:
        """Round values between low and high."""
        return log_ticks(self.low, self.high) if self.log else ticks(self.low, self.high, about)


def has_place(value: float, log: bool) -> bool:
    """Whether a value can be drawn: not astronomic, and above 0 on a logarithmic axis."""
    return abs(value) < HUGE and (value > 1 / HUGE or not log)


def fitted(
    values: Iterable[float], start: float, end: float, log: bool = False, padded: bool = True
) -> Scale:
    """The scale on which all values are seen; where there are none, from 0 to 1."""
    given = np.fromiter(values, np.float64)
    with np.errstate(invalid="ignore"):
        seen = given[(np.abs(given) < HUGE) & ((given > 1 / HUGE) | (not log))]
    if not len(seen):
        return Scale(0.1 if log else 0.0, 1.0, start, end, log)
    low, high = float(seen.min()), float(seen.max())
    if log:
        room = max((high / low) ** 0.04, 1.02) if padded or low == high else 1.0
        return Scale(low / room, high * room, start, end, log)
    room = (high - low) * 0.04 * padded or (abs(high) or 1.0) * 0.04 * (low == high)
    return Scale(low - room, high + room, start, end)


def worth_logarithm(*found: Sequence[float] | NDArray[np.float64]) -> bool:
    """Whether numbers span so much that a logarithmic axis shows them better.

    >>> worth_logarithm([1.0, 2.0]), worth_logarithm([0.01, 2.0]), worth_logarithm([-1.0, 20.0])
    (False, True, False)
    """
    values = np.concatenate([np.asarray(one, np.float64).reshape(-1) for one in found])
    values = values[np.isfinite(values)]
    return bool(len(values) and values.min() > 0 and values.max() / values.min() > 8)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten between low and high.

    >>> ticks(0, 1), ticks(-3, 11)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.0, 5.0, 10.0])
    """
    rough = (high - low) / about
    if not (rough > 0 and math.isfinite(rough)):
        return []
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [
        round(place * step, 12 - math.floor(math.log10(step))) for place in range(first, last + 1)
    ]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten between low and high; with 2 and 5 times them where those are few.

    >>> log_ticks(0.05, 200), log_ticks(1, 9)
    ([0.1, 1.0, 10.0, 100.0], [1.0, 2.0, 5.0])
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = max(1, (last - first) // 6)
    factors = (1, 2, 5) if last - first < 3 else (1,)
    found = [
        float(f"{factor}e{power}") for power in range(first, last + 1, every) for factor in factors
    ]
    inside = [tick for tick in found if low * 0.999 <= tick <= high * 1.001]
    return inside if len(inside) > 1 else ticks(low, high, 4)


def tick_text(value: float) -> str:
    """A tick as text.

    >>> [tick_text(value) for value in (0.0, 0.25, 20000.0, 2e7, 1e-6)]
    ['0', '0.25', '20,000', '2e7', '1e-6']
    """
    if value == 0 or 1e-4 <= abs(value) < 1e6:
        text = f"{value:,.6f}".rstrip("0").rstrip(".")
        return text.replace("-", "−")
    mantissa, _, exponent = f"{value:.3g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else f"{value:.3g}"


def tick_texts(values: Sequence[float]) -> list[tuple[float, str]]:
    """Ticks with their texts, small ones by their powers of ten where those are shorter.

    >>> tick_texts([0.29365, 0.29366]), tick_texts([0.0003451])
    ([(0.29365, '0.29365'), (0.29366, '0.29366')], [(0.0003451, '3.451e-4')])
    """
    texts = [tick_text(value) for value in values]
    if any(len(text) > 6 for text in texts) and max(map(abs, values)) < 1e-2:
        parts = [f"{value:.6e}".split("e") for value in values]
        texts = [f"{a.rstrip('0').rstrip('.')}e{int(b)}" for a, b in parts]
    return list(zip(values, texts, strict=True))

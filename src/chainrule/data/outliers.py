"""Numbers that can hardly be true: far from all others, or outside of what their name allows."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

RAW_FENCE, LOG_FENCE = 10.0, 3.0
"""How many interquartile ranges beyond the quartiles a number is far, and its logarithm is."""

LEAST = 20
"""Fewer numbers do not show what is usual."""

SELDOM = 0.05
"""Where more than this share of a column breaks a rule, or is far, that is how the column is."""

INFINITE = float("inf")

LIMITS: tuple[tuple[str, float, float], ...] = (
    ("age", 0, 130),
    ("lat(?:itude)?", -90, 90),
    ("lon(?:gitude)?|lng", -180, 180),
    ("percent(?:age)?|pct|humidity", 0, 100),
    ("probability", 0, 1),
    ("ph", 0, 14),
    ("month", 1, 12),
    ("weekday", 0, 7),
    ("day", 1, 31),
    ("hour", 0, 24),
    ("minute|second", 0, 60),
    ("year", 1000, 2200),
    ("price|count|rooms|bedrooms|size|area|weight|height|length|width|distance", 0, INFINITE),
    ("duration|population|households|salary|income|quantity|fare|amount|speed", 0, INFINITE),
)  # fmt: skip
"""What a column's name allows, by one of its words."""

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")


def far_values(numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    """The places of numbers far from all others, int64 [far]; NaN are passed over.

    Far is 10 interquartile ranges beyond the quartiles; of positive numbers, which may spread over
    magnitudes, also 3 such ranges of their logarithms.

    >>> far_values(np.array([*range(40), 5000.0])).tolist()
    [40]
    """
    known = numbers[~np.isnan(numbers)]
    if len(known) < LEAST:
        return np.zeros(0, dtype=np.int64)
    far = _beyond(numbers, known, RAW_FENCE)
    if len(far) and known.min() > 0:
        far = np.intersect1d(far, _beyond(np.log(numbers), np.log(known), LOG_FENCE))
    return far if len(far) <= SELDOM * len(known) else far[:0]


def _beyond(
    numbers: NDArray[np.float64], known: NDArray[np.float64], fence: float
) -> NDArray[np.int64]:
    """The places of numbers that lie some interquartile ranges beyond the quartiles."""
    low, high = np.quantile(known, (0.25, 0.75), overwrite_input=True)  # in any order
    room = fence * (high - low)
    if room == 0:
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero((numbers < low - room) | (numbers > high + room))


def limits_of(name: str) -> tuple[float, float] | None:
    """The least and the largest value that a column's name allows, or None if it says nothing.

    >>> limits_of("Age"), limits_of("ageOfHouse"), limits_of("wage"), limits_of("unit_price")
    ((0, 130), (0, 130), None, (0, inf))
    """
    words = [word.lower() for word in _WORDS.findall(name)]
    for pattern, low, high in LIMITS:
        if any(re.fullmatch(pattern, word) for word in words):
            return low, high
    return None


def impossible_values(name: str, numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    """The places of the few numbers that a column's name does not allow, int64 [impossible].

    None where more than one number in twenty breaks the rule: then it means something else.

    >>> impossible_values("age", np.array([*range(40), -1.0, np.nan])).tolist()
    [40]
    """
    limits = limits_of(name)
    if limits is None:
        return np.zeros(0, dtype=np.int64)
    wrong = np.flatnonzero((numbers < limits[0]) | (numbers > limits[1]))
    known = int(np.count_nonzero(~np.isnan(numbers)))
    return wrong if len(wrong) <= SELDOM * known else wrong[:0]

"""Columns of numbers: scaled, and spread over quantile bins so that a network can bend quickly."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from chainrule.data.column import Column, number_text
from chainrule.data.report import Record
from chainrule.data.target import moments

FARTHEST = 5.0
"""Scaled numbers are clipped here, so that one far value cannot outshout all others."""

MOST_BINS = 32
ROWS_A_BIN = 50
MOST_COLUMNS = 32
MOST_FEATURES = 512
MOST_NUMBERS = 2**26


class Numeric(Record):
    """A column of numbers: filled, scaled and clipped, spread over bins; float32 [n, features].

    Missing cells become `fill`, the median. The first number is (x - mean) / std, clipped to
    `clip` on both sides. `edges` (none, or three and more, rising) bound bins with equally many
    training rows: each bin's number is how far x has come through it, 0 below, 1 above. With
    `indicator` (training rows had missing cells) a last number is 1 where the cell was missing.

    >>> record = Numeric.fit("age", Column.of([10, 20, 30, "?"]), bins=2)
    >>> record.features
    ['age', 'age 10 to 20', 'age 20 to 30', 'age missing']
    >>> record.apply(Column.of([25, None])).round(2).tolist()
    [[0.71, 1.0, 0.5, 0.0], [0.0, 1.0, 0.0, 1.0]]
    """

    kind: Literal["numeric"] = "numeric"
    name: str
    fill: float
    mean: float
    std: float
    clip: float
    edges: list[float]
    indicator: bool

    @classmethod
    def fit(cls, name: str, column: Column, bins: int) -> Numeric:
        """Learn from a column of training rows that holds at least one number."""
        known = column.numbers[~np.isnan(column.numbers)]
        fill = float(np.median(known))
        mean, std = moments(np.where(np.isnan(column.numbers), fill, column.numbers))
        return cls(
            name=name,
            fill=fill,
            mean=mean,
            std=std,
            clip=FARTHEST,
            edges=quantile_edges(known, bins, least=1e-9 * std),
            indicator=len(known) < len(column),
        )

    @property
    def features(self) -> list[str]:
        """The names of the numbers it makes."""
        texts = [number_text(edge) for edge in self.edges]
        bins = [f"{self.name} {low} to {high}" for low, high in pairwise(texts)]
        return [self.name, *bins, *([f"{self.name} missing"] if self.indicator else [])]

    def apply(self, column: Column) -> NDArray[np.float32]:
        """A column's cells as numbers, float32 [n, features]."""
        absent = np.isnan(column.numbers)
        numbers = np.where(absent, self.fill, column.numbers)
        made = np.empty((len(column), len(self.features)), dtype=np.float32)
        made[:, 0] = np.clip((numbers - self.mean) / self.std, -self.clip, self.clip)
        for place, (low, high) in enumerate(pairwise(self.edges), start=1):
            made[:, place] = np.clip((numbers - low) / (high - low), 0.0, 1.0)
        if self.indicator:
            made[:, -1] = absent
        return made

    def inverse(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """The column's values, float64 [n], of its features [n, features]; NaN where missing."""
        values = numbers[:, 0].astype(np.float64) * self.std + self.mean
        return np.where(numbers[:, -1] > 0.5, np.nan, values) if self.indicator else values

    def unseen(self, column: Column) -> dict[str, int]:
        """Categories that training has not seen: none, for these are numbers."""
        return {}

    def treatment(self) -> str:
        """What becomes of the column, in words."""
        bins = " and spread over quantile bins" if self.edges else ""
        filled = ", missing as the median and marked" if self.indicator else ""
        return f"number, scaled{bins}{filled}"


def quantile_edges(known: NDArray[np.float64], bins: int, least: float) -> list[float]:
    """The bounds of `bins` bins with equally many of the numbers, those that are equal merged.

    None if fewer than two bins remain. `least` is the least width of a bin.

    >>> quantile_edges(np.arange(9.0), 4, 0.0), quantile_edges(np.array([0.0, 0.0, 1.0]), 2, 0.0)
    ([0.0, 2.0, 4.0, 6.0, 8.0], [])
    """
    if bins < 2:
        return []
    found = np.unique(np.quantile(known, np.linspace(0.0, 1.0, bins + 1)))
    edges = found[np.append(True, np.diff(found) > least)]
    return [float(edge) for edge in edges] if len(edges) > 2 else []


def bins_for(rows: int, columns: int) -> int:
    """How many bins each of some numeric columns is spread over, by the training rows there are.

    At most 32; at least 50 rows a bin; at most 512 features and 64 million numbers (256 MB) in
    all. None (0) for more than 32 columns: such tables (pixels, sensors) learned no better by it.

    >>> bins_for(14448, 8), bins_for(1257, 61), bins_for(309, 10), bins_for(1_000_000, 20)
    (32, 0, 6, 3)
    """
    columns = max(1, columns)
    if columns > MOST_COLUMNS:
        return 0
    room = MOST_NUMBERS // max(1, rows * columns)
    return min(MOST_BINS, rows // ROWS_A_BIN, MOST_FEATURES // columns, room)

"""Columns of numbers: scaled, and spread over quantile bins so that a network can bend quickly."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from chainrule.data.column import Column, number_text
from chainrule.data.report import Record
from chainrule.data.scaling import Log, Ranks, heavy_tailed
from chainrule.data.target import TINY, moments

FARTHEST = 5.0
"""Scaled numbers are clipped here, so that one far value cannot outshout all others."""

MOST_BINS = 32
ROWS_A_BIN = 50
MOST_COLUMNS = 32
MOST_FEATURES = 512
MOST_NUMBERS = 2**26


SCALINGS = ("standard", "robust", "log", "quantile")
"""By mean and deviation, by median and quartiles, of the logarithm, of the rank."""


class Numeric(Record):
    """A column of numbers: filled, scaled and clipped, spread over bins; float32 [n, features].

    Missing cells become `fill`, the median. The first number is (x - mean) / std, of the `curve`
    at x if there is one, clipped to `clip` on both sides. `edges` (none, or three and more,
    rising) bound bins with equally many training rows: each bin's number is how far x has come
    through it, 0 below, 1 above. With `indicator` (training rows had missing cells) a last number
    is 1 where the cell was missing.

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
    curve: Annotated[Log | Ranks, Field(discriminator="kind")] | None = None

    @classmethod
    def fit(cls, name: str, column: Column, bins: int, scaling: str | None = None) -> Numeric:
        """Learn from a column of training rows that holds at least one number.

        `scaling` is one of `SCALINGS`; if not given, "log" for a heavy tail, else "standard".
        """
        known = column.numbers[~np.isnan(column.numbers)]
        known.sort()  # all quantiles are quick then
        fill = float(np.median(known))
        filled = np.where(np.isnan(column.numbers), fill, column.numbers)
        curve: Log | Ranks | None = None
        if scaling == "log" or (scaling is None and heavy_tailed(known)):
            curve = Log.fit(known)
        elif scaling == "quantile":
            curve = Ranks.fit(known)
        centre = quartiles if scaling == "robust" else moments
        mean, std = centre(filled if curve is None else curve.bend(filled))
        return cls(
            name=name,
            fill=fill,
            mean=mean,
            std=std,
            clip=FARTHEST,
            edges=quantile_edges(known, bins, least=max(TINY, 1e-9 * float(np.ptp(known)))),
            indicator=len(known) < len(column),
            curve=curve,
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
        bins = max(0, len(self.edges) - 1)
        made = np.empty((len(column), 1 + bins + self.indicator), dtype=np.float32)
        bent = numbers if self.curve is None else self.curve.bend(numbers)
        made[:, 0] = _between((bent - self.mean) / self.std, -self.clip, self.clip)
        for place, (low, high) in enumerate(pairwise(self.edges), start=1):
            made[:, place] = _between((numbers - low) / (high - low), 0.0, 1.0)
        if self.indicator:
            made[:, -1] = absent
        return made

    def inverse(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """The column's values, float64 [n], of its features [n, features]; NaN where missing."""
        values = numbers[:, 0].astype(np.float64) * self.std + self.mean
        values = values if self.curve is None else self.curve.unbend(values)
        return np.where(numbers[:, -1] > 0.5, np.nan, values) if self.indicator else values

    def unseen(self, column: Column) -> dict[str, int]:
        """Categories that training has not seen: none, for these are numbers."""
        return {}

    def treatment(self) -> str:
        """What becomes of the column, in words."""
        bins = " and spread over quantile bins" if self.edges else ""
        filled = ", missing as the median and marked" if self.indicator else ""
        how = "" if self.curve is None else self.curve.words
        return f"number, scaled{how}{bins}{filled}"


def _between(numbers: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """Numbers clipped to two bounds: of a single row, np.clip takes three times as long."""
    return np.maximum(np.minimum(numbers, high), low)


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


def quartiles(numbers: NDArray[np.float64]) -> tuple[float, float]:
    """The median, and the deviation of a bell curve with the same quartiles.

    Where the quartiles are equal, the deviation of the numbers themselves.

    >>> quartiles(np.array([0.0, 10.0, 20.0, 30.0, 1e9]))
    (20.0, 14.826)
    """
    low, middle, high = np.quantile(numbers, [0.25, 0.5, 0.75]).tolist()
    std = (high - low) * 0.7413
    return middle, std if std > TINY else moments(numbers)[1]

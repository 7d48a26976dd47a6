"""What is drawn in a picture: each kind of mark knows its extent, its drawing and its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from chainrule.explain.pictures.scales import Scale

MOST_POINTS = 800
"""Of a longer line are drawn, per stretch, its lowest and its highest point."""

COLORS = 6
"""So many colours there are."""

GUIDE = COLORS
"""The colour of lines that only guide the eye: that of the text."""

LEVELS = 20
"""Cells have so many shades; neighbours that look alike are drawn as one."""

Record = tuple[Any, ...]


class Mark(Protocol):
    """One thing in a picture. `color`: which of the six colours; `key`: whether it is named."""

    @property
    def name(self) -> str:
        """What it is called in the legend and in the CSV."""

    @property
    def color(self) -> int:
        """Which of the colours it has."""

    @property
    def key(self) -> bool:
        """Whether the legend names it."""

    def extent(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The x and the y that must be seen."""

    def draw(self, x: Scale, y: Scale) -> Iterator[str]:
        """Its elements of SVG."""

    def records(self) -> Iterator[Record]:
        """Its numbers: x, y, and a third where it has one."""


def _extent(x: Sequence[float], y: Sequence[float]) -> tuple[NDArray[Any], NDArray[Any]]:
    return np.asarray(x, np.float64), np.asarray(y, np.float64)


def _rectangle(look: str, across: tuple[float, float], upwards: tuple[float, float]) -> str:
    """A rectangle from left to right and from its floor to its top."""
    (left, right), (floor, top) = across, upwards
    place = f'x="{left:.1f}" y="{top:.1f}" width="{max(right - left, 0.5):.1f}"'
    return f'<rect {look} {place} height="{floor - top:.1f}"/>'


@dataclass(frozen=True)
class _Places:
    """Places of the plane, one after the other: what lines and points have in common."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    color: int = 0

    key: ClassVar[bool] = True

    def extent(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return _extent(self.x, self.y)

    def records(self) -> Iterator[Record]:
        yield from zip(self.x, self.y, strict=True)


@dataclass(frozen=True)
class Line(_Places):
    """A curve through points: thin and dashed in the colour `GUIDE`, `faint` where it is noise."""

    faint: bool = False

    def draw(self, x: Scale, y: Scale) -> Iterator[str]:
        curve = f"curve{' faint' * self.faint} c{self.color}"
        kind = "guide" if self.color == GUIDE else curve
        stretch: list[str] = []
        for at, value in [*thinned(*self.extent()), (float("nan"), float("nan"))]:
            if x.shows(at) and y.shows(value):
                stretch.append(f"{x(at):.1f},{y(value):.1f}")
            elif stretch:
                yield f'<polyline class="{kind}" points="{" ".join(stretch)}"/>'
                stretch = []


@dataclass(frozen=True)
class Points(_Places):
    """Dots."""

    size: float = 2.5

    def draw(self, x: Scale, y: Scale) -> Iterator[str]:
        for at, value in zip(self.x, self.y, strict=True):
            if x.shows(at) and y.shows(value):
                place = f'cx="{x(at):.1f}" cy="{y(value):.1f}" r="{self.size}"'
                yield f'<circle class="dot c{self.color}" {place}/>'


@dataclass(frozen=True)
class Bars:
    """Bars from 0 to `heights`, each between two neighbours of `edges`."""

    name: str
    edges: Sequence[float]
    heights: Sequence[float]
    color: int = 0

    key: ClassVar[bool] = True

    def extent(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return _extent(self.edges, [0.0, *self.heights])

    def draw(self, x: Scale, y: Scale) -> Iterator[str]:
        for left, right, height in zip(self.edges, self.edges[1:], self.heights, strict=False):
            look = f'class="bar edge c{self.color}"'
            yield _rectangle(look, (x(left), x(right)), (y(max(0.0, y.low)), y(height)))

    def records(self) -> Iterator[Record]:
        middles = (np.asarray(self.edges[1:]) + np.asarray(self.edges[:-1])) / 2
        yield from zip(middles.tolist(), self.heights, strict=True)


@dataclass(frozen=True, eq=False)
class Cells:
    """A grid of shaded cells: `shades` [rows, columns], 0 to 1, upwards from the lowest y.

    `colors` [rows, columns]: the colour of each. `x` and `y` are the edges of the columns and rows.
    `texts`, where given, stand in the cells, and are their numbers; `numbers` are those where the
    shades only tell more from less.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    shades: NDArray[Any]
    colors: NDArray[Any]
    texts: Sequence[Sequence[str]] = ()
    numbers: NDArray[Any] | None = None
    color: int = 0

    key: ClassVar[bool] = False

    def extent(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return _extent(self.x, self.y)

    def draw(self, x: Scale, y: Scale) -> Iterator[str]:
        for (color, level), shape in self._shapes(x, y).items():
            opacity = f"{0.85 * level / LEVELS:.2f}"
            yield f'<path class="cell c{color}" fill-opacity="{opacity}" d="{shape}"/>'
        for row, texts in enumerate(self.texts):
            for column, text in enumerate(texts):
                kind = "in-cell on-heat" if self.shades[row, column] > 0.6 else "in-cell"
                center = (x(self.x[column]) + x(self.x[column + 1])) / 2
                middle = (y(self.y[row]) + y(self.y[row + 1])) / 2
                yield f'<text class="{kind}" x="{center:.1f}" y="{middle:.1f}">{text}</text>'

    def _shapes(self, x: Scale, y: Scale) -> dict[tuple[int, int], str]:
        """The outline of all cells that look alike, by colour and level."""
        found: dict[tuple[int, int], str] = {}
        for row in range(len(self.shades)):
            top, floor = y(self.y[row + 1]), y(self.y[row])
            looks = zip(self.colors[row].tolist(), self.shades[row].tolist(), strict=True)
            column = 0
            for look, alike in groupby((c, round(LEVELS * s)) for c, s in looks):
                first, column = column, column + len(list(alike))
                left, right = x(self.x[first]), x(self.x[column])
                if look[1]:
                    shape = f"M{left:.1f},{top:.1f}H{right:.1f}V{floor:.1f}H{left:.1f}z"
                    found[look] = found.get(look, "") + shape
        return found

    def records(self) -> Iterator[Record]:
        for row, column in np.ndindex(self.shades.shape):
            middle = (self.x[column] + self.x[column + 1]) / 2, (self.y[row] + self.y[row + 1]) / 2
            numbers = self.shades if self.numbers is None else self.numbers
            told = self.texts[row][column] if self.texts else float(numbers[row, column])
            yield (*middle, told)


def thinned(
    x: NDArray[np.float64], y: NDArray[np.float64], most: int = MOST_POINTS
) -> list[tuple[float, float]]:
    """Points of a long line: of each stretch the lowest and the highest, so that no peak is lost.

    >>> y = np.zeros(10_000)
    >>> y[5_000] = 1.0
    >>> kept = thinned(np.arange(10_000.0), y)
    >>> len(kept), max(kept, key=lambda point: point[1])
    (401, (5000.0, 1.0))
    """
    if len(x) <= most:
        return list(zip(x.tolist(), y.tolist(), strict=True))
    ends = np.linspace(0, len(x), most // 2 + 1).astype(int)
    kept: list[int] = []
    for start, end in pairwise(ends):
        part = y[start:end]
        known = part if np.isfinite(part).any() else np.zeros(len(part))
        kept += sorted({start + int(np.nanargmin(known)), start + int(np.nanargmax(known))})
    return [(float(x[at]), float(y[at])) for at in kept]

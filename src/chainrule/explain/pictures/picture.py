"""One picture: marks between two axes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.explain.curve import curve
from chainrule.explain.pictures.drawing import Drawing, short, written
from chainrule.explain.pictures.marks import GUIDE, Line, Mark, Points
from chainrule.explain.pictures.scales import Scale, fitted, tick_texts

LEFT, RIGHT, TOP, BOTTOM = 58, 14, 34, 46  # what stands around the marks
BARE_TOP = 12  # where neither a name nor a legend stands above them
LETTER = 6.5  # how wide one is, about
KEY = 22  # how wide the square before a name is, with the room around it
ROW = 18  # of the legend

Point = tuple[float, str]


@dataclass(frozen=True)
class Axis:
    """What an axis shows; `labels` (place, text) stand for its ticks where it counts nothing.

    `tight`: the marks reach to the ends of the axis. `also`: places that must be seen.
    `told`: its name is written beside it, not only in the CSV.
    """

    name: str
    log: bool = False
    labels: Sequence[Point] = ()
    tight: bool = False
    also: Sequence[float] = ()
    told: bool = True


@dataclass(frozen=True)
class Picture(Drawing):
    """Marks between two axes.

    >>> loss = Line("training loss", [1, 2, 3], [4.0, 2.0, 1.0])
    >>> picture = Picture("loss", "Loss", "Falls.", Axis("epoch"), Axis("loss"), [loss])
    >>> print(picture.csv(), end="")
    series,epoch,loss
    training loss,1,4
    training loss,2,2
    training loss,3,1
    >>> picture.svg()[:26]
    '<svg class="picture" xmlns'
    """

    x: Axis
    y: Axis
    marks: Sequence[Mark]
    third: str = ""  # what the marks' third number is, if they have one
    size: tuple[int, int] = (480, 320)

    def records(self) -> Iterator[Sequence[Any]]:
        yield ["series", self.x.name, self.y.name, *([self.third] if self.third else [])]
        for mark in self.marks:
            yield from ([mark.name, *found] for found in mark.records())

    def text(self) -> str:
        """Its curves and points for a terminal; empty if it has none."""
        lines = [one for one in self.marks if isinstance(one, Line | Points) and len(one.x)]
        shown = [one for one in lines if one.color != GUIDE and one.name]
        if not shown or len(shown) < len([one for one in self.marks if one.name]) - 1:
            return ""
        places = np.concatenate([np.asarray(one.x, np.float64) for one in shown])
        series, start = {}, 0
        for one in shown:
            values = np.full(len(places), np.nan)
            values[start : start + len(one.x)] = one.y
            start += len(one.x)
            series[one.name] = values.tolist()
        order = sorted(series, key=lambda name: isinstance(_named(shown, name), Line))
        drawn = {name: series[name] for name in order}
        return curve(drawn, x=places.tolist(), x_name=self.x.name, log=self.y.log)

    def elements(self) -> Iterator[str]:
        rows = self._legend_rows()
        top = TOP + ROW * (len(rows) - 1) if self.y.told or rows[0] else BARE_TOP
        x, y = self._scales(top)
        yield from self._grid(x, y)
        yield from (element for mark in self.marks for element in mark.draw(x, y))
        for place, row in enumerate(rows):
            yield from self._legend(row, 16 + ROW * place)

    def _scales(self, top: int) -> tuple[Scale, Scale]:
        extents = [mark.extent() for mark in self.marks]
        across = np.concatenate([*(found for found, _ in extents), self.x.also])
        upwards = np.concatenate([*(found for _, found in extents), self.y.also])
        right, floor = self.size[0] - RIGHT, self.size[1] - BOTTOM
        return (
            fitted(across.tolist(), LEFT, right, self.x.log, not self.x.tight),
            fitted(upwards.tolist(), floor, top, self.y.log, not self.y.tight),
        )

    def _grid(self, x: Scale, y: Scale) -> Iterator[str]:
        width, height = self.size
        floor, right = height - BOTTOM, width - RIGHT
        many = 6 if height > 250 else 4
        for at, text in self.y.labels or tick_texts(y.ticks(many)):
            place = y(at)
            if not self.y.labels:
                line = f'x1="{LEFT}" x2="{right}" y1="{place:.1f}" y2="{place:.1f}"'
                yield f'<line class="grid" {line}/>'
            yield written(LEFT - 7, place + 4, short(text, 8), "end")
        most = 10 if len(self.x.labels) < 6 else 5
        many = 6 if width > 300 else 3
        for at, text in self.x.labels or tick_texts(x.ticks(many)):
            yield written(x(at), floor + 17, short(text, most), "middle")
        yield f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{floor}" y2="{floor}"/>'
        wide = int((right - LEFT) / LETTER)
        yield written((LEFT + right) / 2, height - 8, short(self.x.name, wide), "middle", "name")
        if self.y.told:
            yield written(6, 16, short(self.y.name, 34), "start", "name")

    def _legend_rows(self) -> list[list[tuple[str, int]]]:
        """The names of the marks in rows: beside the name of the axis, or if too long below it."""
        named = {mark.name: mark.color for mark in self.marks if mark.key and mark.name}
        if len(named) < 2:
            return [[]]
        names = [(short(name, 24), color) for name, color in named.items()]
        beside = self.size[0] - RIGHT - 6 - LETTER * len(short(self.y.name, 34)) - 12
        if sum(map(_wide, names)) <= beside:
            return [names]
        rows: list[list[tuple[str, int]]] = [[], []]
        for one in names:
            if sum(map(_wide, [*rows[-1], one])) > self.size[0] - RIGHT - 6 and rows[-1]:
                rows.append([])
            rows[-1].append(one)
        return rows

    def _legend(self, names: Sequence[tuple[str, int]], line: int) -> Iterator[str]:
        """Names in a row, the last one ending at the right."""
        place = self.size[0] - RIGHT + KEY - 12.0
        for name, color in reversed(names):
            place -= _wide((name, color))
            corner = f'x="{place:.0f}" y="{line - 8}"'
            yield f'<rect class="key c{color}" {corner} width="8" height="8" rx="2"/>'
            yield written(place + 12, line, name, "start", "legend")


def _wide(name: tuple[str, int]) -> float:
    return len(name[0]) * LETTER + KEY


def _named(marks: Sequence[Mark], name: str) -> Mark:
    return next(mark for mark in marks if mark.name == name)

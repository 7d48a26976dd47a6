"""One picture: marks between two axes, drawn as SVG, with its numbers as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np

from chainrule.explain.pictures.marks import COLORS, GUIDE, Mark
from chainrule.explain.pictures.scales import Scale, fitted, tick_text

WIDTH, HEIGHT = 480, 320
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 34, 46  # what stands around the marks

Point = tuple[float, str]


@dataclass(frozen=True)
class Axis:
    """What an axis shows; `labels` (place, text) stand for its ticks where it counts nothing.

    `tight`: the marks reach to the ends of the axis. `also`: places that must be seen.
    """

    name: str
    log: bool = False
    labels: Sequence[Point] = ()
    tight: bool = False
    also: Sequence[float] = ()


@dataclass(frozen=True)
class Picture:
    """Marks between two axes; `about` says what to see in it to somebody who never saw one.

    >>> from chainrule.explain.pictures.marks import Line
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

    name: str  # of its files
    title: str
    about: str
    x: Axis
    y: Axis
    marks: Sequence[Mark]
    third: str = ""  # what the marks' third number is, if they have one

    def csv(self) -> str:
        """The numbers of all marks: a line for each point, bar or cell."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["series", self.x.name, self.y.name, *([self.third] if self.third else [])])
        for mark in self.marks:
            writer.writerows([mark.name, *map(_cell, found)] for found in mark.records())
        return text.getvalue()

    def svg(self, alone: bool = True) -> str:
        """The drawing; `alone`: with its own colours, for a file of its own. Light and dark."""
        x, y = self._scales()
        size = f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        parts = [
            f'<svg class="picture" xmlns="http://www.w3.org/2000/svg" {size}>',
            f"<title>{escape(self.title)}</title>",
            f"<desc>{escape(self.about)}</desc>",
            *([f"<style>{style()}</style>"] if alone else []),
            f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>',
            *self._grid(x, y),
            *(element for mark in self.marks for element in mark.draw(x, y)),
            *self._legend(),
            "</svg>",
        ]
        return "\n".join(parts)

    def _scales(self) -> tuple[Scale, Scale]:
        extents = [mark.extent() for mark in self.marks]
        across = np.concatenate([*(found for found, _ in extents), self.x.also])
        upwards = np.concatenate([*(found for _, found in extents), self.y.also])
        right, floor = WIDTH - RIGHT, HEIGHT - BOTTOM
        return (
            fitted(across.tolist(), LEFT, right, self.x.log, not self.x.tight),
            fitted(upwards.tolist(), floor, TOP, self.y.log, not self.y.tight),
        )

    def _grid(self, x: Scale, y: Scale) -> Iterator[str]:
        floor = HEIGHT - BOTTOM
        for at, text in self.y.labels or [(tick, tick_text(tick)) for tick in y.ticks(6)]:
            place = y(at)
            if not self.y.labels:
                line = f'x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{place:.1f}" y2="{place:.1f}"'
                yield f'<line class="grid" {line}/>'
            yield _text(LEFT - 7, place + 4, _short(text, 8), "end")
        most = 10 if len(self.x.labels) < 6 else 5
        for at, text in self.x.labels or [(tick, tick_text(tick)) for tick in x.ticks(6)]:
            yield _text(x(at), floor + 17, _short(text, most), "middle")
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{floor}" y2="{floor}"/>'
        middle = (LEFT + WIDTH - RIGHT) / 2
        yield _text(middle, HEIGHT - 8, _short(self.x.name, 60), "middle", "name")
        yield _text(6, 16, _short(self.y.name, 34), "start", "name")

    def _legend(self) -> Iterator[str]:
        """The names of the marks at the top right, the last one ending there."""
        named = {mark.name: mark.color for mark in self.marks if mark.key and mark.name}
        place = WIDTH - RIGHT
        for name, color in reversed(list(named.items()) if len(named) > 1 else []):
            text = _short(name, 16)
            place -= round(len(text) * 6.5)
            yield _text(place, 16, text, "start", "legend")
            place -= 12
            yield f'<rect class="key c{color}" x="{place}" y="8" width="8" height="8" rx="2"/>'
            place -= 10


def _cell(value: Any) -> Any:
    return f"{value:.7g}" if isinstance(value, float) else value


def _text(x: float, y: float, text: str, anchor: str, kind: str = "tick") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text class="{kind}" {place}>{escape(text)}</text>'


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


@cache
def style() -> str:
    """The style of pictures, their colours for light and dark first."""
    folder = files("chainrule.explain.pictures")
    colors = "".join(f".picture .c{n} {{ --c: var(--c{n}); }}\n" for n in range(COLORS))
    colors += f".picture .c{GUIDE} {{ --c: var(--soft); }}\n"
    sheets = ((folder / name).read_text() for name in ("palette.css", "picture.css"))
    return "".join(sheets) + colors

"""Boxes and arrows: what follows from what, laid out in layers from the top down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from itertools import accumulate
from typing import Any

from chainrule.explain.pictures.drawing import Drawing, short, written
from chainrule.explain.pictures.picture import LETTER

WIDTH = 480
LINE = 16  # the height of a line of text
ROOM = 14  # between boxes in a row
BETWEEN = 28  # between rows
WIDEST = 66  # characters in a box

Place = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A box: a title, lines below it, and one of the six colours."""

    title: str
    lines: Sequence[str] = ()
    color: int = 0


@dataclass(frozen=True)
class Arrow:
    """From one box to a later one, both by their places in the diagram; what is said beside it."""

    start: int
    end: int
    text: str = ""


@dataclass(frozen=True)
class Diagram(Drawing):
    """Boxes, each below all those that it follows from; arrows lead from earlier to later ones.

    >>> boxes = [Box("w", ["2"]), Box("loss", ["4"])]
    >>> diagram = Diagram("chain", "A chain", "", boxes, [Arrow(0, 1, "d loss / d w = 4")])
    >>> print(diagram.text())
    ┌───┐
    │ w │
    │ 2 │
    └───┘
      │ d loss / d w = 4
    ┌──────┐
    │ loss │
    │ 4    │
    └──────┘
    >>> print(diagram.csv(), end="")
    kind,name,to,text
    box,w,,2
    box,loss,,4
    arrow,w,loss,d loss / d w = 4
    """

    boxes: Sequence[Box]
    arrows: Sequence[Arrow]

    @property
    def size(self) -> tuple[int, int]:
        return WIDTH, self._tops[-1] + self._height(self._rows[-1]) + ROOM

    def records(self) -> Iterator[Sequence[Any]]:
        yield ["kind", "name", "to", "text"]
        yield from (["box", box.title, "", "; ".join(box.lines)] for box in self.boxes)
        for one in self.arrows:
            yield ["arrow", self.boxes[one.start].title, self.boxes[one.end].title, one.text]

    def elements(self) -> Iterator[str]:
        for arrow in self.arrows:
            yield from self._arrow(arrow)
        for place, box in enumerate(self.boxes):
            yield from self._box(box, *self._places[place])
        for arrow in self.arrows:
            if arrow.text:
                x, y = self._beside(arrow)
                yield written(x, y, short(arrow.text, 34), "start", "halo")

    def text(self) -> str:
        blocks = []
        for place, box in enumerate(self.boxes):
            for arrow in (one for one in self.arrows if one.end == place):
                start = "" if arrow.start == place - 1 else f"from {self.boxes[arrow.start].title}"
                told = ", ".join(text for text in (start, arrow.text) if text)
                blocks.append(f"  │ {told}".rstrip())
            lines = [box.title, *box.lines]
            wide = max(map(len, lines))
            blocks.append(f"┌{'─' * (wide + 2)}┐")
            blocks += [f"│ {line.ljust(wide)} │" for line in lines]
            blocks.append(f"└{'─' * (wide + 2)}┘")
        return "\n".join(blocks)

    # -- where things are

    @cached_property
    def _rows(self) -> list[list[int]]:
        """The boxes by row: each in the row after the lowest of those that it follows from."""
        depth = [0] * len(self.boxes)
        for arrow in sorted(self.arrows, key=lambda one: one.end):
            depth[arrow.end] = max(depth[arrow.end], depth[arrow.start] + 1)
        # What follows from nothing stands just above what needs it first.
        for place in range(len(self.boxes)):
            needed = [depth[one.end] for one in self.arrows if one.start == place]
            if needed and not any(one.end == place for one in self.arrows):
                depth[place] = min(needed) - 1
        rows: list[list[int]] = [[] for _ in range(max(depth, default=0) + 1)]
        for place, row in enumerate(depth):
            rows[row].append(place)
        return [self._ordered(row) for row in rows]

    def _ordered(self, row: list[int]) -> list[int]:
        """A row in the order of what its boxes follow from, so that few arrows cross."""

        def middle(place: int) -> float:
            above = [one.start for one in self.arrows if one.end == place]
            return sum(above) / len(above) if above else float(place)

        return sorted(row, key=middle)

    @cached_property
    def _tops(self) -> list[int]:
        heights = [self._height(row) + BETWEEN for row in self._rows]
        return [ROOM, *(ROOM + top for top in accumulate(heights[:-1]))]

    def _height(self, row: Sequence[int]) -> int:
        return max(LINE * (1 + len(self.boxes[place].lines)) + 12 for place in row)

    @cached_property
    def _places(self) -> list[tuple[float, float, float, float]]:
        """Of each box its left, its top, its width and its height."""
        found: dict[int, tuple[float, float, float, float]] = {}
        for top, row in zip(self._tops, self._rows, strict=True):
            wanted = [self._width(self.boxes[place]) for place in row]
            widths = _shared(wanted, WIDTH - ROOM * (len(row) + 1))
            left = (WIDTH - sum(widths) - ROOM * (len(row) - 1)) / 2
            for place, width in zip(row, widths, strict=True):
                height = LINE * (1 + len(self.boxes[place].lines)) + 12
                found[place] = left, float(top), width, float(height)
                left += width + ROOM
        return [found[place] for place in range(len(self.boxes))]

    @staticmethod
    def _width(box: Box) -> float:
        return max(80.0, min(WIDEST, max(map(len, [box.title, *box.lines]))) * LETTER + 24)

    # -- how they look

    def _box(self, box: Box, left: float, top: float, width: float, height: float) -> Iterator[str]:
        corner = f'x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}"'
        whole = "\n".join([box.title, *box.lines])
        yield f"<g><title>{escape(whole)}</title>"
        yield f'<rect class="paper" {corner} rx="6"/>'
        yield f'<rect class="box c{box.color}" {corner} rx="6"/>'
        most = int((width - 12) / LETTER)
        for at, line in enumerate([box.title, *box.lines]):
            kind = "tick" if at else "head"
            middle = left + width / 2, top + LINE * (at + 1) + 1
            yield written(*middle, short(line, most), "middle", kind)
        yield "</g>"

    def _ends(self, arrow: Arrow) -> tuple[Place, Place]:
        left, top, width, height = self._places[arrow.start]
        to_left, to_top, to_width, _ = self._places[arrow.end]
        return (left + width / 2, top + height), (to_left + to_width / 2, to_top - 5)

    def _passed(self, arrow: Arrow) -> list[int]:
        """The boxes of the rows that an arrow goes past."""
        row = {place: at for at, row in enumerate(self._rows) for place in row}
        return [p for p in row if row[arrow.start] < row[p] < row[arrow.end]]

    def _arrow(self, arrow: Arrow) -> Iterator[str]:
        (x, y), (to_x, to_y) = self._ends(arrow)
        row = next(at for at, row in enumerate(self._rows) if arrow.start in row)
        below = self._tops[row] + self._height(self._rows[row])
        way = f"M{x:.1f},{y:.1f} V{below} "
        if passed := self._passed(arrow):  # around them, on the right
            rights = (self._places[p][0] + self._places[p][2] for p in passed)
            side = min(WIDTH - 6.0, max(rights) + ROOM)
            turn = below + BETWEEN
            way += f"C{x:.1f},{turn} {side:.1f},{below} {side:.1f},{turn} V{to_y - BETWEEN:.1f} "
            x, below = side, round(to_y - BETWEEN)
        half = (to_y + below) / 2
        way += f"C{x:.1f},{half:.1f} {to_x:.1f},{half:.1f} {to_x:.1f},{to_y:.1f}"
        yield f'<path class="arrow" d="{way}"/>'
        yield f'<path class="tip" d="M{to_x - 4:.1f},{to_y - 3:.1f} l8,0 l-4,7 z"/>'

    def _beside(self, arrow: Arrow) -> Place:
        (x, y), (to_x, to_y) = self._ends(arrow)
        return (x + to_x) / 2 + 8, (y + to_y) / 2 + 4


def _shared(wanted: Sequence[float], room: float) -> list[float]:
    """How much of some room each gets: as much as it wants, the most demanding ones alike less."""
    most = room
    for left, size in zip(range(len(wanted), 0, -1), sorted(wanted), strict=True):
        most = room / left
        if size > most:
            break
        room -= size
    return [min(size, max(most, 0.0)) for size in wanted] if max(wanted) > most else list(wanted)

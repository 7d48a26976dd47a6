"""What every drawing can do: SVG, PNG, its numbers as CSV, a form for terminals, notebooks."""

from __future__ import annotations

import csv
import io
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from chainrule.data.sources.reading import installed
from chainrule.errors import SettingError
from chainrule.explain.pictures.marks import COLORS, GUIDE
from chainrule.markup import Html, notebook, tag

SHARP = 2.0
"""A PNG has so many points for each of the drawing's, unless told otherwise."""


@dataclass(frozen=True)
class Drawing(ABC):
    """Something drawn; `about` says what to see in it to somebody who never saw one.

    `name` is that of its files.
    """

    name: str
    title: str
    about: str

    @property
    @abstractmethod
    def size(self) -> tuple[int, int]:
        """Its width and height."""

    @abstractmethod
    def elements(self) -> Iterator[str]:
        """What is in the SVG."""

    @abstractmethod
    def records(self) -> Iterator[Sequence[Any]]:
        """The lines of the CSV, the header first."""

    @abstractmethod
    def text(self) -> str:
        """The drawing for a terminal; empty where characters cannot show it."""

    def csv(self) -> str:
        """The numbers of all that is drawn, a line each."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([_cell(value) for value in record] for record in self.records())
        return text.getvalue()

    def svg(self, alone: bool = True) -> str:
        """The drawing; `alone`: with its own colours, for a file of its own. Light and dark."""
        return self._svg(style() if alone else "")

    def png(self, dark: bool = False, sharp: float = SHARP) -> bytes:
        """The drawing as PNG, `sharp` points for each of its own.

        DataError where resvg-py is not installed: pip install 'chainrule[plot]'.
        """
        with installed("plot", "a PNG"):
            from resvg_py import svg_to_bytes
        sheet = plain_style(dark)
        return bytes(svg_to_bytes(svg_string=self._svg(""), style_sheet=sheet, zoom=sharp))

    def save(self, path: str | Path) -> None:
        """Write it to a file: .svg, .png, .csv or .txt; SettingError for any other."""
        path = Path(path)
        found: dict[str, Callable[[], str | bytes]] = {
            ".svg": self.svg,
            ".png": self.png,
            ".csv": self.csv,
            ".txt": self.text,
        }
        if path.suffix not in found:
            kinds = ", ".join(found)
            raise SettingError("a picture has no such form", expected=kinds, got=path.name)
        made = found[path.suffix]()
        path.write_bytes(made if isinstance(made, bytes) else made.encode())

    def _repr_html_(self) -> str:
        drawn = Html(self._svg(rules()))
        wide = f"max-width: {self.size[0] * 1.2:.0f}px"
        return notebook(tag("b", self.title), tag("div", drawn, style=wide), tag("p", self.about))

    def _svg(self, sheet: str) -> str:
        width, height = self.size
        parts = [
            f'<svg class="picture" xmlns="http://www.w3.org/2000/svg" '
            f'viewBox="0 0 {width} {height}" role="img">',
            f"<title>{escape(self.title)}</title>",
            f"<desc>{escape(self.about)}</desc>",
            *([f"<style>{sheet}</style>"] if sheet else []),
            f'<rect class="paper" width="{width}" height="{height}"/>',
            *self.elements(),
            "</svg>",
        ]
        return "\n".join(parts)


def _cell(value: Any) -> Any:
    return f"{value:.7g}" if isinstance(value, float) else value


def written(x: float, y: float, text: str, anchor: str, kind: str = "tick") -> str:
    """A text at a place; `anchor`: which end of it stands there, start, middle or end."""
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text class="{kind}" {place}>{escape(text)}</text>'


def short(text: str, most: int) -> str:
    """A text of at most so many characters.

    >>> short("a long name", 7)
    'a long…'
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"


@cache
def style() -> str:
    """The style of pictures, their colours for light and dark first."""
    return _sheet("palette.css") + rules()


@cache
def rules() -> str:
    """The style of pictures without the colours themselves."""
    colors = "".join(f".picture .c{n} {{ --c: var(--c{n}); }}\n" for n in range(COLORS))
    return _sheet("picture.css") + colors + f".picture .c{GUIDE} {{ --c: var(--soft); }}\n"


@cache
def plain_style(dark: bool) -> str:
    """The style with its colours written in, for what knows no variables."""
    light, darker = _sheet("palette.css").split("@media")
    known = dict(re.findall(r"--(\w+): (#\w+)", darker if dark else light))
    colors = {f".c{n}": known[f"c{n}"] for n in range(COLORS)} | {f".c{GUIDE}": known["soft"]}
    return "\n".join(_resolved(_sheet("picture.css").splitlines(), known, colors))


def _resolved(lines: Iterable[str], known: dict[str, str], colors: dict[str, str]) -> Iterator[str]:
    for line in lines:
        rule = re.sub(r"var\(--(\w{2,})\)", lambda found: known[found[1]], line)
        if "var(--c)" not in rule:
            yield rule
            continue
        selectors, _, body = rule.partition(" {")
        for name, color in colors.items():
            whole = ", ".join(one + name for one in selectors.split(", "))
            yield f"{whole} {{{body.replace('var(--c)', color)}"


def _sheet(name: str) -> str:
    return (files("chainrule.explain.pictures") / name).read_text()

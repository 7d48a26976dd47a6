"""Several pictures of one kind in one: small ones side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from chainrule.explain.pictures.drawing import Drawing, short, written
from chainrule.explain.pictures.picture import LETTER, Picture

SMALL = (240, 200)
"""The size of a panel of which two stand in a row."""

HEAD = 22  # above each panel, for its title


@dataclass(frozen=True)
class Panels(Drawing):
    """Pictures of equal size, `across` in a row, each below its own title."""

    pictures: Sequence[Picture]
    across: int = 2

    @property
    def size(self) -> tuple[int, int]:
        width, height = self.pictures[0].size
        rows = -(-len(self.pictures) // self.across)
        return width * self.across, (height + HEAD) * rows

    def elements(self) -> Iterator[str]:
        width, height = self.pictures[0].size
        for place, picture in enumerate(self.pictures):
            row, column = divmod(place, self.across)
            left, top = column * width, row * (height + HEAD)
            title = short(picture.title, int(width / LETTER) - 2)
            yield written(left + 6, top + 16, title, "start", "head")
            yield f'<svg x="{left}" y="{top + HEAD}" width="{width}" height="{height}">'
            yield from picture.elements()
            yield "</svg>"

    def records(self) -> Iterator[Sequence[Any]]:
        for place, picture in enumerate(self.pictures):
            header, *found = picture.records()
            yield from ([] if place else [["panel", *header]])
            yield from ([picture.title, *record] for record in found)

    def text(self) -> str:
        shown = {picture.title: picture.text() for picture in self.pictures}
        return "\n\n".join(f"{title}\n{text}" for title, text in shown.items() if text)

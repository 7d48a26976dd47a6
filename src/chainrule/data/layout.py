"""How a table was written, for others of its kind that leave it open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chainrule.data.report import Record

Shape = tuple[int, ...]


class Layout(Record):
    """What was found out, or said, about how a table is written; None: not known.

    `signs`: numbers have a currency or percent sign; `header`: the first row names the columns;
    `renamed`: they have other names all the same. `sheet` is that of a workbook, `rate` the
    samples a second of sounds.
    """

    delimiter: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    signs: bool = False
    header: bool | None = None
    renamed: bool = False
    sheet: str | None = None
    rate: int | None = None


@dataclass(frozen=True)
class Familiar:
    """What a new table is expected to be like: its columns, its layout, the shapes of its arrays.

    It decides where the table itself leaves something open, and no more.

    >>> Familiar(("age", "job", "pay")).names_of(["pay", "age", "year"])
    True
    """

    columns: tuple[str, ...] = ()
    layout: Layout = field(default_factory=Layout)
    shapes: Mapping[str, Shape] = field(default_factory=dict)

    def names_of(self, cells: list[str | None]) -> bool:
        """Whether a row holds the names of the columns, or of half of them."""
        known = set(self.columns) & set(cells)
        return bool(known) and 2 * len(known) >= len(self.columns)

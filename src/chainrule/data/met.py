"""What new rows hold that training rows did not."""

from __future__ import annotations

from typing import NamedTuple

from chainrule.data.columns import BadCell
from chainrule.data.report import Record, counted, on_lines, quoted

MOST_TEXTS = 1000
OTHERS = "others"
"""Of many rows, unseen texts beyond this many are counted together, and no more lines are kept."""


class Strange(NamedTuple):
    """Cells that are bad or unseen: how many, the first of their lines, and whether it is wrong."""

    text: str
    cells: int
    lines: list[int]
    wrong: bool


class MetColumn(Record):
    """What one column of new rows held that is worth saying.

    `unseen_lines` are those of unseen texts, the first `MOST_TEXTS`.
    """

    name: str
    missing: int
    unseen: dict[str, int]
    bad: list[BadCell]
    unseen_lines: list[int] = []  # noqa: RUF012 (pydantic copies it)

    def joined(self, later: MetColumn) -> MetColumn:
        """The same of these rows and of later ones."""
        unseen = dict(self.unseen)
        for text, count in later.unseen.items():
            known = text if text in unseen or len(unseen) < MOST_TEXTS else OTHERS
            unseen[known] = unseen.get(known, 0) + count
        return MetColumn(
            name=self.name,
            missing=self.missing + later.missing,
            unseen=unseen,
            bad=[*self.bad, *later.bad],
            unseen_lines=[*self.unseen_lines, *later.unseen_lines][:MOST_TEXTS],
        )

    def strange(self) -> list[Strange]:
        """What is bad or unseen."""
        found = []
        if self.unseen:
            text = f"{self.name}: {quoted(self.unseen)} not seen in training"
            found.append(Strange(text, sum(self.unseen.values()), self.unseen_lines, wrong=False))
        if self.bad:
            texts = dict.fromkeys(cell.text for cell in self.bad)
            text = f"{self.name}: {quoted(texts)} taken as missing"
            lines = [cell.line for cell in self.bad]
            found.append(Strange(text, len(lines), lines, wrong=True))
        return found

    def said(self) -> list[str]:
        """One line for each thing."""
        missing = [f"{self.name}: {counted(self.missing, 'missing value')}"] if self.missing else []
        strange = (f"{one.text} ({on_lines(one.lines, one.cells)})" for one in self.strange())
        return [*missing, *strange]


class Met(Record):
    """What new rows held that training rows did not: nothing is passed over in silence.

    `extra` are columns that training did not have, ignored; `by_position` says that the rows had
    no header, so that columns were taken by their place.
    """

    rows: int
    columns: list[MetColumn]
    extra: list[str]
    by_position: bool = False

    def text(self) -> str:
        """Plain lines, or an empty text if there is nothing to say."""
        said = [line for column in self.columns for line in column.said()]
        if self.extra:
            said.append(f"ignored, as training had no such column: {', '.join(self.extra)}")
        if self.by_position:
            said.append("no header: columns taken by their place")
        return "\n".join(said)

    def joined(self, later: Met) -> Met:
        """What these rows and later ones held."""
        columns = {column.name: column for column in self.columns}
        for column in later.columns:
            known = columns.get(column.name)
            columns[column.name] = column if known is None else known.joined(column)
        extra = list(dict.fromkeys([*self.extra, *later.extra]))
        rows = self.rows + later.rows
        return Met(
            rows=rows, columns=[*columns.values()], extra=extra, by_position=self.by_position
        )

    def to_json(self) -> str:
        """All of it as JSON."""
        return self.model_dump_json()

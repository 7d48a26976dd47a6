"""What new rows hold that training rows did not."""

from __future__ import annotations

from chainrule.data.columns import BadCell
from chainrule.data.report import Record, counted, on_lines, quoted


class MetColumn(Record):
    """What one column of new rows held that is worth saying."""

    name: str
    missing: int
    unseen: dict[str, int]
    bad: list[BadCell]

    def strange(self) -> list[tuple[str, int, list[int]]]:
        """What is bad or unseen, as text, count of cells, and lines where they are known."""
        found: list[tuple[str, int, list[int]]] = []
        if self.unseen:
            rows = sum(self.unseen.values())
            found.append((f"{self.name}: {quoted(self.unseen)} not seen in training", rows, []))
        if self.bad:
            text = f"{self.name}: {quoted(cell.text for cell in self.bad)} taken as missing"
            found.append((text, len(self.bad), [cell.line for cell in self.bad]))
        return found

    def said(self) -> list[str]:
        """One line for each thing."""
        missing = [f"{self.name}: {counted(self.missing, 'missing value')}"] if self.missing else []
        strange = [
            f"{text} ({on_lines(lines) if lines else counted(count, 'row')})"
            for text, count, lines in self.strange()
        ]
        return missing + strange


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

    def to_json(self) -> str:
        """All of it as JSON."""
        return self.model_dump_json()

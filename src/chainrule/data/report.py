"""What was found in the data and what was done about it, for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

SHOWN = 5
"""How many lines or texts a note shows as examples; the JSON holds all lines."""


class Record(BaseModel):
    """A record that is saved as JSON: frozen, and without keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Note(Record):
    """One thing that was found or decided: about what, in words, and where.

    `about` is one word to group by: lines, target, duplicates, column, cells, split, task. In
    print, notes about columns that say the same become one line. `finding`: the data looks wrong
    here, so that `--strict` refuses it; other notes say what was done as a matter of course.
    `share`: the number, 0 to 1, that the words rest on, if it is one.
    """

    about: str
    text: str
    column: str | None = None
    count: int = 0
    lines: list[int] = []
    finding: bool = False
    share: float | None = None

    def __str__(self) -> str:
        where = f" ({on_lines(self.lines)})" if self.lines else ""
        return f"{self.column}: {self.text}{where}" if self.about == "column" else self.text + where


class Report(Record):
    """All notes about one table, in the order in which things were done.

    >>> report = Report(source="t.csv", notes=[Note(about="duplicates", text="1 row", lines=[7])])
    >>> print(report.text())
    t.csv
      1 row (line 7)
    """

    source: str
    notes: list[Note]

    def about(self, word: str) -> list[Note]:
        """The notes about one thing."""
        return [note for note in self.notes if note.about == word]

    def text(self) -> str:
        """The whole report as plain lines."""
        alike: dict[tuple[str, str], list[Note]] = {}
        for place, note in enumerate(self.notes):
            key = note.about if note.about == "column" else str(place)
            alike.setdefault((key, note.text), []).append(note)
        return "\n".join([self.source, *(f"  {_line(notes)}" for notes in alike.values())])

    def to_json(self) -> str:
        """The whole report as JSON, with every line number."""
        return self.model_dump_json()


def _line(notes: list[Note]) -> str:
    """Notes that say the same as one line."""
    if len(notes) == 1 or any(note.lines for note in notes):
        return "\n  ".join(map(str, notes))
    return f"{named(str(note.column) for note in notes)}: {notes[0].text}"


def named(names: Iterable[str], limit: int = 12) -> str:
    """Names in a row, the first few of many.

    >>> named(["a", "b", "c"], limit=2)
    'a, b and 1 more'
    """
    every = list(names)
    more = f" and {len(every) - limit:,} more" if len(every) > limit else ""
    return ", ".join(every[:limit]) + more


def on_lines(lines: Iterable[int], count: int | None = None) -> str:
    """Line numbers as text, the first few of many; `count`: how many, if `lines` are not all.

    >>> on_lines([3]), on_lines(range(2, 40))
    ('line 3', 'lines 2, 3, 4, 5, 6 and 33 more')
    """
    every = [str(line) for line in lines]
    if len(every) == 1 and (count or 1) == 1:
        return f"line {every[0]}"
    left = (count or len(every)) - len(every[:SHOWN])
    more = f" and {left:,} more" if left > 0 else ""
    return f"lines {', '.join(every[:SHOWN])}{more}"


def counted(count: int, word: str, words: str | None = None) -> str:
    """A count with its noun.

    >>> counted(1, "row"), counted(1200, "row"), counted(2, "category", "categories")
    ('1 row', '1,200 rows', '2 categories')
    """
    return f"{count:,} {word if count == 1 else words or word + 's'}"


def quoted(texts: Iterable[str]) -> str:
    """Texts in quotes, the first few of many.

    >>> quoted(["a", "b"])
    "'a', 'b'"
    """
    every = list(texts)
    more = f" and {len(every) - SHOWN:,} more" if len(every) > SHOWN else ""
    return ", ".join(repr(text[:60]) for text in every[:SHOWN]) + more


def listed(lines: NDArray[np.int64]) -> list[int]:
    """Line numbers as a plain list, for a record."""
    return [int(line) for line in lines]

"""Which character stands between the cells of a text, or that it cannot be told."""

from __future__ import annotations

import csv
import io

from chainrule.data.lines import Text
from chainrule.data.report import Note
from chainrule.data.sources.decimals import reads_as_number
from chainrule.errors import DataError

CANDIDATES = (",", ";", "\t", "|")
SAMPLE = 65536
"""How many bytes of the text are looked at."""


def delimiter_of(
    text: Text, suffix: str, source: str, likely: str | None = None
) -> tuple[str | None, list[Note]]:
    """The only candidate that cuts every line into as many cells; `likely` if none does.

    A comma inside of numbers (1,5;2,5) is no delimiter. Of several, the ending .tsv or .tab speaks
    for a tab, then `likely` decides, which is noted; otherwise
    DataError, which asks for --delimiter.

    >>> delimiter_of(b"a;b\\n1,5;2,5\\n0,1;0,2\\n", ".csv", "t.csv")
    (';', [])
    """
    sample = sample_of(text)
    marks = dict.fromkeys([*CANDIDATES, *([likely] if likely else [])])
    cut = {mark: rows for mark in marks if (rows := _rows(sample, mark))}
    if len(cut) > 1 and "," in cut and any(_decimal(cut[mark]) for mark in cut if mark != ","):
        del cut[","]
    if len(cut) > 1 and "\t" in cut and suffix in (".tsv", ".tab"):
        return "\t", []
    if len(cut) == 1:
        return next(iter(cut)), []
    if likely is not None and (likely in cut or not cut):
        told = Note(about="layout", text=f"the delimiter is {likely!r}, as in training")
        return likely, [told] * (likely in sample)
    if not cut:
        return None, []
    raise DataError(
        f"the delimiter of {source} cannot be told",
        got="; ".join(f"{mark!r} makes {len(rows[0])} columns" for mark, rows in cut.items()),
        hint="--delimiter, such as ',' or tab",
    )


def sample_of(text: Text) -> str:
    """The first whole lines of a text."""
    sample = text[:SAMPLE].decode("utf-8-sig", errors="replace")
    return sample[: sample.rfind("\n") + 1] if len(text) > SAMPLE else sample


def _rows(sample: str, mark: str) -> list[list[str]]:
    """The rows that a delimiter makes; none if they differ in width, or have one cell."""
    try:
        reader = csv.reader(io.StringIO(sample, newline=""), delimiter=mark, strict=True)
        rows = [row for row in reader if row]
    except csv.Error:
        return []
    widths = {len(row) for row in rows}
    return rows if len(widths) == 1 and widths != {1} else []


def _decimal(rows: list[list[str]]) -> bool:
    """Whether cells hold commas, and all that do are numbers."""
    cells = [cell.strip() for row in rows for cell in row if "," in cell]
    return bool(cells) and all(map(reads_as_number, cells))

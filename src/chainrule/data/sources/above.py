"""What stands above a table: a title, remarks, who exported it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from chainrule.data.column import Column, number_of
from chainrule.data.lines import Text
from chainrule.data.scan import Scan
from chainrule.data.sources.delimiter import CANDIDATES, sample_of
from chainrule.data.table import Rejected

MOST = 10
"""More lines than this are no title."""

LEAST_COLUMNS = 3
"""In a narrower table a first row with one cell may well be a row of it."""

MOSTLY = 0.9
"""A delimiter makes a table if this share of the lines have as many cells as the header."""

REASON = "above the table"


def lines_above(text: Text, delimiter: str | None) -> int:
    """How many lines of one cell stand above a header of texts and rows of numbers as wide as it.

    None where another delimiter makes a table of all lines.

    >>> lines_above(b"Sales 2021\\n\\na,b,c\\nx,1,2\\ny,3,4\\n", None)
    2
    >>> lines_above(b"price\\n1,5\\n2,5\\n", None)
    0
    """
    sample = sample_of(text)
    found = [_above(sample, mark) for mark in ([delimiter] if delimiter else CANDIDATES)]
    likely = [lines for lines in found if lines is not None]
    return likely[0] if len(likely) == 1 else 0


def _above(sample: str, mark: str) -> int | None:
    """The lines above the table that one delimiter makes; None if it makes none."""
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=mark, strict=True)
    try:
        rows = [(row, reader.line_num) for row in reader if row]
    except csv.Error:
        return None
    filled = (sum(map(bool, row)) for row, _ in rows)
    first = next((place for place, cells in enumerate(filled) if cells > 1), 0)
    body = [row for row, _ in rows[first + 1 :]]
    names = rows[first][0] if rows else []
    alike = [row for row in body if len(row) == len(names)]
    if not body or len(alike) < MOSTLY * len(body):
        return None
    if first == 0:
        return 0 if len(names) > 1 else None
    numbers = any(number_of(cell) == number_of(cell) for row in alike for cell in row)
    narrow = len(names) < LEAST_COLUMNS or first > MOST
    return None if narrow or not numbers or not _all_texts(names) else rows[first][1] - 1


def _all_texts(cells: Sequence[str | None]) -> bool:
    """Whether every cell holds a text that is no number, as those of a header do."""
    return all(cell and number_of(cell) != number_of(cell) for cell in cells)


def cut(text: Text, lines: int) -> tuple[Text, tuple[Rejected, ...]]:
    """A text without its first lines, and those that are not empty.

    >>> cut(b"Sales\\na,b\\n", 1)
    (b'a,b\\n', (Rejected(line=1, text='Sales', reason='above the table'),))
    """
    if lines == 0:
        return text, ()
    *above, rest = text[:].split(b"\n", lines)
    texts = [line.decode("utf-8-sig", errors="replace").strip() for line in above]
    return rest, tuple(Rejected(n, line, REASON) for n, line in enumerate(texts, 1) if line)


def moved(found: Scan, lines: int, above: tuple[Rejected, ...]) -> Scan:
    """What was read of a text without its first lines, as lines of the whole."""
    rejected = [replace(bad, line=bad.line + lines) for bad in found.rejected]
    return replace(found, lines=found.lines + lines, rejected=(*above, *rejected))


def rows_above(columns: Sequence[Column], lines: NDArray[np.int64]) -> tuple[Rejected, ...]:
    """The first rows, if each has one cell, and the row below a text in every column.

    >>> columns = [Column.of(["Sales", "town", "Oslo"]), *[Column.of([None, "x", 1])] * 2]
    >>> [bad.text for bad in rows_above(columns, np.array([1, 2, 3]))]
    ['Sales']
    """
    if len(columns) < LEAST_COLUMNS:
        return ()
    rows = list(zip(*(column.at(slice(MOST + 1)).tolist() for column in columns), strict=True))
    known = [[cell for cell in row if cell is not None] for row in rows]
    first = next((place for place, cells in enumerate(known) if len(cells) > 1), 0)
    names = known[first] if known else []
    if len(names) < len(columns) or not _all_texts(names):
        return ()
    return tuple(
        Rejected(int(line), " ".join(cells), REASON)
        for line, cells in zip(lines[:first].tolist(), known[:first], strict=True)
    )

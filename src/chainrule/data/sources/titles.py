"""The first row of a grid of text: a header, or data; and names for the columns."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data.column import Column, number_of
from chainrule.data.layout import Familiar, Layout
from chainrule.data.lines import every_place
from chainrule.data.report import Note
from chainrule.data.sources.above import rows_above
from chainrule.data.sources.reading import Reading
from chainrule.data.table import Table
from chainrule.errors import DataError

SAMPLE = 100
"""So many rows are looked at for a number below a text."""


def titled(
    columns: Sequence[Column],
    lines: NDArray[Any],
    source: str,
    reading: Reading,
    layout: Layout | None = None,
) -> Table:
    """A table of text cells whose first row may name its columns; DataError if it has no rows.

    Where the columns of training were given other names than their header's, those of a table with
    such a header have none, as in a table without one.
    """
    above = rows_above(columns, lines) if reading.header is not False else ()
    if above:
        below = np.arange(len(above), len(lines))
        columns, lines = [column.take(below) for column in columns], lines[below]
    first = [column.at(slice(1))[0] for column in columns]
    header = _has_header(columns, first, source, reading)
    if header and len(lines) == 1:
        raise DataError(f"{source} has a header but no rows", got=", ".join(map(str, first)))
    names = first if header and reading.names is None else reading.names
    body = every_place(len(lines))[int(header) :]
    bodies = (column.take(body) for column in columns)
    passed = header and reading.names is None and _renamed(first, reading.like)
    told = "the header is passed over, as in training"
    return Table(
        dict(zip(titles(None if passed else names, len(first), source), bodies, strict=True)),
        lines[int(header) :],
        source,
        named=(header and not passed) or reading.names is not None,
        rejected=above,
        notes=(Note(about="layout", text=told),) if passed else (),
        layout=(layout or Layout()).model_copy(
            update={"header": header, "renamed": header and (passed or reading.names is not None)}
        ),
    )


def _renamed(first: list[str | None], like: Familiar) -> bool:
    """Whether a header is one whose columns had other names in training."""
    return like.layout.renamed and not like.names_of(first)


def _has_header(
    columns: Sequence[Column], first: list[str | None], source: str, reading: Reading
) -> bool:
    """Whether the first row names the columns: as said, or as its cells tell.

    Beside what `is_header` says, texts above texts are data if each of them comes up again in its
    column, and a header if none does.
    """
    if reading.header is not None:
        return reading.header
    if reading.names is not None:
        return first == list(reading.names)
    if reading.like.names_of(first):
        return True
    if reading.like.layout.header is False or reading.like.layout.renamed:
        return reading.like.layout.renamed and is_header(first)
    if not is_header(first) or _counted(first) or any(map(_holds_numbers, columns)):
        return is_header(first)
    again = [
        cell is not None and np.count_nonzero(column.same_as(cell)) > 1
        for cell, column in zip(first, columns, strict=True)
    ]
    known = list(compress(again, (cell is not None for cell in first)))
    if any(known) and not all(known):
        raise DataError(
            f"whether the first row of {source} names its columns cannot be told",
            got=", ".join(map(str, first)),
            hint="--header or --no-header",
        )
    return not any(known)


def _holds_numbers(column: Column) -> bool:
    """Whether there is a number among the first cells below the first row."""
    return any(np.isfinite(number_of(cell)) for cell in column.at(slice(1, SAMPLE + 1)))


def is_header(first: Sequence[str | None]) -> bool:
    """Whether a first row could name the columns: none of its cells is a number or `?`.

    A row that counts 0, 1, 2, ... (pandas writes such headers) names them too.

    >>> is_header(["age", "sex"]), is_header(["M", "0.455"]), is_header([None, "0", "1"])
    (True, False, True)
    """
    plain = not any(cell == "?" or np.isfinite(number_of(cell)) for cell in first)
    return plain or _counted(first)


def _counted(first: Sequence[str | None]) -> bool:
    """Whether cells are 0, 1, 2, ... or 1, 2, 3, ..., after an empty first one perhaps."""
    cells = list(first[1:] if first[0] is None else first)
    counts = [[str(number + start) for number in range(len(cells))] for start in (0, 1)]
    return len(cells) > 1 and cells in counts


def titles(names: Sequence[str | None] | None, width: int, source: str) -> list[str]:
    """A name for every column: as given, or column1, column2, ... where there is none."""
    filled = [
        name or f"column{place}" for place, name in enumerate(names or [None] * width, start=1)
    ]
    return checked(filled, width, source)


def checked(names: Sequence[str], width: int, source: str) -> list[str]:
    """Names that are one for each column and all different, or a DataError."""
    if len(names) != width:
        raise DataError(
            f"the number of names and the columns of {source} differ",
            expected=f"{width} names",
            got=f"{len(names)}: {', '.join(names)}",
        )
    twice = [name for place, name in enumerate(names) if name in names[:place]]
    if twice:
        places = [str(place) for place, name in enumerate(names, 1) if name == twice[0]]
        raise DataError(
            f"{source} has two columns called {twice[0]!r}",
            got=f"columns {' and '.join(places)}",
            hint="--names A,B,... gives others; with --header where there is a header to replace",
        )
    return list(names)


def renamed(table: Table, reading: Reading) -> Table:
    """A table that brings its names, under those of `reading` if it gives any."""
    if reading.names is None:
        return table
    return table.renamed(checked(reading.names, len(table.columns), table.source))

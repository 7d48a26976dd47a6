"""What each column holds, by a vote of its cells: numbers, categories, one value, nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from chainrule.data.column import Column, is_missing
from chainrule.data.report import Record, counted, on_lines, quoted
from chainrule.data.table import Table
from chainrule.errors import DataError, SettingError, nearest

Kind = Literal["numeric", "category", "constant", "empty"]
ASKED: tuple[Kind, ...] = ("numeric", "category")
"""The kinds that `types=` may ask for."""

NUMERIC_SHARE = 0.95
"""A column is numeric when at least this share of its non-missing cells are numbers."""

HUGE = 1e150
"""Numbers beyond this have squares that overflow, so they are refused as infinities are."""


class BadCell(Record):
    """A cell of a numeric column that is no number; it counts as missing."""

    line: int
    text: str


class ColumnKind(Record):
    """What a column holds, and why.

    `integer`: all its numbers are whole. `distinct`: how many values it has. `missing`: how many
    cells are missing, bad cells not counted. `asked`: the kind was given, not voted.
    """

    name: str
    kind: Kind
    reason: str
    integer: bool
    distinct: int
    missing: int
    bad: list[BadCell]
    asked: bool = False


def column_kinds(table: Table, types: Mapping[str, str] | None = None) -> dict[str, ColumnKind]:
    """The kind of each column by name; `types` overrides the vote with "numeric" or "category".

    DataError for a name in `types` that is no column; SettingError for another kind.

    >>> kinds = column_kinds(Table.of({"age": [*range(20), "?"], "sex": ["f", "m", "m"] * 7}))
    >>> [(kind.name, kind.kind, kind.missing) for kind in kinds.values()]
    [('age', 'numeric', 1), ('sex', 'category', 0)]
    """
    asked = {table.name_of(key): _asked(key, kind) for key, kind in (types or {}).items()}
    return {name: column_kind(table, name, asked.get(name)) for name in table.names}


def column_kind(table: Table, name: str, asked: Kind | None = None) -> ColumnKind:
    """The kind of one column, voted or asked for."""
    column = table.column(name)
    present = int(np.count_nonzero(~column.missing))
    numeric = numeric_vote(column) if asked is None else asked == "numeric"
    numbers = column.numbers[~np.isnan(column.numbers)]
    distinct = len(np.unique(numbers)) if numeric else len(present_texts(column))
    kind, reason = _decide(column, present, distinct, numeric)
    if asked is not None and kind != "empty":
        kind, reason = asked, "asked for"
    if asked == "numeric" and len(numbers) == 0:
        raise DataError(f"column {name!r} is to be numeric but holds no number")
    return ColumnKind(
        name=name,
        kind=kind,
        reason=reason,
        integer=numeric and bool((numbers == np.floor(numbers)).all()),
        distinct=distinct,
        missing=len(column) - present,
        bad=bad_cells(table, name) if numeric else [],
        asked=asked is not None,
    )


def _decide(column: Column, present: int, distinct: int, numeric: bool) -> tuple[Kind, str]:
    """A column's kind and the reason in words."""
    if present == 0:
        return "empty", "every cell is missing"
    if distinct == 1 and present == len(column):
        return "constant", "every cell has the same value"
    if distinct == 1:
        return "category", "one value or missing"
    bad = len(column.bad) if numeric else 0
    if numeric and bad:
        return "numeric", f"{present - bad:,} of {present:,} cells are numbers"
    if numeric:
        return "numeric", "every cell is a number"
    return "category", f"text with {counted(distinct, 'value')}"


def numeric_vote(column: Column) -> bool:
    """Whether at least 95% of the cells that are not missing are numbers."""
    present = np.count_nonzero(~column.missing)
    numbers = np.count_nonzero(~np.isnan(column.numbers))
    return bool(numbers > 0 and numbers >= NUMERIC_SHARE * present)


def present_texts(column: Column) -> dict[str, int]:
    """The distinct texts that are not missing, with their counts, in alphabetical order."""
    counts = np.bincount(column.codes, minlength=len(column.values)).tolist()
    pairs = zip(column.values, counts, strict=True)
    return dict(sorted((t, n) for t, n in pairs if t is not None and n and not is_missing(t)))


def bad_cells(table: Table, name: str) -> list[BadCell]:
    """The cells of a column that are neither numbers nor missing."""
    column = table.column(name)
    pairs = zip(table.lines[column.bad].tolist(), column.cells[column.bad].tolist(), strict=True)
    return [BadCell(line=line, text=text) for line, text in pairs]


def labels(column: Column) -> tuple[NDArray[np.int64], list[str | None]]:
    """A column as categories: for each cell a place, int64 [n], in a list of labels.

    A whole number drops its point (`3.0` is the category `3`, as files and frames write the same
    number differently), and keeps leading zeros, as codes have. None labels missing cells.

    >>> labels(Column.of(["3.0", "3", "?"]))
    (array([0, 0, 1]), ['3', None])
    """
    codes, values = column.codes, column.values
    named = [_label(value) for value in values]
    places = {label: place for place, label in enumerate(dict.fromkeys(named))}
    table = np.array([places[label] for label in named], dtype=np.int64)
    return (table[codes] if len(table) else codes), list(places)


def _label(text: str | None) -> str | None:
    """The category that a text belongs to: itself, a number's shortest form, or None."""
    if text is None or is_missing(text):
        return None
    whole, point, rest = text.partition(".")
    if point and rest.strip("0") == "" and whole.removeprefix("-").isascii():
        return whole if whole.removeprefix("-").isdigit() else text
    return text


def refuse_infinities(table: Table, names: list[str]) -> None:
    """DataError that names the columns and lines in which numbers are infinite or beyond 1e150."""
    found = []
    for name in names:
        with np.errstate(invalid="ignore"):
            rows = np.flatnonzero(np.abs(table.column(name).numbers) > HUGE)
        if len(rows):
            texts = quoted(table.column(name).cells[rows].tolist())
            found.append(f"column {name!r}, {on_lines(table.lines[rows].tolist())}: {texts}")
    if found:
        raise DataError(
            f"{table.source} holds infinite numbers",
            expected="finite numbers, at most 1e150 in size",
            got="; ".join(found),
            hint="leave such cells empty if the value is not known",
        )


def _asked(name: str, kind: str) -> Kind:
    """A kind as `types=` gives it, or a SettingError with the nearest one."""
    for known in ASKED:
        if kind == known:
            return known
    close = nearest(kind, ASKED)
    raise SettingError(
        f"column {name!r} cannot be of type {kind!r}",
        expected=" or ".join(ASKED),
        hint=f"did you mean {close!r}?" if close else None,
    )

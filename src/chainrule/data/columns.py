"""What each column holds, voted by its cells or asked for, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from chainrule.data.cast import NO_TIME
from chainrule.data.column import Column, are_whole, count_different, is_huge
from chainrule.data.dates import day_form, is_form, seconds
from chainrule.data.labels import labels as labels
from chainrule.data.labels import text_counts
from chainrule.data.markers import markers_met
from chainrule.data.report import Record, on_lines, quoted
from chainrule.data.side_by_side import side_by_side
from chainrule.data.table import Table
from chainrule.data.votes import Kind, Vote, vote
from chainrule.data.votes import numeric_vote as numeric_vote
from chainrule.errors import DataError, SettingError, nearest

ASKED: tuple[Kind, ...] = tuple(
    kind for kind in get_args(Kind) if kind not in ("array", "constant", "empty")
)
"""The kinds that `types=` may ask for; "date:%d.%m.%Y" also says how the dates are written."""


class BadCell(Record):
    """A cell that is not what its column holds, as a text among numbers; it counts as missing."""

    line: int
    text: str


class ColumnKind(Record):
    """What a column holds, and why.

    `integer`: all its numbers are whole. `distinct`: how many values it has. `missing`: how many
    cells are missing, bad cells not counted; `markers` says how those are written. `form`: how its
    dates are written. `advice`: what the cells cannot decide, if anything. `asked`: the kind was
    given, not voted.
    """

    name: str
    kind: Kind
    reason: str
    integer: bool
    distinct: int
    missing: int
    bad: list[BadCell]
    markers: dict[str, int]
    form: str | None = None
    advice: str | None = None
    asked: bool = False


def column_kinds(table: Table, types: Mapping[str, str] | None = None) -> dict[str, ColumnKind]:
    """The kind of each column by name; `types` overrides the vote, with "numeric" or another kind.

    A column that numbers the rows is an id only beside others. DataError for a name in `types`
    that is no column, or that cannot be of its type; SettingError for an unknown type.

    >>> kinds = column_kinds(Table.of({"age": [*range(20), "?"], "sex": ["f", "m", "m"] * 7}))
    >>> [(kind.name, kind.kind, kind.missing) for kind in kinds.values()]
    [('age', 'numeric', 1), ('sex', 'category', 0)]
    """
    asked = {table.name_of(key): kind for key, kind in (types or {}).items()}

    def voted(name: str) -> Vote:
        column = table.columns[name]
        return _asked_vote(name, column, asked[name]) if name in asked else vote(name, column)

    found = side_by_side(voted, table.names, len(table))
    votes = dict(zip(table.names, found, strict=True))
    useful = [name for name, found in votes.items() if found.kind not in ("constant", "empty")]
    if len(useful) == 1 and useful[0] not in asked:
        votes[useful[0]] = _alone(table.columns[useful[0]], votes[useful[0]])
    kinds = side_by_side(
        lambda name: _kind(table, name, votes[name], name in asked), table.names, len(table)
    )
    return dict(zip(table.names, kinds, strict=True))


def column_kind(table: Table, name: str, asked: str | None = None) -> ColumnKind:
    """The kind of one column, voted or asked for."""
    column = table.column(name)
    found = vote(name, column) if asked is None else _asked_vote(name, column, asked)
    return _kind(table, name, found, asked is not None)


def _alone(column: Column, found: Vote) -> Vote:
    """The vote on the only column there is to learn from: numbers that number rows may matter."""
    if found.kind == "id" and numeric_vote(column):
        return replace(found, kind="numeric", reason="every cell is a number")
    return found


def _kind(table: Table, name: str, found: Vote, asked: bool) -> ColumnKind:
    """A vote with what else is worth knowing about the column."""
    column = table.columns[name]
    numeric = found.kind == "numeric" or (not asked and numeric_vote(column))
    numbers = column.numbers[~np.isnan(column.numbers)]
    return ColumnKind(
        name=name,
        kind=found.kind,
        reason=found.reason,
        integer=numeric and are_whole(numbers),
        distinct=count_different(numbers) if numeric else len(text_counts(column)),
        missing=int(np.count_nonzero(column.missing)),
        bad=bad_cells(table, name, found.kind, found.form),
        markers=markers_met(column),
        form=found.form,
        advice=found.advice,
        asked=asked,
    )


def bad_rows(column: Column, kind: str, form: str | None = None) -> NDArray[np.int64]:
    """The rows of cells that are neither missing nor what a column of that kind holds."""
    if kind == "numeric":
        return column.bad
    if kind == "date" and form is not None:
        return np.flatnonzero((seconds(column, form) == NO_TIME) & ~column.missing)
    return np.zeros(0, dtype=np.int64)


def bad_cells(
    table: Table, name: str, kind: str = "numeric", form: str | None = None
) -> list[BadCell]:
    """The cells of a column that are neither missing nor what a column of that kind holds."""
    rows = bad_rows(table.column(name), kind, form)
    if len(rows) == 0:
        return []
    lines, texts = table.lines[rows].tolist(), table.column(name).at(rows).tolist()
    return [BadCell(line=line, text=text) for line, text in zip(lines, texts, strict=True)]


def refuse_infinities(table: Table, names: list[str]) -> None:
    """DataError that names the columns and lines in which numbers are infinite or beyond 1e150.

    Nothing is learned from such numbers, which are mostly quotients of 0: they make every other
    one of their column look alike. Rows to predict are not refused: there they count as missing.
    """
    found, flags = [], []
    for name in names:
        cells = [cell for cell in bad_cells(table, name) if is_huge(cell.text)]
        if cells:
            lines = on_lines([cell.line for cell in cells])
            found.append(f"column {name!r}, {lines}: {quoted(cell.text for cell in cells)}")
            flags += [f"--missing {name}={text}" for text in dict.fromkeys(c.text for c in cells)]
    if found:
        raise DataError(
            f"{table.source} holds infinite numbers",
            expected="finite numbers, at most 1e150 in size",
            got="; ".join(found),
            hint=f"if they mean that the value is not known, {' '.join(flags[:3])}",
        )


def _asked_vote(name: str, column: Column, asked: str) -> Vote:
    """A kind as `types=` gives it; an error if there is no such kind, or it cannot be."""
    kind, _, form = asked.partition(":")
    if not is_form(form):
        raise SettingError(
            f"the dates of column {name!r} cannot be read as {form!r}",
            expected="strptime's words, such as %d.%m.%Y",
        )
    found = Vote(_known(name, kind), "asked for", form=form or None)
    if column.missing.all():
        return vote(name, column)
    if found.kind == "numeric" and np.isnan(column.numbers).all():
        raise DataError(f"column {name!r} is to be numeric but holds no number")
    if found.kind != "date":
        return replace(found, form=None)
    form = form or day_form(column, compact=True)[0] or ""
    if not form or (seconds(column, form) == NO_TIME).all():
        raise DataError(
            f"column {name!r} is to be dates but holds none that can be read",
            got=quoted(column.at(np.flatnonzero(~column.missing)[:3]).tolist()),
            hint=f"say how they are written: --type {name}=date:%d.%m.%Y",
        )
    return replace(found, form=form)


def _known(name: str, kind: str) -> Kind:
    """A kind that may be asked for, or a SettingError with the nearest one."""
    for known in ASKED:
        if kind == known:
            return known
    close = nearest(kind, ASKED)
    raise SettingError(
        f"column {name!r} cannot be of type {kind!r}",
        expected=", ".join(ASKED),
        hint=f"did you mean {close!r}?" if close else None,
    )

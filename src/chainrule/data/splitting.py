"""How a table is split: what was asked for, or what its columns ask for, and how that is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from chainrule.data.cast import NO_TIME
from chainrule.data.columns import column_kind, labels
from chainrule.data.dates import day_form, seconds
from chainrule.data.lines import every_place
from chainrule.data.near_duplicates import joined_groups, split_together
from chainrule.data.report import on_lines, quoted
from chainrule.data.split import Split, split_groups, split_in_order, split_rows
from chainrule.data.table import Table
from chainrule.errors import DataError, SettingError

Way = Literal["random", "group", "time", "column"]

CLOCK = ("year", "month", "day", "hour", "minute", "second")
"""Columns of these names, from the year on, are one time together."""

PARTS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing"),
}
"""What a column that brings the split may call the parts, compared in lower case."""


@dataclass(frozen=True)
class SplitPlan:
    """How rows are to be split: by what, by which columns, and why, in words.

    `types` are those that were asked for by column: they say how dates are written.
    """

    way: Way
    columns: list[str]
    reason: str
    types: Mapping[str, str] = field(default_factory=dict)

    def aside(self) -> dict[str, str]:
        """The columns that are no inputs because of the split, with the reason."""
        why = {"group": "it says which rows belong together", "column": "it says the part of a row"}
        return {name: why[self.way] for name in self.columns if self.way in why}


def plan_split(
    table: Table,
    way: str | None = None,
    group: str | None = None,
    time: list[str] | None = None,
    column: str | None = None,
    types: Mapping[str, str] | None = None,
) -> SplitPlan:
    """How to split a table: as it was asked for, else by time if its rows are in order of one.

    SettingError for what contradicts itself, DataError for a column that is not there.

    >>> plan_split(Table.of({"year": [2001, 2002, 2003], "y": [1, 2, 1]})).way
    'time'
    """
    types = types or {}
    given = {"group": [group or ""], "time": time or [""], "column": [column or ""]}
    asked = {key: keys for key, keys in given.items() if keys[0]}
    if len(asked) > 1 or (way and asked and way not in asked):
        raise SettingError(
            "a table is split in one way",
            got=" and ".join(dict.fromkeys([*asked, *([way] if way else [])])),
        )
    for chosen, keys in asked.items():
        names = [table.name_of(key) for key in keys]
        return SplitPlan(_way(chosen), names, "asked for", types)
    if way == "time":
        names = clock_of(table, types)
        why = "asked for" if names else "in the order of the file"
        return SplitPlan("time", names, why, types)
    if way in ("group", "column"):
        flag = "--group" if way == "group" else "--split-column"
        raise SettingError(f"a split by {way} needs to know the column", hint=f"{flag} COLUMN")
    plan = SplitPlan(
        "time",
        clock_of(table, types),
        "the rows are in its order; --split random mixes them",
        types,
    )
    if way is None and plan.columns and _rises(table, plan):
        return plan
    return SplitPlan("random", [], "asked for" if way else "")


def _way(text: str) -> Way:
    ways: dict[str, Way] = {"group": "group", "time": "time", "column": "column"}
    return ways[text]


def clock_of(table: Table, types: Mapping[str, str]) -> list[str]:
    """The columns that say when a row was: year, month, day, ..., or the first column of dates."""
    lower = {name.lower(): name for name in table.names}
    clock = [lower[part] for part in CLOCK if part in lower]
    if clock and clock[0].lower() == "year":
        return clock
    return next(([name] for name in table.names if _date_form(table, name, types)), [])


def _date_form(table: Table, name: str, types: Mapping[str, str]) -> str | None:
    """How the dates of a column are written, or None if it holds none."""
    column = table.column(name)
    if name in types:
        return column_kind(table, name, types[name]).form
    if column.missing.all() or not np.isnan(column.numbers).all():
        return None
    return day_form(column)[0]


def times_of(table: Table, plan: SplitPlan) -> NDArray[np.int64]:
    """The place of each row's time among all times, int64 [n], equal for equal ones; -1 unknown.

    Several columns count one after the other, the first one most; without any, the order of rows.
    """
    if not plan.columns:
        return np.arange(len(table))
    keys = _keys(table, plan)
    known = np.flatnonzero(~np.isnan(keys).any(axis=0))
    order = known[np.lexsort(keys[::-1, known])]
    later = (np.diff(keys[:, order], axis=1) != 0).any(axis=0)
    places = np.full(len(table), -1)
    places[order] = np.append(0, np.cumsum(later))[: len(order)]
    return places


def _keys(table: Table, plan: SplitPlan) -> NDArray[np.float64]:
    """The times of each column of a plan, float64 [columns, n]; NaN where unknown."""
    return np.stack([_time(table, name, plan.types) for name in plan.columns])


def _time(table: Table, name: str, types: Mapping[str, str]) -> NDArray[np.float64]:
    """A column's times as numbers, float64 [n]; NaN where unknown. DataError if it has none."""
    column, form = table.column(name), _date_form(table, name, types)
    if form is not None:
        times = seconds(column, form)
        return np.where(times == NO_TIME, np.nan, times.astype(np.float64))
    if np.isnan(column.numbers).all():
        raise DataError(
            f"column {name!r} of {table.source} holds no times",
            expected="dates or numbers",
            got=quoted(str(cell) for cell in column.at(slice(3))),
        )
    return column.numbers


def _rises(table: Table, plan: SplitPlan) -> bool:
    """Whether each row is later than the one before."""
    every = np.diff(_keys(table, plan))
    rises, equal = np.zeros(every.shape[1], np.bool_), np.ones(every.shape[1], np.bool_)
    for steps in every:  # NaN, from an unknown time, neither rises nor is equal
        rises |= equal & (steps > 0)
        equal &= steps == 0
    return len(rises) > 0 and bool(rises.all())


def split_table(
    table: Table,
    plan: SplitPlan,
    seed: int,
    classes: NDArray[np.int64] | None,
    shares: dict[str, float],
    same: NDArray[np.int64],
) -> tuple[Split, str]:
    """The rows of each part, and how they were chosen, in words; a share of 0 leaves a part empty.

    `classes` int64 [n], which a random split keeps in proportion. Rows of equal `same`, int64 [n],
    stay in one part, unless their times or the column that brings the split say otherwise.
    """

    def at_random(rows: NDArray[np.int64]) -> Split:
        """Some rows split by the seed."""

        def first(leaders: NDArray[np.int64]) -> Split:
            some = None if classes is None else classes[rows[leaders]]
            return split_rows(len(leaders), seed, some, **shares, source=table.source)

        return split_together(same[rows], first)

    none_asked = sum(shares.values()) == 0
    if plan.way == "random" or (none_asked and plan.way != "column"):
        kept = ", classes in proportion" if classes is not None else ""
        return at_random(every_place(len(table))), f"seed {seed}{kept}"
    if plan.way == "group":
        groups = _groups(table, plan.columns[0])
        found = split_groups(joined_groups(groups, same), seed, **shares, source=table.source)
        many = len(np.unique(groups))
        return found, f"seed {seed}, each of {many:,} groups of {plan.columns[0]} in one part"
    if plan.way == "time":
        times = times_of(table, plan)
        by = f"by {', '.join(plan.columns)}: " if plan.columns else ""
        found = split_in_order(times, **shares, source=table.source)
        return found, f"the latest judge, {by}{plan.reason}"
    return _by_column(table, plan.columns[0], at_random), f"by column {plan.columns[0]}"


def _groups(table: Table, name: str) -> NDArray[np.int64]:
    """The group of each row, int64 [n]; a row whose group is missing is one of its own."""
    codes, named = labels(table.column(name))
    missing = np.array([label is None for label in [*named, None]])[codes]
    return np.where(missing, len(named) + np.arange(len(codes)), codes)


def _by_column(table: Table, name: str, rest: Callable[[NDArray[np.int64]], Split]) -> Split:
    """The split that a column brings; a part that it does not name is taken from its training."""
    part_of = {text: part for part, texts in PARTS.items() for text in texts}
    codes, named = labels(table.column(name))
    found = np.array([part_of.get(str(label).lower(), "") for label in named], dtype=object)[codes]
    wrong = np.flatnonzero(found == "")
    if len(wrong) or "train" not in found:
        cells = [str(cell) for cell in dict.fromkeys(table.column(name).at(wrong).tolist())]
        raise DataError(
            f"column {name!r} of {table.source} does not say the part of every row",
            expected="train, validation or test in each row, and some for training",
            got=f"{quoted(cells)} ({on_lines(table.lines[wrong].tolist())})" if cells else None,
        )
    rows = {part: np.flatnonzero(found == part) for part in PARTS}
    return _completed(rows, rest)


def _completed(
    rows: dict[str, NDArray[np.int64]], rest: Callable[[NDArray[np.int64]], Split]
) -> Split:
    """Parts that are empty, filled from the training rows."""
    train = rows["train"]
    if len(rows["validation"]) and len(rows["test"]):
        return Split(**rows)
    more = rest(train)
    empty = [part for part in ("validation", "test") if not len(rows[part])]
    taken = {part: train[getattr(more, part)] for part in empty}
    left = np.setdiff1d(train, np.concatenate(list(taken.values())))
    return Split(**{**rows, **taken, "train": left})

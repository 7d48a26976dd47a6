"""Which task a column that is to be predicted asks for, and whether it can be done."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np

from chainrule.data.column import Column
from chainrule.data.columns import numeric_vote
from chainrule.data.labels import present_labels, undotted
from chainrule.data.lists import JSON, list_separator
from chainrule.data.markers import markers_met
from chainrule.data.report import quoted
from chainrule.data.table import Table
from chainrule.data.target import Task
from chainrule.errors import DataError, SettingError, nearest

TASKS: tuple[Task, ...] = get_args(Task)

FEW = 20
"""A target of whole numbers with at most this many values is a choice among classes."""

MANY = 100
"""A target of text with more classes than this is refused unless classification is asked for."""


def choose_task(table: Table, name: str, task: str | None = None) -> tuple[Task, str]:
    """The task that a target asks for, and the reason in words; `task` overrides the choice.

    Lists of labels ask for multi-label, other text for classification, and so do whole numbers with
    at most 20 values that come up three times each on average; all else asks for regression.
    DataError if the target has fewer than two values, or more classes than can be learned;
    SettingError for an unknown task.

    >>> choose_task(Table.of({"y": [0, 1, 1, 0, 0, 1]}), "y")
    ('classification', "'y' has 2 whole-number values")
    """
    column = table.column(name)
    numeric = numeric_vote(column) if task is None else task == "regression"
    distinct = _distinct(column, numeric)
    _refuse_single(table, name, distinct)
    if task is not None:
        return _asked(table, name, task, len(distinct)), "asked for"
    if numeric and not _few_whole(column, len(distinct)):
        return "regression", f"{name!r} is a number with {len(distinct):,} values"
    if numeric:
        return "classification", f"{name!r} has {len(distinct)} whole-number values"
    separator = list_separator(column)
    if separator is not None:
        how = "as JSON" if separator == JSON else f"separated by {separator!r}"
        return "multi-label", f"{name!r} holds lists of labels, {how}"
    _refuse_many(table, name, len(distinct), MANY)
    return "classification", f"{name!r} is text with {len(distinct)} values"


def _distinct(column: Column, numeric: bool) -> list[Any]:
    """The distinct values of a target."""
    if numeric:
        return list(np.unique(column.numbers[~np.isnan(column.numbers)]))
    present = present_labels(column)
    plain = undotted(present)
    return [name for name in present if name in plain]


def _few_whole(column: Column, distinct: int) -> bool:
    """Whether numbers are whole, few, and each comes up three times on average."""
    numbers = column.numbers[~np.isnan(column.numbers)]
    whole = bool((numbers == np.floor(numbers)).all())
    return whole and distinct <= FEW and len(numbers) >= 3 * distinct


def _refuse_single(table: Table, name: str, distinct: list[Any]) -> None:
    """DataError if there is nothing to tell apart."""
    if len(distinct) >= 2:
        return
    known = f"only the value {str(distinct[0])!r}" if distinct else "no value at all"
    texts = [text for text in markers_met(table.column(name)) if text]
    hint = "choose another column as the target"
    if texts:
        hint = f"--missing {name}= if {quoted(texts)} does not mean missing, or another column"
    raise DataError(
        f"target {name!r} of {table.source} has {known}",
        expected="at least two different values",
        hint=hint,
    )


def _refuse_many(table: Table, name: str, distinct: int, most: int) -> None:
    """DataError if nearly every row is a class of its own."""
    column = table.column(name)
    present = int(np.count_nonzero(~column.missing))
    if distinct <= most and 2 * distinct <= present:
        return
    numbers = int(np.count_nonzero(~np.isnan(column.numbers)))
    hint = "choose a numeric target or another column"
    if 2 * numbers > present:
        hint = f"{numbers:,} of its cells are numbers: ask for regression if it is one"
    raise DataError(
        f"target {name!r} of {table.source} is text with {distinct:,} different values "
        f"in {present:,} rows",
        expected=f"at most {MANY} classes, and two rows for each",
        hint=hint,
    )


def _asked(table: Table, name: str, task: str, distinct: int) -> Task:
    """A task as it was asked for, if there is one of that name and the target can do it."""
    if task == "classification":
        _refuse_many(table, name, distinct, most=len(table))
    for known in TASKS:
        if task == known:
            return known
    close = nearest(task, TASKS)
    raise SettingError(
        f"there is no task {task!r}",
        expected=", ".join(TASKS),
        hint=f"did you mean {close!r}?" if close else None,
    )

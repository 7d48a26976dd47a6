"""The column to predict: which task it asks for, and the way to numbers and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from chainrule.data.column import Column
from chainrule.data.columns import numeric_vote
from chainrule.data.labels import labels, present_labels, undotted
from chainrule.data.report import Note, Record, counted, on_lines, quoted
from chainrule.data.table import Table
from chainrule.errors import DataError, SettingError, nearest

Task = Literal["regression", "classification"]
TASKS: tuple[Task, ...] = ("regression", "classification")

FEW = 20
"""A target of whole numbers with at most this many values is a choice among classes."""

TINY = 1e-150
"""Nothing is divided by less than this, so that no number up to 1e150 becomes infinite."""

MANY = 100
"""A target of text with more classes than this is refused unless classification is asked for."""


class ScaledTarget(Record):
    """A numeric target: (value - mean) / std, learned from the training rows.

    >>> target = ScaledTarget(name="price", mean=10.0, std=4.0)
    >>> target.apply(Table.of({"price": [10, 18]})).tolist()
    [[0.0], [2.0]]
    >>> target.inverse(np.array([[0.0], [2.0]], np.float32)).tolist()
    [10.0, 18.0]
    """

    kind: Literal["scaled"] = "scaled"
    name: str
    mean: float
    std: float

    @classmethod
    def fit(cls, table: Table, name: str) -> ScaledTarget:
        """Learn mean and deviation from the rows of `table`, which are the training rows."""
        mean, std = moments(table.column(name).numbers)
        return cls(name=name, mean=mean, std=std)

    def apply(self, table: Table) -> NDArray[np.float32]:
        """The target as the network learns it, float32 [n, 1]; NaN where it is not known."""
        scaled = (table.column(self.name).numbers - self.mean) / self.std
        return scaled.astype(np.float32)[:, None]

    def inverse(self, outputs: NDArray[Any]) -> NDArray[np.float64]:
        """A network's outputs [n, 1] or [n] in the user's units, float64 [n]."""
        flat = np.asarray(outputs, dtype=np.float64).reshape(-1)
        return np.asarray(flat * self.std + self.mean)

    def known(self, table: Table) -> NDArray[np.bool_]:
        """Where the target is a number, bool [n]."""
        return ~np.isnan(table.column(self.name).numbers)


class ClassTarget(Record):
    """A target of classes: each label's place among the class names.

    >>> target = ClassTarget(name="income", classes=["<=50K", ">50K"])
    >>> target.apply(Table.of({"income": [">50K", "<=50K."]})).tolist()
    [1, 0]
    >>> target.inverse(np.array([[0.1, 0.9]])).tolist()
    ['>50K']
    """

    kind: Literal["classes"] = "classes"
    name: str
    classes: list[str]

    @classmethod
    def fit(cls, table: Table, name: str) -> ClassTarget:
        """The classes of the rows of `table`: numbers by size, texts by alphabet.

        A label that is another one and a dot is that other one.
        """
        return cls(name=name, classes=in_order(undotted(present_labels(table.column(name)))))

    def apply(self, table: Table) -> NDArray[np.int64]:
        """Each row's class, int64 [n]; -1 where the target is missing. DataError if unknown."""
        codes, named = labels(table.column(self.name))
        places = {label: place for place, label in enumerate(self.classes)}
        known = [self._place(label, places) for label in named]
        classes = np.array(known, dtype=np.int64)[codes]
        if (classes == -2).any():
            self._refuse(table, np.flatnonzero(classes == -2))
        return classes

    def _place(self, label: str | None, places: dict[str, int]) -> int:
        """The class of one label: -1 if missing, -2 if unknown; a dot at its end is ignored."""
        if label is None:
            return -1
        return places.get(label, places.get(label.removesuffix("."), -2))

    def _refuse(self, table: Table, rows: NDArray[np.int64]) -> None:
        """The error for labels that training has not seen."""
        label = str(table.column(self.name).cells[rows[0]])
        close = nearest(label, self.classes)
        raise DataError(
            f"{table.source} has {self.name} {label!r}, which is no class of the training rows",
            expected=quoted(self.classes),
            got=on_lines(table.lines[rows].tolist()),
            hint=f"did you mean {close!r}?" if close else None,
        )

    def dotted(self, table: Table) -> Note | None:
        """A note about labels that end in a dot which the classes do not have."""
        codes, named = labels(table.column(self.name))
        ends = [label is not None and label not in self.classes for label in named]
        rows = np.flatnonzero(np.array(ends, dtype=np.bool_)[codes])
        if len(rows) == 0:
            return None
        text = f"{counted(len(rows), 'label')} of {table.source} end in a dot, which was ignored"
        return Note(about="target", text=text, column=self.name, count=len(rows))

    def inverse(self, outputs: NDArray[Any]) -> NDArray[np.object_]:
        """Class names, object [n], of class numbers [n] or of scores a class [n, classes]."""
        best = outputs.argmax(axis=1) if outputs.ndim == 2 else outputs
        names = np.array(self.classes, dtype=object)[best]
        return np.asarray(names, dtype=object)

    def known(self, table: Table) -> NDArray[np.bool_]:
        """Where the target is not missing, bool [n]."""
        return ~table.column(self.name).missing


Target = Annotated[ScaledTarget | ClassTarget, Field(discriminator="kind")]


def choose_task(table: Table, name: str, task: str | None = None) -> tuple[Task, str]:
    """The task that a target asks for, and the reason in words; `task` overrides the choice.

    Text asks for classification, and so do whole numbers with at most 20 values that come up
    three times each on average; all else asks for regression. DataError if the target has fewer
    than two values, or more classes than can be learned; SettingError for an unknown task.

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
    raise DataError(
        f"target {name!r} of {table.source} has {known}",
        expected="at least two different values",
        hint="choose another column as the target",
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
        expected=" or ".join(TASKS),
        hint=f"did you mean {close!r}?" if close else None,
    )


def in_order(names: Iterable[str]) -> list[str]:
    """Names in a stable order: by size if all are numbers, else by alphabet.

    >>> in_order(["10", "9"]), in_order(["b", "a", "10"])
    (['9', '10'], ['10', 'a', 'b'])
    """
    every = sorted(names)
    try:
        return sorted(every, key=float)
    except ValueError:
        return every


def moments(numbers: NDArray[np.float64]) -> tuple[float, float]:
    """Mean and deviation of the numbers that are known; a deviation of 0 becomes 1.

    >>> moments(np.array([1.0, 3.0, np.nan]))
    (2.0, 1.0)
    """
    known = numbers[~np.isnan(numbers)]
    if len(known) == 0:
        return 0.0, 1.0
    std = float(known.std())
    tiny = std <= max(TINY, 1e-12 * float(np.abs(known).max()))
    return float(known.mean()), 1.0 if tiny else std

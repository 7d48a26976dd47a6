"""A column to predict, a number or a class: the way to what a network learns, and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from chainrule.data.column import Column
from chainrule.data.labels import labels, present_labels, undotted
from chainrule.data.report import Note, Record, counted, on_lines, quoted
from chainrule.data.table import Table
from chainrule.errors import DataError, nearest

Task = Literal["regression", "classification", "multi-label"]
"""A number, one of some classes, or any number of some labels."""

TINY = 1e-150
"""Nothing is divided by less than this, so that no number up to 1e150 becomes infinite."""


class ScaledTarget(Record):
    """A numeric target: (value - mean) / std, learned from the training rows.

    >>> target = ScaledTarget(name="price", mean=10.0, std=4.0)
    >>> target.apply(Table.of({"price": [10, 18]})).tolist()
    [[0.0], [2.0]]
    >>> target.inverse(np.array([[0.0], [2.0]], np.float32)).tolist()
    [10.0, 18.0]
    """

    kind: Literal["scaled"] = "scaled"
    task: ClassVar[Task] = "regression"
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

    @property
    def columns(self) -> list[str]:
        """The columns that it stands in."""
        return [self.name]

    @property
    def choices(self) -> list[str]:
        """What probabilities are given for: nothing."""
        return []

    @property
    def width(self) -> int:
        """The number of outputs that a network has for it."""
        return 1

    def trivial(self, answers: NDArray[Any]) -> list[float]:
        """The answer that needs no model: the mean, in the user's units."""
        return [self.mean]

    def as_outputs(self, trivial: NDArray[np.float64]) -> NDArray[np.float64]:
        """The outputs that say the trivial answer."""
        return (trivial - self.mean) / self.std

    def notes(self, table: Table) -> list[Note]:
        """What is worth saying of the target's cells: bad ones are told when rows are chosen."""
        return []


class ClassTarget(Record):
    """A target of classes: each label's place among the class names.

    >>> target = ClassTarget(name="income", classes=["<=50K", ">50K"])
    >>> target.apply(Table.of({"income": [">50K", "<=50K."]})).tolist()
    [1, 0]
    >>> target.inverse(np.array([[0.1, 0.9]])).tolist()
    ['>50K']
    """

    kind: Literal["classes"] = "classes"
    task: ClassVar[Task] = "classification"
    name: str
    classes: list[str]

    @classmethod
    def fit(cls, table: Table, name: str) -> ClassTarget:
        """The classes of the rows of `table`: numbers by size, texts by alphabet.

        A label that is another one and a dot is that other one. DataError if there is no class.
        """
        classes = in_order(undotted(present_labels(table.column(name))))
        if not classes:
            raise DataError(f"target {name!r} is missing in every training row")
        return cls(name=name, classes=classes)

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
        label = str(table.column(self.name).at(rows[:1])[0])
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

    @property
    def columns(self) -> list[str]:
        """The columns that it stands in."""
        return [self.name]

    @property
    def choices(self) -> list[str]:
        """What probabilities are given for."""
        return self.classes

    @property
    def width(self) -> int:
        """The number of outputs that a network has for it."""
        return len(self.classes)

    def trivial(self, answers: NDArray[Any]) -> list[float]:
        """The answer that needs no model: the share of each class."""
        counts = np.bincount(answers[answers >= 0], minlength=len(self.classes))
        return [float(share) for share in counts / counts.sum()]

    def as_outputs(self, trivial: NDArray[np.float64]) -> NDArray[np.float64]:
        """The outputs that say the trivial answer: its shares."""
        return trivial

    def notes(self, table: Table) -> list[Note]:
        """What is worth saying of the target's cells."""
        dotted = self.dotted(table)
        return [] if dotted is None else [dotted]


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


def known_cells(column: Column, task: Task) -> NDArray[np.bool_]:
    """Where a cell of a column to predict can be learned from, bool [n]."""
    return ~np.isnan(column.numbers) if task == "regression" else ~column.missing


def known_answers(answers: NDArray[Any]) -> NDArray[np.bool_]:
    """Where the answers of a target are known, bool [n, columns], for answers as `apply` gives.

    >>> known_answers(np.array([1, -1])).tolist(), known_answers(np.array([[0.5, np.nan]])).tolist()
    ([[True], [False]], [[True, False]])
    """
    flat = answers.reshape(len(answers), -1)
    return np.asarray(flat >= 0 if flat.dtype.kind == "i" else ~np.isnan(flat))


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

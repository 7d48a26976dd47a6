"""Targets of labels, any number of which may hold: a column of lists, or columns of yes and no."""

from __future__ import annotations

import json
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from chainrule.data.boolean import sides, truths
from chainrule.data.lists import JSON, held, label_counts
from chainrule.data.report import Note, Record, listed, quoted
from chainrule.data.split import RARE
from chainrule.data.table import Table
from chainrule.data.target import Task, in_order
from chainrule.errors import DataError


class _Labels(Record):
    """What both kinds share: an output for each label, the probability that it holds."""

    task: ClassVar[Task] = "multi-label"
    labels: list[str]

    @property
    def choices(self) -> list[str]:
        """What probabilities are given for."""
        return self.labels

    @property
    def width(self) -> int:
        """The number of outputs that a network has for it."""
        return len(self.labels)

    def inverse(self, outputs: NDArray[Any]) -> NDArray[np.object_]:
        """The labels that hold, object [n], a list for each row of probabilities [n, labels]."""
        values = np.empty(len(outputs), dtype=object)
        values[:] = [
            [label for label, holds in zip(self.labels, row, strict=True) if holds]
            for row in (np.asarray(outputs) > 0.5).tolist()
        ]
        return values

    def trivial(self, answers: NDArray[Any]) -> list[float]:
        """The share of the known rows in which each label holds."""
        known = ~np.isnan(answers)
        counts = np.maximum(known.sum(axis=0), 1)
        return [float(share) for share in np.where(known, answers, 0).sum(axis=0) / counts]

    def as_outputs(self, trivial: NDArray[np.float64]) -> NDArray[np.float64]:
        """The outputs that say the trivial answer: its shares."""
        return trivial


class ListTarget(_Labels):
    """A target whose cells hold several labels: for each label, whether a cell has it.

    `separator` stands between the labels of a cell; "json": the cells are JSON lists.

    >>> target = ListTarget(name="genre", labels=["action", "comedy"], separator="|")
    >>> target.apply(Table.of({"genre": ["comedy", "comedy|action"]})).tolist()
    [[0.0, 1.0], [1.0, 1.0]]
    >>> target.inverse(np.array([[0.2, 0.7]])).tolist()
    [['comedy']]
    """

    kind: Literal["labels"] = "labels"
    name: str
    separator: str

    @classmethod
    def fit(cls, table: Table, name: str, separator: str) -> ListTarget:
        """The labels that at least three rows of `table` hold; DataError if there are none."""
        counts = label_counts(table.column(name), separator)
        often = in_order(label for label, rows in counts.items() if rows >= RARE)
        if not often:
            raise DataError(
                f"no label of target {name!r} comes up often enough to be learned",
                expected=f"labels in {RARE} rows or more",
                got=quoted(counts) or "no labels",
                hint=f"how they are separated can be said: --type '{name}=labels:;'",
            )
        return cls(name=name, labels=often, separator=separator)

    @property
    def columns(self) -> list[str]:
        """The columns that it stands in."""
        return [self.name]

    def apply(self, table: Table) -> NDArray[np.float32]:
        """Which labels hold, float32 [n, labels]: 1, 0, or NaN where the cell is missing."""
        return held(table.column(self.name), self.labels, self.separator)

    def notes(self, table: Table) -> list[Note]:
        """A note about labels that cannot be learned."""
        counts = label_counts(table.column(self.name), self.separator)
        others = {label: rows for label, rows in counts.items() if label not in self.labels}
        if not others:
            return []
        text = f"{self.name}: {quoted(others)} in fewer than {RARE} training rows: not learned"
        return [Note(about="target", text=text, column=self.name, count=sum(others.values()))]

    def text(self, labels: list[str]) -> str:
        """Some labels as a cell of the column."""
        if self.separator == JSON:
            return json.dumps(labels, ensure_ascii=False)
        return self.separator.join(labels)


class YesNoTarget(_Labels):
    """Several columns of yes and no: each is a label that holds or not, or is not known.

    `words` are those for no and yes in each column.

    >>> table = Table.of({"fever": [1, 0], "cough": ["no", "?"]})
    >>> YesNoTarget.fit(table, ["fever", "cough"]).apply(table).tolist()
    [[1.0, 0.0], [0.0, nan]]
    """

    kind: Literal["yes-no"] = "yes-no"
    words: list[tuple[str, str]]

    @classmethod
    def fit(cls, table: Table, columns: list[str]) -> YesNoTarget:
        """The words of each column; DataError if one has more than two values."""
        return cls(labels=columns, words=[sides(name, table.column(name)) for name in columns])

    @property
    def name(self) -> str:
        """What the columns are called together."""
        return ", ".join(self.labels)

    @property
    def columns(self) -> list[str]:
        """The columns that it stands in."""
        return self.labels

    def apply(self, table: Table) -> NDArray[np.float32]:
        """Which labels hold, float32 [n, labels]: 1, 0, or NaN where it is not known."""
        pairs = zip(self.labels, self.words, strict=True)
        said = [truths(table.column(name), no, yes) for name, (no, yes) in pairs]
        return np.stack(said, axis=1).astype(np.float32)

    def notes(self, table: Table) -> list[Note]:
        """A note about each column's cells that say neither yes nor no."""
        notes = []
        for name, (no, yes) in zip(self.labels, self.words, strict=True):
            cells = table.column(name)
            rows = np.flatnonzero(np.isnan(truths(cells, no, yes)) & ~cells.missing)
            if len(rows):
                said = quoted(dict.fromkeys(cells.cells[rows].tolist()))
                text = f"{name}: {said} is neither {no} nor {yes}; taken as missing"
                lines = listed(table.lines[rows])
                notes.append(Note(about="target", text=text, column=name, count=len(rows),
                                  lines=lines, finding=True))  # fmt: skip
        return notes

    def cells(self, values: NDArray[np.object_]) -> dict[str, list[str]]:
        """The word for each row in each of the columns, for lists of the labels that hold."""
        return {
            name: [yes if name in held else no for held in values]
            for name, (no, yes) in zip(self.labels, self.words, strict=True)
        }

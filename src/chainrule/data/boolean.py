"""Columns of yes and no: one number, 0 or 1."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from chainrule.data.column import Column
from chainrule.data.labels import labels, present_labels
from chainrule.data.report import Record, counted, quoted
from chainrule.errors import DataError

YES_NO = {"yes": "no", "y": "n", "true": "false", "t": "f", "on": "off", "1": "0"}
"""The words for yes that are known, in lower case, each with the one for no."""


class Boolean(Record):
    """A column of two values: 0 for the one that says no, 1 for the other; float32 [n, features].

    What is missing or unseen becomes `share`, that of yes among the training rows. With
    `indicator` (training rows had missing cells) a second number is 1 where the cell was missing.

    >>> record = Boolean.fit("member", Column.of(["yes", "no", "Yes", "?"]))
    >>> record.features
    ['member = yes', 'member missing']
    >>> record.apply(Column.of(["no", None])).round(2).tolist()
    [[0.0, 0.0], [0.67, 1.0]]
    """

    kind: Literal["boolean"] = "boolean"
    name: str
    no: str
    yes: str
    share: float
    indicator: bool

    @classmethod
    def fit(cls, name: str, column: Column) -> Boolean:
        """Learn from a column of training rows; DataError if it has more than two values."""
        no, yes = sides(name, column)
        said = truths(column, no, yes)
        known = said[~np.isnan(said)]
        share = float(known.mean()) if len(known) else 0.5
        return cls(name=name, no=no, yes=yes, share=share, indicator=bool(column.missing.any()))

    @property
    def features(self) -> list[str]:
        """The names of the numbers it makes."""
        return [f"{self.name} = {self.yes}", *([f"{self.name} missing"] if self.indicator else [])]

    def apply(self, column: Column) -> NDArray[np.float32]:
        """A column's cells as numbers, float32 [n, features]."""
        said = truths(column, self.no, self.yes)
        numbers = [np.where(np.isnan(said), self.share, said)]
        numbers += [column.missing] if self.indicator else []
        return np.stack(numbers, axis=1).astype(np.float32)

    def inverse(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """The word for each row, object [n], of features [n, features]; None where missing."""
        words = np.array([self.no, self.yes, None], dtype=object)
        places = (numbers[:, 0] > 0.5).astype(np.int64)
        return np.asarray(words[np.where(numbers[:, -1] > 0.5, 2, places)
                                if self.indicator else places])  # fmt: skip

    def unseen(self, column: Column) -> dict[str, int]:
        """Values that are neither of the two, with their counts."""
        both = {self.no.lower(), self.yes.lower()}
        counts = present_labels(column)
        return {name: rows for name, rows in counts.items() if name.lower() not in both}

    def treatment(self) -> str:
        """What becomes of the column, in words."""
        missing = ", missing marked" if self.indicator else ""
        return f"boolean, as 0 and 1{missing}"


def sides(name: str, column: Column) -> tuple[str, str]:
    """The values of a column that mean no and yes; of unknown words the first by alphabet is no.

    DataError if there are more than two, whatever the case of letters.

    >>> sides("member", Column.of(["Yes", "no", "yes"])), sides("sex", Column.of(["m", "f"]))
    (('no', 'Yes'), ('f', 'm'))
    """
    found: dict[str, str] = {}
    for label in present_labels(column):
        found.setdefault(label.lower(), label)
    if not 1 <= len(found) <= 2:
        raise DataError(
            f"column {name!r} is to be boolean but has {counted(len(found), 'value')}",
            expected="two values, such as yes and no",
            got=quoted(found.values()) or None,
        )
    for yes, no in YES_NO.items():
        if found.keys() <= {yes, no}:
            return found.get(no, no), found.get(yes, yes)
    first, *rest = sorted(found)
    return found[first], found[rest[0]] if rest else ""


def truths(column: Column, no: str, yes: str) -> NDArray[np.float64]:
    """1 where a cell is `yes`, 0 where it is `no`, whatever the case; else NaN; float64 [n]."""
    codes, named = labels(column)
    meaning = {no.lower(): 0.0, yes.lower(): 1.0}
    said = [np.nan if name is None else meaning.get(name.lower(), np.nan) for name in named]
    return np.array([*said, np.nan])[codes]

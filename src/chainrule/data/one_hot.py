"""Columns of few categories: a number for each."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from chainrule.data.categories import Categories
from chainrule.data.column import Column
from chainrule.data.report import counted


class OneHot(Categories):
    """A column of few categories: a number for each, 1 where the cell is it; float32 [n, slots].

    After the categories come a slot for what is rare and one for what is missing, each only if
    training rows filled it. What has no slot (an unseen category where none was rare) becomes
    `usual`: the shares of the slots among the training rows, which lean no way.

    >>> record = OneHot.fit("sex", Column.of(["f", "m", "m", "f", "f", "m"]))
    >>> record.features
    ['sex = f', 'sex = m']
    >>> record.apply(Column.of(["m", "x"])).tolist()
    [[0.0, 1.0], [0.5, 0.5]]
    """

    kind: Literal["one-hot"] = "one-hot"
    usual: list[float]

    @classmethod
    def fit(cls, name: str, column: Column) -> OneHot:
        """Learn the categories of training rows."""
        fields, counts = cls.counted(column)
        missing = int(np.count_nonzero(column.missing))
        rare = len(column) - missing - int(counts.sum())
        slots = [*counts.tolist(), *([rare] if rare else []), *([missing] if missing else [])]
        return cls(name=name, usual=[rows / len(column) for rows in slots], **fields)

    @property
    def features(self) -> list[str]:
        """The names of the numbers it makes."""
        known = [f"{self.name} = {category}" for category in self.categories]
        rare = [f"{self.name} rare"] if self.rare else []
        return [*known, *rare, *([f"{self.name} missing"] if self.has_missing else [])]

    def slots(self) -> NDArray[np.float32]:
        """The numbers of each code, float32 [2 + categories, slots]."""
        known, width = len(self.categories), len(self.usual)
        slots = np.zeros((2 + known, width), dtype=np.float32)
        slots[:2] = self.usual
        slots[2:, :known] = np.eye(known)
        if self.has_missing:
            slots[0] = np.eye(width)[width - 1]
        if self.rare:
            slots[1] = np.eye(width)[known]
        return slots

    def apply(self, column: Column) -> NDArray[np.float32]:
        """A column's cells as numbers, float32 [n, slots]."""
        return self.slots()[self.codes(column)]

    def inverse(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """The category of the largest slot, object [n]; "(rare)" and None for the other two."""
        rare = ["(rare)"] if self.rare else []
        names = np.array([*self.categories, *rare, None], dtype=object)
        return np.asarray(names[numbers.argmax(axis=1)])

    def treatment(self) -> str:
        """What becomes of the column, in words."""
        if not self.categories:
            return "only whether it is there, as none of its values comes up often"
        known = counted(len(self.categories), "category", "categories")
        rare = f", {len(self.rare):,} rare as one" if self.rare else ""
        missing = ", missing as its own" if self.has_missing else ""
        return f"{known}, one-hot{rare}{missing}"

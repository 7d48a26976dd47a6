"""Columns of categories, few or many, and the choice of a record for each input column."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from chainrule.data.clean import min_count
from chainrule.data.column import Column
from chainrule.data.columns import labels
from chainrule.data.numeric import Numeric
from chainrule.data.report import Record, counted
from chainrule.data.target import in_order

MOST_ONE_HOT = 20
"""A column with more categories than this is learned as an embedding."""


class Categories(Record):
    """What one-hot and embedding columns share: the categories that training rows have often.

    `rare` names those that training rows have, but too seldom to be learned one by one; they share
    one slot with what is unseen. `has_missing`: training rows had missing cells.
    """

    name: str
    categories: list[str]
    rare: list[str]
    has_missing: bool

    @classmethod
    def counted(cls, column: Column) -> tuple[dict[str, Any], NDArray[np.int64]]:
        """Frequent and rare categories of training rows, and the counts of the frequent ones."""
        codes, named = labels(column)
        counts = dict(zip(named, np.bincount(codes, minlength=len(named)).tolist(), strict=True))
        missing = counts.pop(None, 0)
        known = in_order(name for name, rows in counts.items() if name is not None and rows)
        least = min_count(len(column))
        often = [name for name in known if counts[name] >= least]
        rare = [name for name in known if counts[name] < least]
        fields = {"categories": often, "rare": rare, "has_missing": missing > 0}
        return fields, np.array([counts[name] for name in often], dtype=np.int64)

    def codes(self, column: Column) -> NDArray[np.int64]:
        """0 for missing, 1 for rare and unseen, from 2 on the categories; int64 [n]."""
        codes, named = labels(column)
        places: dict[str | None, int] = {None: 0}
        places.update({name: code for code, name in enumerate(self.categories, start=2)})
        table = np.array([places.get(name, 1) for name in named], dtype=np.int64)
        return table[codes] if len(table) else codes

    def unseen(self, column: Column) -> dict[str, int]:
        """Categories that no training row has, with their counts."""
        codes, named = labels(column)
        counts = np.bincount(codes, minlength=len(named)).tolist()
        seen = {None, *self.categories, *self.rare}
        pairs = zip(named, counts, strict=True)
        return {str(name): rows for name, rows in pairs if rows and name not in seen}


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


class Embedding(Categories):
    """A column of many categories: a code each, for a table of learned vectors; int64 [n].

    0 is missing, 1 is rare or unseen, from 2 on the categories. `width` is a fair length for the
    vectors. A code that no training row has would be an unlearned vector: `missing_code` and
    `unseen_code` say which code stands in for it (the other one, or the most frequent category).

    >>> record = Embedding.fit("city", Column.of(["Oslo", "Rome", "Oslo"] * 3))
    >>> record.apply(Column.of(["Rome", "Paris"])).tolist()
    [3, 2]
    """

    kind: Literal["embedding"] = "embedding"
    width: int
    missing_code: int
    unseen_code: int

    @classmethod
    def fit(cls, name: str, column: Column) -> Embedding:
        """Learn the categories of training rows."""
        fields, counts = cls.counted(column)
        rare, missing = bool(fields["rare"]), fields["has_missing"]
        usual = int(counts.argmax()) + 2 if len(counts) else 1
        return cls(
            name=name,
            width=min(50, round(1.6 * (len(counts) + 2) ** 0.56)),
            missing_code=0 if missing else 1 if rare else usual,
            unseen_code=1 if rare else usual,
            **fields,
        )

    @property
    def size(self) -> int:
        """How many codes there are."""
        return len(self.categories) + 2

    def apply(self, column: Column) -> NDArray[np.int64]:
        """A column's cells as codes, int64 [n]."""
        stand_in = np.arange(self.size)
        stand_in[:2] = self.missing_code, self.unseen_code
        return np.asarray(stand_in[self.codes(column)])

    def inverse(self, codes: NDArray[np.int64]) -> NDArray[Any]:
        """The category of each code, object [n]; None for missing, "(rare)" for rare."""
        return np.asarray(np.array([None, "(rare)", *self.categories], dtype=object)[codes])

    def treatment(self) -> str:
        """What becomes of the column, in words."""
        rare = f", {len(self.rare):,} rare as one" if self.rare else ""
        return f"{len(self.categories):,} categories, {self.width} learned numbers each{rare}"


Encoding = Annotated[Numeric | OneHot | Embedding, Field(discriminator="kind")]


def encode(name: str, column: Column, kind: str, bins: int) -> Numeric | OneHot | Embedding:
    """The record for a column of training rows: by its kind, and by how many categories it has."""
    if kind == "numeric":
        return Numeric.fit(name, column, bins)
    one_hot = OneHot.fit(name, column)
    few = len(one_hot.categories) <= MOST_ONE_HOT
    return one_hot if few else Embedding.fit(name, column)

"""Columns of many categories: a learned vector for each."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from chainrule.data.categories import Categories
from chainrule.data.column import Column


class Embedding(Categories):
    """A column of many categories: a code each, for a table of learned vectors; int64 [n, 1].

    0 is missing, 1 is rare or unseen, from 2 on the categories. `width` is a fair length for the
    vectors. A code that no training row has would be an unlearned vector: `missing_code` and
    `unseen_code` say which code stands in for it (the other one, or the most frequent category).

    >>> record = Embedding.fit("city", Column.of(["Oslo", "Rome", "Oslo"] * 3))
    >>> record.apply(Column.of(["Rome", "Paris"])).tolist()
    [[3], [2]]
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
            width=fair_width(len(counts) + 2),
            missing_code=0 if missing else 1 if rare else usual,
            unseen_code=1 if rare else usual,
            **fields,
        )

    @property
    def size(self) -> int:
        """How many codes there are."""
        return len(self.categories) + 2

    @property
    def slots(self) -> int:
        """How many codes a row has."""
        return 1

    def apply(self, column: Column) -> NDArray[np.int64]:
        """A column's cells as codes, int64 [n, 1]."""
        stand_in = np.arange(self.size)
        stand_in[:2] = self.missing_code, self.unseen_code
        return np.asarray(stand_in[self.codes(column)][:, None])

    def inverse(self, codes: NDArray[np.int64]) -> NDArray[Any]:
        """The category of each code [n, 1], object [n]; None for missing, "(rare)" for rare."""
        return np.asarray(np.array([None, "(rare)", *self.categories], dtype=object)[codes[:, 0]])

    def treatment(self) -> str:
        """What becomes of the column, in words."""
        rare = f", {len(self.rare):,} rare as one" if self.rare else ""
        return f"{len(self.categories):,} categories, {self.width} learned numbers each{rare}"


def fair_width(size: int) -> int:
    """How long the vectors of so many codes should be: 1.6 size^0.56, at most 50.

    >>> fair_width(10), fair_width(10_000)
    (6, 50)
    """
    wanted: float = 1.6 * size**0.56
    return min(50, round(wanted))

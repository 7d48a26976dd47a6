"""What columns of categories have in common: which categories there are, often or seldom."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data.column import Column
from chainrule.data.labels import labels, min_count, present_labels
from chainrule.data.report import Record
from chainrule.data.target import in_order


class Categories(Record):
    """The categories that training rows have often, and what becomes of all others.

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
        counts = present_labels(column)
        known = in_order(counts)
        least = min_count(len(column))
        often = [name for name in known if counts[name] >= least]
        rare = [name for name in known if counts[name] < least]
        fields = {"categories": often, "rare": rare, "has_missing": bool(column.missing.any())}
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
        seen = {*self.categories, *self.rare}
        return {name: n for name, n in present_labels(column).items() if name not in seen}

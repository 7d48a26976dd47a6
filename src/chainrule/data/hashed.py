"""Columns of very many categories: each falls into one of a fixed number of buckets."""

from __future__ import annotations

from typing import Any, Literal
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from chainrule.data.column import Column
from chainrule.data.embedding import fair_width
from chainrule.data.labels import labels
from chainrule.data.report import Record

BUCKETS = 4096
"""Into how many buckets categories fall; a table of learned vectors is no longer than this."""


class Hashed(Record):
    """A column of very many categories: the bucket of each, for learned vectors; int64 [n, 1].

    0 is missing, from 1 on the buckets: the CRC-32 of the category as UTF-8, modulo `buckets`. No
    category is kept, so what is new falls into a bucket as well. A bucket that no training row
    fell into would be an unlearned vector: `empty` names those, and `usual` stands in for them.

    >>> record = Hashed.fit("part", Column.of(["A-17", "B-04", "A-17"]), buckets=8)
    >>> record.apply(Column.of(["B-04", "A-17", None])).tolist()
    [[8], [3], [3]]
    """

    kind: Literal["hashed"] = "hashed"
    name: str
    buckets: int
    width: int
    usual: int
    empty: list[int]

    @classmethod
    def fit(cls, name: str, column: Column, buckets: int = BUCKETS) -> Hashed:
        """Learn which buckets the training rows fill."""
        filled = np.bincount(_buckets(column, buckets), minlength=buckets + 1)
        return cls(
            name=name,
            buckets=buckets,
            width=fair_width(int(np.count_nonzero(filled))),
            usual=int(filled.argmax()),
            empty=np.flatnonzero(filled == 0).tolist(),
        )

    @property
    def size(self) -> int:
        """How many codes there are."""
        return self.buckets + 1

    @property
    def slots(self) -> int:
        """How many codes a row has."""
        return 1

    def apply(self, column: Column) -> NDArray[np.int64]:
        """A column's cells as codes, int64 [n, 1]."""
        stand_in = np.arange(self.size)
        stand_in[self.empty] = self.usual
        return np.asarray(stand_in[_buckets(column, self.buckets)][:, None])

    def inverse(self, codes: NDArray[np.int64]) -> NDArray[Any]:
        """The bucket of each code [n, 1] in words, object [n]: there is no way back from it."""
        names = [None, *(f"(bucket {place})" for place in range(1, self.size))]
        return np.asarray(np.array(names, dtype=object)[codes[:, 0]])

    def unseen(self, column: Column) -> dict[str, int]:
        """The categories in buckets that training has not filled, with their counts."""
        places, named = labels(column)
        new = np.isin(_buckets(column, self.buckets), self.empty) & ~column.missing
        counts = np.bincount(places[new], minlength=len(named)).tolist()
        return {str(name): rows for name, rows in zip(named, counts, strict=True) if rows}

    def treatment(self) -> str:
        """What becomes of the column, in words."""
        return f"categories in {self.buckets:,} buckets, {self.width} learned numbers each"


def _buckets(column: Column, buckets: int) -> NDArray[np.int64]:
    """The bucket of each cell, int64 [n]: 0 where it is missing."""
    places, named = labels(column)
    hashed = [0 if name is None else 1 + crc32(name.encode()) % buckets for name in named]
    return np.array([*hashed, 0], dtype=np.int64)[places]

"""Columns of free text: the words of each row, and the pairs of neighbours, as learned tokens."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from chainrule.data.column import Column, is_missing
from chainrule.data.report import Record

MOST_TOKENS = 20_000
"""A vocabulary holds at most so many tokens, those of the most training rows."""

LEAST_ROWS = 2
"""A token is learned if at least so many training rows have it."""

LEAST_LENGTH, MOST_LENGTH = 3, 256
"""So many tokens of a row are looked at, at least and at most."""

WIDTH = 16
"""The length of a token's learned vector."""

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+|[^\w\s]")


def words(text: str) -> list[str]:
    """The words of a text in lower case, its other signs one by one, of numbers only how long.

    >>> words("Don't pay £1500!")
    ["don't", 'pay', '£', '####', '!']
    """
    found = WORD.findall(text.lower())
    return ["#" * len(word) if word.isdigit() else word for word in found]


def words_and_pairs(text: str) -> list[str]:
    """The words of a text and the pairs of neighbours, each once, in the order of the text.

    >>> words_and_pairs("so so good")
    ['so', 'so so', 'good', 'so good']
    """
    found = words(text)
    pairs = ["", *(f"{first} {second}" for first, second in pairwise(found))]
    both = (token for pair in zip(found, pairs, strict=False) for token in pair if token)
    return list(dict.fromkeys(both))


TOKENS = {"bag": words_and_pairs, "sequence": words}


class Text(Record):
    """A column of texts: a code for each token of a row; int64 [n, length].

    0 fills up, 1 is a missing text, from 2 on the tokens of `vocabulary`; what is not in it is
    passed over. `order` says what a token is, and whether their order is told to the network: the
    words and pairs of a "bag", summed up, or the words of a "sequence". `width` is a fair length
    for their learned vectors.

    >>> record = Text.fit("note", Column.of(["good day", "good night", "bad day", "day off"]))
    >>> record.vocabulary
    ['day', 'good']
    >>> record.apply(Column.of(["A good day", None])).tolist()
    [[3, 2, 0], [1, 0, 0]]
    """

    kind: Literal["text"] = "text"
    name: str
    order: Literal["bag", "sequence"]
    vocabulary: list[str]
    length: int
    width: int

    @classmethod
    def fit(cls, name: str, column: Column, order: Literal["bag", "sequence"] = "bag") -> Text:
        """Learn the vocabulary of training rows, and how many of its tokens a row has at most."""
        rows = np.bincount(column.codes, minlength=len(column.values)).tolist()
        present = zip(column.values, rows, strict=True)
        split = [(_split(text, order), n) for text, n in present if n and not is_missing(text)]
        counts: Counter[str] = Counter()
        for tokens, n in split:
            counts.update(dict.fromkeys(tokens, n))
        often = sorted((-n, token) for token, n in counts.items() if n >= LEAST_ROWS)
        known = {token for _, token in often[:MOST_TOKENS]}
        longest = max((sum(t in known for t in tokens) for tokens, _ in split), default=0)
        return cls(
            name=name,
            order=order,
            vocabulary=sorted(known),
            length=min(MOST_LENGTH, max(LEAST_LENGTH, longest)),
            width=WIDTH,
        )

    @property
    def size(self) -> int:
        """How many codes there are."""
        return len(self.vocabulary) + 2

    @property
    def slots(self) -> int:
        """How many codes a row has."""
        return self.length

    def apply(self, column: Column) -> NDArray[np.int64]:
        """The tokens of a column's cells as codes, int64 [n, length]."""
        places = {token: code for code, token in enumerate(self.vocabulary, start=2)}
        table = np.zeros((len(column.values), self.length), dtype=np.int64)
        for row, text in enumerate(column.values):
            if is_missing(text):
                table[row, 0] = 1
                continue
            known = [places[token] for token in _split(text, self.order) if token in places]
            table[row, : len(known)] = known[: self.length]
        return np.asarray(table[column.codes])

    def inverse(self, codes: NDArray[np.int64]) -> NDArray[Any]:
        """The known words of each row, object [n]; None for a missing text."""
        back = np.empty(len(codes), dtype=object)
        for row, places in enumerate(codes.tolist()):
            tokens = [self.vocabulary[place - 2] for place in places if place > 1]
            back[row] = None if places[0] == 1 else " ".join(t for t in tokens if " " not in t)
        return back

    def unseen(self, column: Column) -> dict[str, int]:
        """The texts of which no token is known, with their counts."""
        rows = np.flatnonzero(~self.apply(column).any(axis=1))
        return dict(Counter(str(text) for text in column.at(rows).tolist()))

    def treatment(self) -> str:
        """What becomes of the column, in words."""
        of = "words and pairs" if self.order == "bag" else "words in their order"
        return f"text, {len(self.vocabulary):,} {of}, {self.width} learned numbers each"


def _split(text: str | None, order: str) -> list[str]:
    """The tokens of a text."""
    return TOKENS[order](text or "")

"""What a network makes of codes: a learned vector for a category, for a bag or a row of words."""

from __future__ import annotations

from chainrule import functional as F
from chainrule import nn
from chainrule.data.records import Coded
from chainrule.data.text import Text
from chainrule.nn import init
from chainrule.ops.layout import concat
from chainrule.tensors import Tensor

NEIGHBOURS = 3
"""How many words, one after the other, a sequence is looked through for."""


class Vectors(nn.Module):
    """Turns the codes of one column, i64[rows, slots], into f32[rows, width]."""

    slots: int
    width: int


class CategoryVector(Vectors):
    """The learned vector of one category.

    >>> import chainrule as cr
    >>> CategoryVector(10, 4)(cr.tensor([[3], [9]])).shape
    (2, 4)
    """

    def __init__(self, size: int, width: int) -> None:
        self.slots, self.width = 1, width
        self.weight = init.normal_(init.empty_parameter(size, width))

    def forward(self, codes: Tensor) -> Tensor:
        return F.embedding(codes[:, 0], self.weight)

    def extra_repr(self) -> str:
        return f"{self.weight.shape[0]}, {self.width}"


class TokenBag(Vectors):
    """The sum of the learned vectors of some tokens; code 0 is none.

    All vectors begin as 0, so that a token says nothing until it has been learned.

    >>> import chainrule as cr
    >>> TokenBag(100, slots=5, width=4)(cr.tensor([[3, 7, 0, 0, 0]])).shape
    (1, 4)
    """

    def __init__(self, size: int, slots: int, width: int) -> None:
        self.slots, self.width = slots, width
        self.weight = init.zeros_(init.empty_parameter(size, width))

    def forward(self, codes: Tensor) -> Tensor:
        return F.embedding(codes, self.weight, padding_idx=0).sum(axis=1)

    def extra_repr(self) -> str:
        return f"{self.weight.shape[0]}, slots={self.slots}, width={self.width}"


class TokenSequence(Vectors):
    """What is found anywhere in a row of words: the highest of each feature of three in a row.

    Words are vectors; a linear map and ReLU look at each three neighbours; the maximum over all
    places is the result. Code 0 fills up and is a vector of zeros.

    >>> import chainrule as cr
    >>> TokenSequence(100, slots=5, width=4)(cr.tensor([[3, 7, 3, 0, 0]])).shape
    (1, 4)
    """

    def __init__(self, size: int, slots: int, width: int) -> None:
        self.slots, self.width = slots, width
        self.words = nn.Embedding(size, width, padding_idx=0)
        self.neighbours = nn.Linear(NEIGHBOURS * width, width)

    def forward(self, codes: Tensor) -> Tensor:
        words, places = self.words(codes), self.slots - NEIGHBOURS + 1
        windows = concat(*(words[:, i : i + places] for i in range(NEIGHBOURS)), axis=2)
        return F.relu(self.neighbours(windows)).max(axis=1)


def vectors_for(record: Coded) -> Vectors:
    """The module that reads the codes of a column's record."""
    if not isinstance(record, Text):
        return CategoryVector(record.size, record.width)
    made = TokenSequence if record.order == "sequence" else TokenBag
    return made(record.size, record.slots, record.width)

"""Embedding: a learned vector per category."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from chainrule.errors import SettingError
from chainrule.functional.linear import embedding
from chainrule.nn import init
from chainrule.nn.module import Module
from chainrule.tensors import Tensor


class Embedding(Module):
    """The rows of `weight` at the integers that come in.

    input: integers of any shape, 0 to num_embeddings - 1; gives [*shape, embedding_dim]. `weight`:
    [num_embeddings, embedding_dim], normally distributed at first. The row `padding_idx` (negative:
    counted from the last) is 0 and stays so. Raises IndexRangeError for an integer out of range.

    >>> import chainrule as cr
    >>> Embedding(10, 3)(cr.tensor([[1, 2, 1]])).shape
    (1, 3, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise SettingError(
                "padding_idx is a row of the embedding",
                expected=f"{-num_embeddings} to {num_embeddings - 1}",
                got=padding_idx,
            )
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.weight = init.empty_parameter(num_embeddings, embedding_dim, dtype=dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the vectors anew; the row of the padding is 0."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            kept = np.arange(self.num_embeddings) != self.padding_idx
            self.weight.assign(self.weight.numpy() * kept[:, None].astype(self.weight.dtype))

    def forward(self, input: Tensor) -> Tensor:
        return embedding(input, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"

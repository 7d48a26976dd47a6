"""EmbeddingBag: a learned vector for a bag of categories."""

from __future__ import annotations

from numpy.typing import DTypeLike

from chainrule.functional.bag import check_mode, embedding_bag
from chainrule.nn.embedding import Embedding
from chainrule.tensors import Tensor


class EmbeddingBag(Embedding):
    """The rows of `weight` at the integers of each bag, summed, averaged, or their largest.

    input: integers [bags, size]; or [count] with `offsets` [bags], where each bag starts
    (`include_last_offset`: and where the last one ends). Gives [bags, embedding_dim]. The row
    `padding_idx` belongs to no bag. `per_sample_weights`: factors of input's shape, with mode
    "sum". Errors as in `functional.embedding_bag`.

    >>> import chainrule as cr
    >>> EmbeddingBag(10, 3, mode="sum")(cr.tensor([1, 2, 4]), cr.tensor([0, 2])).shape
    (2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        *,
        mode: str = "mean",
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        check_mode(mode)
        self.mode, self.include_last_offset = mode, include_last_offset
        super().__init__(num_embeddings, embedding_dim, padding_idx, dtype=dtype)

    def forward(
        self,
        input: Tensor,
        offsets: Tensor | None = None,
        per_sample_weights: Tensor | None = None,
    ) -> Tensor:
        return embedding_bag(
            input,
            self.weight,
            offsets,
            mode=self.mode,
            per_sample_weights=per_sample_weights,
            include_last_offset=self.include_last_offset,
            padding_idx=self.padding_idx,
        )

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}, mode={self.mode!r}{padding}"

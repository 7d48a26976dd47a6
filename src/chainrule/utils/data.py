"""Datasets and batches, at PyTorch's address: `from chainrule.utils.data import DataLoader`.

For data that fits in memory. A step over arrays in one native call needs none of this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import SettingError, ShapeError
from chainrule.functions import stack
from chainrule.generator import Generator, default_generator
from chainrule.ops.index import take
from chainrule.tensors import Tensor, as_tensor

Rows = NDArray[np.int64]


class Dataset:
    """Samples by number: a subclass writes `__len__` and `__getitem__`."""

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} needs a __getitem__ method")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} needs a __len__ method")


class TensorDataset(Dataset):
    """Rows of tensors (or arrays) that belong together; a sample is a tuple of one row of each.

    Raises ShapeError when they are not equally long.

    >>> import chainrule as cr
    >>> data = TensorDataset(cr.tensor([[1.0], [2.0]]), cr.tensor([0, 1]))
    >>> data[1]
    (tensor([2.]), tensor(1))
    """

    def __init__(self, *tensors: Any) -> None:
        self.tensors = tuple(map(as_tensor, tensors))
        if not tensors or len({len(tensor) for tensor in self.tensors}) != 1:
            raise ShapeError(
                "the tensors of a dataset have a row each for every sample",
                expected="tensors of equal length",
                got=", ".join(str(tensor.shape) for tensor in self.tensors) or "none",
            )

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple([tensor[index] for tensor in self.tensors])

    def __len__(self) -> int:
        return len(self.tensors[0])

    def rows(self, index: Rows) -> list[Tensor]:
        """A batch: these rows of every tensor."""
        return [as_tensor(take(tensor, index)) for tensor in self.tensors]


class Subset(Dataset):
    """The samples of `dataset` at `indices`.

    >>> import chainrule as cr
    >>> subset = Subset(TensorDataset(cr.tensor([5, 6, 7])), [2, 0])
    >>> len(subset), subset[0]
    (2, (tensor(7),))
    """

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, list(indices)

    def __getitem__(self, index: int) -> Any:
        return self.dataset[self.indices[index]]

    def __len__(self) -> int:
        return len(self.indices)


def random_split(
    dataset: Any, lengths: Sequence[float], generator: Generator | None = None
) -> list[Subset]:
    """`dataset` in parts drawn at random without overlap.

    `lengths`: numbers of samples that add up to len(dataset), or shares that add up to 1, of which
    what rounding leaves over goes to the first parts. Raises SettingError for other sums.

    >>> [len(part) for part in random_split(range(10), [0.75, 0.25])]
    [8, 2]
    """
    counts = _counts(len(dataset), lengths)
    order = (generator or default_generator).permutation(len(dataset)).tolist()
    ends = np.cumsum(counts).tolist()
    return [Subset(dataset, order[end - n : end]) for n, end in zip(counts, ends, strict=True)]


def _counts(size: int, lengths: Sequence[float]) -> list[int]:
    total = sum(lengths)
    if all(0 <= part <= 1 for part in lengths) and abs(total - 1) < 1e-9:
        counts = [int(size * part) for part in lengths]
        for at in range(size - sum(counts)):
            counts[at % len(counts)] += 1
        return counts
    if total != size or any(part < 0 for part in lengths):
        raise SettingError(
            "the parts of a split make up the whole",
            expected=f"numbers that add up to {size}, or shares that add up to 1",
            got=list(lengths),
        )
    return [int(part) for part in lengths]


def default_collate(samples: Sequence[Any]) -> Any:
    """Samples as one batch: numbers and tensors stacked, tuples and dictionaries part by part.

    Python's floats become float32, as everywhere here (in PyTorch's loader: float64).

    >>> default_collate([(1.0, {"a": 2}), (3.0, {"a": 4})])
    [tensor([1., 3.]), {'a': tensor([2, 4])}]
    """
    first = samples[0]
    if isinstance(first, Mapping):
        return {key: default_collate([sample[key] for sample in samples]) for key in first}
    if isinstance(first, tuple | list):
        return [default_collate(part) for part in zip(*samples, strict=True)]
    if isinstance(first, str | bytes):
        return list(samples)
    if isinstance(first, Tensor | np.ndarray | np.generic):
        return stack([as_tensor(sample) for sample in samples])
    return as_tensor(list(samples))


class DataLoader:
    """Goes through a dataset in batches; every pass is another epoch.

    `dataset`: anything with a length and items by number. `batch_size`: samples per batch; the last
    batch is smaller, or left out with `drop_last`. `shuffle`: in another random order every epoch,
    drawn from `generator` (the default one if None). `collate_fn` makes a batch of a list of
    samples, by default `default_collate`. Batches are made here and now: `num_workers` is 0, and
    `pin_memory` means nothing without a GPU. Raises SettingError for numbers out of range.

    >>> import chainrule as cr
    >>> loader = DataLoader(TensorDataset(cr.tensor([0, 1, 2, 3, 4])), batch_size=2)
    >>> [batch.tolist() for (batch,) in loader]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        *,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        generator: Generator | None = None,
    ) -> None:
        if not isinstance(batch_size, int | np.integer) or batch_size < 1:
            raise SettingError(
                "a batch holds at least one sample",
                expected="an integer of at least 1",
                got=repr(batch_size),
            )
        if num_workers != 0:
            raise SettingError(
                "batches are made in the process that trains",
                expected="num_workers=0",
                got=num_workers,
                hint="leave it out: rows of arrays are gathered faster than they could be sent",
            )
        self.dataset, self.batch_size, self.shuffle = dataset, int(batch_size), shuffle
        self.drop_last, self.collate_fn, self.pin_memory = drop_last, collate_fn, pin_memory
        self.generator = generator or default_generator

    def __len__(self) -> int:
        """The number of batches of an epoch."""
        whole, rest = divmod(len(self.dataset), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[Any]:
        order = self._order()
        dataset, rows = _rooted(self.dataset, order)
        gather = self.collate_fn is None and isinstance(dataset, TensorDataset)
        for number in range(len(self)):
            at = slice(number * self.batch_size, (number + 1) * self.batch_size)
            if gather:
                yield dataset.rows(rows[at])
            else:
                samples = [self.dataset[int(i)] for i in order[at]]
                yield (self.collate_fn or default_collate)(samples)

    def _order(self) -> Rows:
        size = len(self.dataset)
        if self.shuffle:
            order: Rows = self.generator.permutation(size).numpy()
            return order
        return np.arange(size)


def _rooted(dataset: Any, order: Rows) -> tuple[Any, Rows]:
    """The dataset that subsets of subsets are of, and the order in its own numbers."""
    while type(dataset) is Subset:
        indices = np.asarray(dataset.indices, np.int64)
        order = indices[order]
        dataset = dataset.dataset
    return dataset, order


__all__ = [
    "DataLoader", "Dataset", "Subset", "TensorDataset", "default_collate", "random_split",
]  # fmt: skip

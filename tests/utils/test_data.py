"""Datasets and loaders: every sample once, in an order that the seed fixes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import SettingError, ShapeError
from chainrule.generator import Generator
from chainrule.utils.data import (
    DataLoader,
    Dataset,
    Subset,
    TensorDataset,
    default_collate,
    random_split,
)

X = np.arange(20, dtype="float32").reshape(10, 2)
Y = np.arange(10)


def pairs() -> TensorDataset:
    return TensorDataset(cr.tensor(X), cr.tensor(Y))


class Squares(Dataset):
    """A dataset of one's own, of samples that are tuples of Python numbers."""

    def __len__(self) -> int:
        return 7

    def __getitem__(self, index: int) -> tuple[float, int]:
        return float(index) ** 2, index


def labels(loader: Any) -> list[list[int]]:
    return [batch[1].tolist() for batch in loader]


def flat(batches: list[list[int]]) -> list[int]:
    return [one for batch in batches for one in batch]


def test_in_order() -> None:
    loader = DataLoader(pairs(), batch_size=4)
    assert len(loader) == 3
    assert labels(loader) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    x, y = next(iter(loader))
    assert (x.shape, x.dtype, y.dtype) == ((4, 2), np.float32, np.int64)
    np.testing.assert_array_equal(x.numpy(), X[:4])


def test_drop_last() -> None:
    loader = DataLoader(pairs(), batch_size=4, drop_last=True)
    assert len(loader) == 2
    assert labels(loader) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert len(DataLoader(pairs(), batch_size=5, drop_last=True)) == 2
    assert labels(DataLoader(pairs(), batch_size=11, drop_last=True)) == []


def test_each_epoch_has_every_row_once_in_another_order() -> None:
    loader = DataLoader(pairs(), batch_size=3, shuffle=True, generator=Generator(0))
    epochs = [flat(labels(loader)) for _ in range(4)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4


def test_rows_stay_together() -> None:
    for x, y in DataLoader(pairs(), batch_size=3, shuffle=True):
        np.testing.assert_array_equal(x.numpy(), X[y.numpy()])


def test_a_seed_fixes_the_order() -> None:
    def epochs(seed: int) -> list[Any]:
        loader = DataLoader(pairs(), 3, True, generator=Generator(seed))
        return [labels(loader), labels(loader)]

    assert epochs(1) == epochs(1)
    assert epochs(1) != epochs(2)
    cr.manual_seed(6)
    first = labels(DataLoader(pairs(), 3, True))
    cr.manual_seed(6)
    assert labels(DataLoader(pairs(), 3, True)) == first


def test_a_resumed_loader_goes_on() -> None:
    generator = Generator(3)
    loader = DataLoader(pairs(), 4, True, generator=generator)
    labels(loader)
    state = generator.state_dict()
    wanted = labels(loader)
    again = Generator(0)
    again.load_state_dict(state)
    assert labels(DataLoader(pairs(), 4, True, generator=again)) == wanted


def test_a_dataset_of_ones_own() -> None:
    batches = list(DataLoader(Squares(), batch_size=4))
    assert [batch[0].tolist() for batch in batches] == [[0, 1, 4, 9], [16, 25, 36]]
    assert batches[0][0].dtype == np.float32
    assert batches[0][1].dtype == np.int64


def test_any_sequence_is_a_dataset() -> None:
    assert [batch.tolist() for batch in DataLoader([1, 2, 3], batch_size=2)] == [[1, 2], [3]]


def test_collate_fn() -> None:
    loader = DataLoader(pairs(), batch_size=5, collate_fn=len)
    assert list(loader) == [5, 5]


def test_collating() -> None:
    samples = [
        {"x": np.ones(2), "name": "a", "flag": True},
        {"x": np.zeros(2), "name": "b", "flag": False},
    ]
    batch = default_collate(samples)
    assert batch["x"].tolist() == [[1, 1], [0, 0]]
    assert batch["x"].dtype == np.float64
    assert batch["name"] == ["a", "b"]
    assert batch["flag"].dtype == np.bool_


@pytest.mark.parametrize("shuffle", [False, True])
def test_subsets_load_as_their_samples_would(shuffle: bool) -> None:
    """The quick way, by rows of the tensors below, gives what the slow way gives."""
    subset = Subset(Subset(pairs(), [9, 7, 5, 3, 1]), [4, 0, 2])

    class Plain(Dataset):
        def __len__(self) -> int:
            return len(subset)

        def __getitem__(self, index: int) -> Any:
            return subset[index]

    def batches(dataset: Any) -> Iterator[Any]:
        loader = DataLoader(dataset, 2, shuffle, generator=Generator(2))
        return ([x.tolist(), y.tolist()] for x, y in loader)

    assert list(batches(subset)) == list(batches(Plain()))
    assert sorted(flat(labels(DataLoader(subset, 2)))) == [1, 5, 9]


@pytest.mark.parametrize(
    ("lengths", "sizes"),
    [([7, 3], [7, 3]), ([0.7, 0.3], [7, 3]), ([0.5, 0.25, 0.25], [6, 2, 2]), ([10, 0], [10, 0])],
)
def test_random_split(lengths: list[float], sizes: list[int]) -> None:
    parts = random_split(pairs(), lengths, Generator(1))
    assert list(map(len, parts)) == sizes
    assert sorted(int(part[i][1]) for part in parts for i in range(len(part))) == list(range(10))
    again = random_split(pairs(), lengths, Generator(1))
    assert [part.indices for part in parts] == [part.indices for part in again]
    other = random_split(pairs(), lengths, Generator(2))
    assert [part.indices for part in parts] != [part.indices for part in other]


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: DataLoader(pairs(), 0), SettingError, "(?s)at least one sample.*got: *0"),
        (lambda: DataLoader(pairs(), 2.5), SettingError, "(?s)integer.*2.5"),
        (lambda: DataLoader(pairs(), num_workers=2), SettingError, "(?s)num_workers=0.*got: *2"),
        (lambda: TensorDataset(X, Y[:3]), ShapeError, r"(?s)equal length.*\(10, 2\), \(3,\)"),
        (lambda: TensorDataset(), ShapeError, "(?s)equal length.*none"),
        (lambda: random_split(pairs(), [5, 6]), SettingError, "(?s)add up to 10.*5, 6"),
        (lambda: random_split(pairs(), [0.5, 0.6]), SettingError, "shares that add up to 1"),
        (lambda: random_split(pairs(), [11, -1]), SettingError, "(?s)add up to 10.*11, -1"),
    ],
)
def test_errors(call: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        call()

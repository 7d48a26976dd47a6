"""Rows that are too many for memory: on disk they are the same, and little of them is in memory."""

import numpy as np
import pytest

from chainrule.data import prepare, read_table
from chainrule.data.disk import DiskArray, Growing
from chainrule.data.room import LEAST, allowed, as_bytes


def on_disk(array):
    with Growing(array.shape[1], array.dtype) as growing:
        for piece in np.array_split(array, 3):
            growing.add(piece)
        return growing.whole()


@pytest.mark.parametrize(
    "key", [slice(3, 7), np.array([5, 0, 5]), 2, (slice(None), 1), slice(None, 0)]
)
def test_an_array_on_disk_gives_copies_of_what_is_asked_for(key):
    array = np.arange(40, dtype=np.int64).reshape(10, 4)
    kept = on_disk(array)
    assert isinstance(kept, DiskArray)
    assert type(kept[key]) is type(array[key])
    np.testing.assert_array_equal(kept[key], array[key])
    assert not np.may_share_memory(kept[key], kept)
    np.testing.assert_array_equal(kept, array)


def test_columns_without_width_need_no_file():
    assert on_disk(np.empty((5, 0), np.int64)).shape == (5, 0)


@pytest.mark.parametrize("source", ["digits", "courier"])
def test_a_table_prepared_in_pieces_is_the_same(source, monkeypatch):
    table = read_table(source)
    target = {"digits": "digit", "courier": "charge"}[source]
    whole = prepare(table, target)
    monkeypatch.setattr("chainrule.data.encoded.fits", lambda size: False)
    monkeypatch.setattr("chainrule.data.encoded.rows_at_once", lambda size: 50)
    pieces = prepare(table, target)
    assert isinstance(pieces.train.numbers, DiskArray)
    assert pieces.report == whole.report
    for part in ("train", "validation", "test"):
        ours, theirs = getattr(pieces, part), getattr(whole, part)
        np.testing.assert_array_equal(ours.numbers, theirs.numbers)
        np.testing.assert_array_equal(ours.codes, theirs.codes)


def test_arrays_go_to_disk_where_memory_is_little():
    noise = np.random.default_rng(0).normal(size=(20_000, 10))
    table = read_table({**{f"x{i}": column for i, column in enumerate(noise.T)}, "y": noise[:, 0]})
    with allowed(LEAST // 20):
        assert isinstance(prepare(table, "y").train.numbers, DiskArray)
    with allowed(10 * LEAST):
        assert not isinstance(prepare(table, "y").train.numbers, DiskArray)


@pytest.mark.parametrize("text", ["much", "-5GB", "1MB", "", "nan"])
def test_a_size_that_is_none(text):
    with pytest.raises(ValueError, match="64MB or more"):
        as_bytes(text)

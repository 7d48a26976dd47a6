"""NumPy's files and arrays."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from chainrule.data import ArrayColumn, read_table
from chainrule.errors import DataError


def test_one_array_is_a_column_for_each_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "t.npy"
    np.save(path, np.arange(6.0).reshape(3, 2))
    table = read_table(path)
    assert (table.names, table.named) == (["column1", "column2"], False)
    assert table.column("column2").numbers.tolist() == [1, 3, 5]
    assert read_table(path, names=["a", "b"]).names == ["a", "b"]
    assert len(read_table(np.arange(4)).names) == 1


def test_fields_have_names(tmp_path: Path) -> None:
    rows = np.array([(1, "x"), (2, "y")], dtype=[("n", "i4"), ("t", "U3")])
    np.save(tmp_path / "t.npy", rows)
    table = read_table(tmp_path / "t.npy")
    assert table.column("n").numbers.tolist() == [1, 2]
    assert table.column("t").cells.tolist() == ["x", "y"]


def test_several_arrays_side_by_side(tmp_path: Path) -> None:
    arrays = {"x": np.arange(6).reshape(3, 2), "y": np.array(["a", "b", "a"])}
    images = np.arange(48, dtype=np.uint8).reshape(3, 4, 4)
    np.savez(tmp_path / "t.npz", **arrays, image=images)
    table = read_table(tmp_path / "t.npz")
    assert table.names == ["x1", "x2", "y", "image"]
    column = table.take(np.array([2, 0])).column("image")
    assert isinstance(column, ArrayColumn)
    np.testing.assert_array_equal(column.array, images[[2, 0]])
    again = ArrayColumn(images)
    assert column.cells.tolist() == [again.cells[2], again.cells[0]]
    assert len(set(again.cells)) == 3


def test_parts_by_name(tmp_path: Path) -> None:
    sizes = {"train": 4, "test": 2, "val": 1}
    arrays = {f"x_{part}": np.zeros((size, 2)) for part, size in sizes.items()}
    arrays |= {f"y_{part}": np.ones(size) for part, size in sizes.items()}
    np.savez(tmp_path / "t.npz", **arrays)
    table = read_table(tmp_path / "t.npz")
    assert (len(table), table.names) == (4, ["x1", "x2", "y"])
    assert {part: len(given) for part, given in table.given.items()} == {"test": 2, "validation": 1}


def test_files_that_are_no_table(tmp_path: Path) -> None:
    path = tmp_path / "t.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="cannot be read as a NumPy file"):
        read_table(path)
    path.write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(DataError):
        read_table(path)
    np.save(path, np.zeros((0, 2)))
    with pytest.raises(DataError, match="no rows"):
        read_table(path)
    np.savez(tmp_path / "t.npz", x=np.zeros(2), y=np.zeros(3))
    with pytest.raises(DataError, match="differ in length") as caught:
        read_table(tmp_path / "t.npz")
    assert caught.value.got == "x: 2, y: 3"

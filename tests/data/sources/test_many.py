"""Several files as one table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from chainrule.data import read_table
from chainrule.errors import DataError


def test_files_of_the_same_columns_in_any_layout(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,p\n2\n3,q\n4,r\n")
    (tmp_path / "b.csv").write_text("y;x\ns;5\n\nt;6\n")
    (tmp_path / "c.jsonl").write_text('{"x": 7, "y": "u"}\n')
    table = read_table(tmp_path / "*.*")
    assert table.column("x").cells.tolist() == ["1", "3", "4", "5", "6", "7"]
    assert table.column("y").cells.tolist() == ["p", "q", "r", "s", "t", "u"]
    assert table.lines.tolist() == [2, 4, 5, 7, 9, 10]
    assert [bad.line for bad in table.rejected] == [3]
    assert "3 files are counted on" in str(table.notes[0])
    assert "b.csv on line 6" in str(table.notes[0])
    assert len(read_table(f"{tmp_path}/**/a.*")) == 3


def test_numbers_stay_numbers(tmp_path: Path) -> None:
    for name in ("a", "b"):
        np.savez(tmp_path / f"{name}.npz", x=np.ones(2), image=np.zeros((2, 3, 3)))
    table = read_table(tmp_path / "?.npz")
    assert table.column("x").numbers.tolist() == [1, 1, 1, 1]
    assert len(table.take(np.array([3])).column("image")) == 1


def test_files_of_other_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,p\n")
    (tmp_path / "b.csv").write_text("x,z\n1,p\n")
    with pytest.raises(DataError, match=r"b.csv has other columns than .*a.csv") as caught:
        read_table(tmp_path / "*.csv")
    assert caught.value.got == "without y and with z"


def test_a_pattern_that_fits_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no file"):
        read_table(tmp_path / "*.csv")

"""Workbooks: the sheet, the header, the lines as the workbook counts them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from chainrule.data import read_table
from chainrule.errors import DataError

openpyxl = pytest.importorskip("openpyxl")
pytest.importorskip("python_calamine")


@pytest.fixture
def book(tmp_path: Path) -> Any:
    """A function that writes sheets of cells by their address, and gives the file."""

    def write(sheets: dict[str, dict[str, object]]) -> Path:
        made = openpyxl.Workbook()
        made.remove(made.active)
        for name, cells in sheets.items():
            sheet = made.create_sheet(name)
            for address, value in cells.items():
                sheet[address] = value
        path = tmp_path / "t.xlsx"
        made.save(path)
        return path

    return write


PRICES = {
    "B3": "name",
    "C3": "price",
    "D3": "sold",
    "B4": "a",
    "C4": 2.5,
    "D4": datetime(2020, 1, 2, 3, 4, 5),
    "B6": "b",
    "C6": 3,
    "D6": datetime(2020, 1, 3),
}


def test_a_table_in_the_middle_of_a_sheet(book: Any) -> None:
    table = read_table(book({"one": PRICES, "empty": {}}))
    assert table.names == ["name", "price", "sold"]
    assert table.lines.tolist() == [4, 6]
    assert table.column("price").numbers.tolist() == [2.5, 3]
    assert table.column("sold").cells.tolist() == ["2020-01-02 03:04:05", "2020-01-03"]


def test_of_several_sheets_one_is_asked_for(book: Any) -> None:
    path = book({"one": PRICES, "two": {"A1": 1, "A2": 2}})
    with pytest.raises(DataError, match="holds 2 sheets") as caught:
        read_table(path)
    assert (caught.value.got, caught.value.hint) == ("one, two", "--sheet NAME")
    assert len(read_table(path, sheet="one")) == 2
    assert read_table(path, sheet="2", names=["x"]).column("x").numbers.tolist() == [1, 2]
    with pytest.raises(DataError, match="no sheet 'on'") as caught:
        read_table(path, sheet="on")
    assert caught.value.hint == "did you mean 'one'?"


def test_workbooks_that_hold_no_table(book: Any) -> None:
    with pytest.raises(DataError, match="is empty"):
        read_table(book({"one": {}}))
    with pytest.raises(DataError, match="a header but no rows"):
        read_table(book({"one": {"A1": "a", "B1": "b"}}))

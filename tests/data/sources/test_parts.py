"""Splits that a source brings."""

from __future__ import annotations

import pytest

from chainrule.data import Table, prepare
from chainrule.data.sources.parts import with_parts
from chainrule.errors import DataError


def rows(start: int, count: int) -> Table:
    numbers = range(start, start + count)
    return Table.of({"x": [i / 7 for i in numbers], "y": [3 * i for i in numbers]})


def test_given_parts_are_kept_when_a_table_is_prepared() -> None:
    table = with_parts({"test": rows(0, 6), "training": rows(10, 40), "dev": rows(60, 5)})
    prepared = prepare(table, "y")
    assert [len(part) for part in (prepared.train, prepared.validation, prepared.test)] == [
        40,
        5,
        6,
    ]
    prepared = prepare(with_parts({"train": rows(0, 40), "test": rows(50, 6)}), "y")
    assert [len(part) for part in (prepared.train, prepared.test)] == [34, 6]
    assert table.renamed(["a", "b"]).given["test"].names == ["a", "b"]


def test_a_single_part_is_the_table_whatever_it_is_called() -> None:
    assert len(with_parts({"everything": rows(0, 3)})) == 3


@pytest.mark.parametrize("names", [("test", "validation"), ("train", "dev", "val"), ("a", "b")])
def test_parts_that_are_no_split(names: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match="no split"):
        with_parts({name: rows(0, 3) for name in names})

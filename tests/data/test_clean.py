"""Rows and columns that are no use."""

import numpy as np
import pytest

from chainrule.data import Table, column_kinds
from chainrule.data.clean import drop_empty, drop_headers, drop_rows, rejected_notes, why_left_out


def test_dropped_rows_are_noted_with_their_lines():
    table, notes = drop_rows(
        Table.of({"x": [1, 2, 3]}), np.array([True, False, False]), "target", "no target"
    )
    assert table.lines.tolist() == [1]
    assert str(notes[0]) == "2 rows left out: no target (lines 2, 3)"
    assert drop_rows(table, np.array([True]), "target", "")[1] == []


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (["a", "a"], "every cell has the same value"),
        ([None, "?"], "every cell is missing"),
        (range(30), None),
        (["a", "b"], None),
    ],
)
def test_columns_left_out(values, why):
    assert why_left_out(column_kinds(Table.of({"x": values}))["x"]) == why


def test_headers_in_the_middle_and_empty_rows():
    table = Table.of({"x": ["1", "x", "?", "x"], "y": ["a", "y", None, "b"]})
    rest, notes = drop_headers(table)
    assert [str(note) for note in notes] == ["1 row left out: the header again (line 2)"]
    rest, notes = drop_empty(rest)
    assert [str(note) for note in notes] == ["1 row left out: every cell is missing (line 3)"]
    assert rest.lines.tolist() == [1, 4]
    assert drop_headers(Table.of({"x": ["x", "1"]}))[1] == []


def test_lines_that_are_no_rows_are_told_reason_by_reason(written):
    table = written("a,b\n1,2\n3\n4,5,6\n7\n8,9\n0,1\n2,3\n")
    assert list(map(str, rejected_notes(table))) == [
        "2 lines left out: 1 cell where 2 are expected (lines 3, 5)",
        "1 line left out: 3 cells where 2 are expected (line 4)",
    ]

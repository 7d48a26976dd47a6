"""Rows and columns that are no use."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.data import Column, Table, column_kinds
from chainrule.data.clean import (
    also_in,
    drop_duplicates,
    drop_rows,
    first_equal,
    min_count,
    why_left_out,
)

small = st.sampled_from(["a", "b", "1", "2", None])


@given(st.lists(st.tuples(small, small, st.integers(0, 2)), min_size=1, max_size=30))
def test_duplicates_equal_those_of_a_set(rows):
    columns = list(zip(*rows, strict=True))
    table = Table.of({str(place): column for place, column in enumerate(columns)})
    kept, notes = drop_duplicates(table)
    seen: set = set()
    first = [line for line, row in enumerate(rows, 1) if not (row in seen or seen.add(row))]
    if 2 * len(first) < len(rows):
        assert len(kept) == len(rows)
        assert notes[0].count == len(rows) - len(first)
        assert "kept" in notes[0].text
    else:
        assert kept.lines.tolist() == first
        assert sorted(first + [line for note in notes for line in note.lines]) == list(
            range(1, len(rows) + 1)
        )


def test_duplicates_are_rows_equal_as_read():
    table = Table.of({"x": ["1", "1.0", "?", "", "5"], "y": ["a"] * 5})
    assert drop_duplicates(table)[0].lines.tolist() == [1, 3, 5]


@given(
    st.lists(st.tuples(small, small), max_size=20), st.lists(st.tuples(small, small), max_size=20)
)
def test_shared_rows_are_counted(first, second):
    def table(rows):
        return Table.of({"x": [row[0] for row in rows], "y": [row[1] for row in rows]})

    assert also_in(table(second), table(first)) == sum(row in set(first) for row in second)


def test_rows_of_equal_hash_are_compared_in_full():
    factor, shift = 0x9E3779B97F4A7C15, 29

    def mixed(number):
        spread = number * factor % 2**64
        return spread ^ (spread >> shift)

    first = np.array([1, 2], dtype=np.int64)
    second = np.array([mixed(1), mixed(2)], dtype=np.uint64).view(np.int64)
    assert first_equal([first, second]).tolist() == [0, 1]
    assert first_equal([first * 0, second * 0]).tolist() == [0, 0]


def test_dropped_rows_are_noted_with_their_lines():
    table, notes = drop_rows(
        Table.of({"x": [1, 2, 3]}), np.array([True, False, False]), "target", "no target"
    )
    assert table.lines.tolist() == [1]
    assert str(notes[0]) == "2 rows left out: no target (lines 2, 3)"
    assert drop_rows(table, np.array([True]), "target", "")[1] == []


def left_out(values, others=True):
    table = Table.of({"x": values})
    return why_left_out(column_kinds(table)["x"], table.column("x"), others)


def test_columns_that_number_the_rows():
    rows = np.flatnonzero(np.random.default_rng(0).random(200) < 0.7)
    assert left_out(rows) == "it numbers the rows"
    assert left_out(rows + 1) == "it numbers the rows"
    assert left_out(rows, others=False) is None
    assert left_out(rows + 1950) is None
    assert left_out(rows[::-1]) is None
    assert left_out(rows * 3) is None
    assert left_out(rows + 0.5) is None


def test_text_columns_that_name_rows():
    names = [f"person {place}" for place in range(200)]
    assert "hardly any of its 200 values" in str(left_out(names))
    assert left_out(["a", "b"] * 30 + names[:100]) is None
    assert left_out([None] * 100 + names[:100]) is None


def test_one_value_and_no_value():
    assert left_out(["a", "a"]) == "every cell has the same value"
    assert left_out([None, "?"]) == "every cell is missing"


@pytest.mark.parametrize(("rows", "least"), [(0, 3), (500, 5), (10**6, 10)])
def test_how_often_is_often_enough(rows, least):
    assert min_count(rows) == least


def test_a_column_asked_for_stays():
    table = Table.of({"x": range(100)})
    kind = column_kinds(table, {"x": "numeric"})["x"]
    assert why_left_out(kind, Column.of(range(100)), others=True) is None

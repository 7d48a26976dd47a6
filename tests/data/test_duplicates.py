"""Rows that are there twice."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from chainrule.data import Table
from chainrule.data.duplicates import also_in, drop_duplicates, first_equal

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

    assert also_in(table(second), table(first)).tolist() == [row in set(first) for row in second]


def test_rows_of_equal_hash_are_compared_in_full():
    factor, shift = 0x9E3779B97F4A7C15, 29

    def mixed(number):
        spread = number * factor % 2**64
        return spread ^ (spread >> shift)

    first = np.array([1, 2], dtype=np.int64)
    second = np.array([mixed(1), mixed(2)], dtype=np.uint64).view(np.int64)
    assert first_equal([lambda: first, lambda: second]).tolist() == [0, 1]
    assert first_equal([lambda: first * 0, lambda: second * 0]).tolist() == [0, 0]

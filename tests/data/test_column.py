"""A column's readings: text, numbers, codes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.data import Column, cast
from chainrule.data.column import bounded, is_missing, number_of


@pytest.mark.parametrize(
    "text", ["", " ", "NA", "n/a", "NaN", "NULL", "None", "?", "-", "--", "Unknown", None]
)
def test_missing_markers(text):
    assert is_missing(text)
    assert Column.of([text, "1"]).missing.tolist() == [True, False]


@pytest.mark.parametrize("text", ["0", "no", "---", "n.a", "nil", "x"])
def test_no_missing_markers(text):
    assert not is_missing(text)


def test_underscores_make_no_number():
    column = Column.of(["1_000", "2"])
    assert column.bad.tolist() == [0]
    assert column.numbers[1] == 2


def test_bad_cells_beside_numbers():
    column = Column.of(["1", "x", "?", "2"])
    assert column.bad.tolist() == [1]
    np.testing.assert_array_equal(column.numbers, [1, np.nan, np.nan, 2])


@given(st.lists(st.floats(), min_size=1))
def test_numbers_survive_the_way_through_text(numbers):
    column = Column.of(np.array(numbers))
    again = Column(column.cells)
    np.testing.assert_array_equal(again.numbers, column.numbers)
    np.testing.assert_array_equal(again.missing, column.missing)


@given(st.lists(st.sampled_from(["1", "2.5", "x", "?", None, "1e5", "inf", "7_1"]), min_size=1))
def test_all_at_once_equals_cell_by_cell(texts):
    column = Column.of(texts)
    np.testing.assert_array_equal(column.numbers, bounded(np.array([*map(number_of, texts)])))
    assert column.missing.tolist() == [is_missing(text) for text in texts]
    assert [column.values[code] for code in column.codes] == texts


@given(st.lists(st.sampled_from(["a", "1", None, "2"]), min_size=1), st.data())
def test_taking_rows_takes_every_reading(texts, data):
    column = Column.of(texts)
    rows = np.array(data.draw(st.lists(st.integers(0, len(texts) - 1))), dtype=np.int64)
    if data.draw(st.booleans()):
        assert len(column.codes) + len(column.numbers) == 2 * len(texts)
    taken, fresh = column.take(rows), Column.of([texts[row] for row in rows])
    assert taken.cells.tolist() == fresh.cells.tolist()
    np.testing.assert_array_equal(taken.numbers, fresh.numbers)
    assert [taken.values[code] for code in taken.codes] == fresh.cells.tolist()
    assert len(taken) == len(rows)


def test_a_mask_takes_rows_too():
    taken = Column.of(["a", "b", "c"]).take(np.array([True, False, True]))
    assert taken.cells.tolist() == ["a", "c"]
    assert len(taken) == 2


def test_numpy_numbers_in_a_list_read_as_numbers():
    values = [np.float64(0.1) + np.float64(0.2), np.float32(0.5), np.int64(3), 0.1 + 0.2]
    assert Column.of(values).numbers.tolist() == [0.1 + 0.2, 0.5, 3.0, 0.1 + 0.2]


@given(st.lists(st.text("0123456789+-.eExnaif_, \t'", max_size=7), min_size=1, max_size=30))
def test_a_few_texts_are_read_as_many_are(texts):
    few = np.array(texts, dtype=object)
    many = np.concatenate([few] * (cast.FEW + 1))
    np.testing.assert_array_equal(cast.cast_numbers(few), cast.cast_numbers(many)[: len(few)])

"""What is learned about a column: numbers, one-hot, embeddings."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.data import Column, Embedding, Numeric, OneHot
from chainrule.data.numeric import bins_for, quantile_edges
from chainrule.data.records import encode

finite = st.floats(-1e9, 1e9, allow_nan=False)


@given(st.lists(finite | st.none(), min_size=2, max_size=60), st.integers(0, 8))
def test_numbers_are_finite_bounded_and_named(values, bins):
    if all(value is None for value in values):
        return
    column = Column.of(values)
    record = Numeric.fit("x", column, bins)
    made = record.apply(Column.of([*values, 1e150, -1e150, None]))
    assert made.dtype == np.float32
    assert made.shape == (len(values) + 3, len(record.features))
    assert len(set(record.features)) == len(record.features)
    assert np.isfinite(made).all()
    assert np.abs(made).max() <= 5
    assert record.indicator == (None in values)


def test_scaling_is_by_the_rows_it_was_fitted_on():
    record = Numeric.fit("x", Column.of([0.0, 2.0, 4.0, 6.0]), bins=0)
    assert (record.mean, record.std, record.fill) == (3.0, np.sqrt(5.0), 3.0)
    made = record.apply(Column.of([0, 3, 1000, None, "x"]))[:, 0]
    np.testing.assert_allclose(made, [-3 / np.sqrt(5), 0, 5, 0, 0], rtol=1e-6)


def test_bins_say_how_far_a_number_has_come():
    record = Numeric.fit("x", Column.of(np.arange(9.0)), bins=4)
    assert record.edges == [0, 2, 4, 6, 8]
    made = record.apply(Column.of([5, -1, 9]))[:, 1:]
    assert made.tolist() == [[1, 1, 0.5, 0], [0, 0, 0, 0], [1, 1, 1, 1]]


def test_missing_numbers_are_marked_only_where_training_had_some():
    record = Numeric.fit("x", Column.of([1, 2, 9, "?", "bad"] * 20), bins=0)
    assert record.features == ["x", "x missing"]
    assert record.apply(Column.of(["3", "NA"]))[:, 1].tolist() == [0, 1]
    assert record.fill == 2
    assert Numeric.fit("x", Column.of([1, 2]), bins=0).features == ["x"]


def test_numbers_come_back():
    record = Numeric.fit("x", Column.of([1.0, 2.0, 4.0, None]), bins=2)
    back = record.inverse(record.apply(Column.of([1.5, None, 3.0])))
    np.testing.assert_allclose(back, [1.5, np.nan, 3.0], rtol=1e-6)


@given(st.lists(finite, min_size=1, max_size=50), st.integers(0, 12))
def test_edges_rise_and_enclose(values, bins):
    known = np.array(values)
    edges = quantile_edges(known, bins, least=1e-6)
    assert edges == sorted(set(edges))
    assert len(edges) != 2
    if edges:
        assert edges[0] == known.min()
        assert len(edges) <= bins + 1
        assert np.diff(edges).min() > 1e-6


@pytest.mark.parametrize(
    ("rows", "columns", "bins"),
    [
        (99, 1, 1),
        (500, 1, 10),
        (10**5, 1, 32),
        (10**5, 32, 16),
        (10**5, 33, 0),
        (10**7, 5, 1),
        (10, 0, 0),
    ],
)
def test_how_many_bins(rows, columns, bins):
    assert bins_for(rows, columns) == bins


def test_one_hot_slots_exist_where_training_filled_them():
    record = OneHot.fit("c", Column.of(["a"] * 6 + ["b"] * 3 + ["seldom", None]))
    assert record.features == ["c = a", "c = b", "c rare", "c missing"]
    made = record.apply(Column.of(["a", "b", "seldom", "new", "?"]))
    assert made.argmax(axis=1).tolist() == [0, 1, 2, 2, 3]
    assert made.sum(axis=1).tolist() == [1] * 5
    assert record.unseen(Column.of(["a", "seldom", "new", "new", None])) == {"new": 2}
    assert record.inverse(made).tolist() == ["a", "b", "(rare)", "(rare)", None]


def test_what_has_no_slot_becomes_the_usual_row():
    record = OneHot.fit("c", Column.of(["a"] * 9 + ["b"] * 3))
    assert record.features == ["c = a", "c = b"]
    assert record.apply(Column.of(["new", None])).tolist() == [[0.75, 0.25]] * 2


def test_embedding_codes():
    names = [f"c{place:02d}" for place in range(25)]
    record = encode("c", Column.of(names * 4 + ["seldom", None]), "category", bins=0)
    assert isinstance(record, Embedding)
    assert record.apply(Column.of([None, "seldom", "new", "c00", "c24"]))[:, 0].tolist() == [
        0,
        1,
        1,
        2,
        26,
    ]
    assert (record.size, record.width) == (27, 10)
    assert record.inverse(np.array([[0], [1], [2]])).tolist() == [None, "(rare)", "c00"]
    assert isinstance(encode("c", Column.of(names[:20] * 4), "category", bins=0), OneHot)


def test_codes_that_training_never_saw_are_stood_in_for():
    record = Embedding.fit("c", Column.of(["b"] * 5 + ["a"] * 4))
    assert record.apply(Column.of([None, "new", "a", "b"]))[:, 0].tolist() == [3, 3, 2, 3]
    record = Embedding.fit("c", Column.of(["b"] * 5 + ["seldom"]))
    assert record.apply(Column.of([None, "new"]))[:, 0].tolist() == [1, 1]
    record = Embedding.fit("c", Column.of(["b"] * 5 + [None]))
    assert record.apply(Column.of([None, "new"]))[:, 0].tolist() == [0, 2]


def test_only_taken_rows_are_counted():
    column = Column.of(["a"] * 5 + ["b"] * 5)
    assert column.values == ["a", "b"]
    record = OneHot.fit("c", column.take(np.arange(5)))
    assert record.categories == ["a"]
    assert record.rare == []

"""Lists of labels in cells: found where they are, and nowhere else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.data import Column
from chainrule.data.lists import held, label_counts, list_separator, pieces

GENRES = ["action", "comedy", "drama", "film noir"]
some = st.lists(st.sampled_from(GENRES), unique=True)


@given(cells=st.lists(some, min_size=30, max_size=60), separator=st.sampled_from("|;,"))
def test_what_is_held_is_what_was_written(cells, separator):
    column = Column.of([separator.join(labels) or None for labels in cells])
    expected = [
        [float(g in labels) for g in GENRES] if labels else [np.nan] * 4 for labels in cells
    ]
    np.testing.assert_array_equal(held(column, GENRES, separator), expected)
    as_json = Column.of(cells)
    expected = [[float(g in labels) for g in GENRES] for labels in cells]
    np.testing.assert_array_equal(held(as_json, GENRES, "json"), expected)
    assert list_separator(as_json) == "json"
    assert label_counts(as_json, "json") == {
        g: sum(g in labels for labels in cells)
        for g in sorted(GENRES)
        if any(g in c for c in cells)
    }


def combined(separator):
    return [separator.join(GENRES[i : i + 1 + i % 3]) for i in range(4)] * 5 + [
        separator.join([GENRES[3], GENRES[0]])
    ]


@pytest.mark.parametrize("separator", ["|", ";", ", "])
def test_the_separator_is_found(separator):
    assert list_separator(Column.of(combined(separator))) == separator.strip()


@pytest.mark.parametrize(
    "cells",
    [
        ["red", "green", "blue"] * 9,
        ["Springfield, MA", "Boston, MA", "Springfield, IL", "Boston, IL", "Rome, MA"] * 9,
        ["a, b", "c, d", "e"] * 9,
        [*["yes", "no"] * 30, "yes, no"],
        [f"well, this is a long text, number {i} of many" for i in range(40)],
        [1.5, 2.5] * 9,
    ],
)
def test_other_texts_are_no_lists(cells):
    assert list_separator(Column.of(cells)) is None


def test_pieces():
    assert pieces(" a || b|a", "|") == ["a", "b"]
    assert pieces('["a, b", 3]', "json") == ["a, b", "3"]
    assert pieces("[broken", "json") == ["[broken"]

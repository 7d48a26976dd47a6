"""Columns that name or number rows."""

import numpy as np
import pytest

from chainrule.data import Column
from chainrule.data.identifiers import names_rows, why_number_id
from chainrule.data.labels import min_count

ROWS = np.flatnonzero(np.random.default_rng(0).random(200) < 0.7)


def why(numbers, name="x"):
    return why_number_id(name, Column.of(numbers))


@pytest.mark.parametrize("rows", [ROWS, ROWS + 1])
def test_columns_that_number_the_rows(rows):
    assert why(rows) == "it numbers the rows"


@pytest.mark.parametrize("rows", [ROWS + 1950, ROWS[::-1], ROWS * 3, ROWS[:9]])
def test_columns_that_do_not(rows):
    assert why(rows) is None


@pytest.mark.parametrize(
    "name", ["id", "ID", "user_id", "PassengerId", "order key", "No", "userID"]
)
def test_an_id_by_name_has_no_value_twice(name):
    assert why(ROWS[::-1], name) == "whole numbers, all different, and it is called an id"
    assert why([*ROWS[::-1], ROWS[5]], name) is None


@pytest.mark.parametrize("name", ["paid", "valid", "humid", "note", "keyboard", "idle"])
def test_names_that_only_sound_like_it(name):
    assert why(ROWS[::-1], name) is None


def test_text_columns_that_name_rows():
    names = [f"person {place}" for place in range(200)]
    assert names_rows(Column.of(names))
    assert not names_rows(Column.of(["a", "b"] * 30 + names[:100]))
    assert not names_rows(Column.of([None] * 100 + names[:100]))
    assert not names_rows(Column.of(names[:9]))


@pytest.mark.parametrize(("rows", "least"), [(0, 3), (500, 5), (10**6, 10)])
def test_how_often_is_often_enough(rows, least):
    assert min_count(rows) == least

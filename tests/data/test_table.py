"""Tables: columns by name and place."""

import numpy as np
import pytest

from chainrule.data import Table
from chainrule.errors import DataError

TABLE = Table.of({"age": [1, 2, 3], "sex": ["f", "m", "f"], "2": [4, 5, 6]}, source="t.csv")


@pytest.mark.parametrize(
    ("key", "name"),
    [("age", "age"), ("1", "age"), (1, "age"), ("-1", "2"), (-3, "age"), ("3", "2"), ("2", "2")],
)
def test_columns_by_name_first_then_by_place(key, name):
    assert TABLE.name_of(key) == name


def test_an_unknown_column_names_the_nearest():
    with pytest.raises(DataError, match=r"t\.csv has no column 'agee'") as caught:
        TABLE.column("agee")
    assert caught.value.hint == "did you mean 'age'?"
    assert caught.value.expected == "age, sex, 2"


@pytest.mark.parametrize("place", ["0", "4", "-4"])
def test_places_outside_say_how_they_count(place):
    with pytest.raises(DataError, match="no column") as caught:
        TABLE.column(place)
    assert caught.value.hint == "positions run from 1 to 3, or from -1 (the last) backwards"


def test_rows_keep_their_lines():
    taken = TABLE.take(np.array([2, 0]))
    assert taken.lines.tolist() == [3, 1]
    assert taken.column("sex").cells.tolist() == ["f", "f"]
    assert TABLE.take(np.array([False, True, False])).column("age").numbers.tolist() == [2]


def test_select_without_and_renamed():
    assert TABLE.select(["sex", "age"]).names == ["sex", "age"]
    assert TABLE.without(["sex"]).names == ["age", "2"]
    assert TABLE.renamed(["a", "b", "c"]).column("c").numbers.tolist() == [4, 5, 6]


def test_columns_of_different_length_are_refused():
    with pytest.raises(DataError, match="differ in length") as caught:
        Table.of({"a": [1], "b": [1, 2]})
    assert caught.value.got == "a: 1, b: 2"

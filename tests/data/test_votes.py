"""The vote on what a column holds, markers and values that can hardly be."""

import numpy as np
import pytest

from chainrule.data import Column, Table, column_kinds, prepare
from chainrule.data.arrays import ArrayColumn
from chainrule.data.markers import lone_texts, plain_stand_in
from chainrule.data.outliers import far_values, impossible_values, limits_of
from chainrule.data.votes import vote
from chainrule.errors import DataError

WORDS = ["tea", "milk", "rice", "jam", "bread"]
SENTENCES = [f"we had {WORDS[i % 5]} on day {i}" for i in range(40)]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0, 1] * 20, "boolean"),
        (["Yes", "no", "?"] * 5, "boolean"),
        ([1, 2, 3] * 20, "integer-category"),
        ([*[1, 2, 3] * 30, 9], "numeric"),
        ([2010, 2011, 2012] * 20, "numeric"),
        (["007", "012", "300"] * 9, "category"),
        (SENTENCES, "text"),
        (SENTENCES[:10], "id"),
        (["2021-01-02", "2021-02-03"], "date"),
        ([20210102, 20210203], "numeric"),
        (["1", "2", "x", "y"] * 3, "category"),
        ([*range(30), *["n.d."] * 8], "numeric"),
    ],
)
def test_kinds(values, kind):
    assert vote("x", Column.of(values)).kind == kind


def test_arrays_have_a_kind():
    assert vote("image", ArrayColumn(np.zeros((3, 2, 2)))).kind == "array"


def test_what_cannot_be_decided_asks_for_the_flag():
    table = Table.of({"when": ["03/04/2021", "05/06/2021"] * 9, "x": [*range(17), "n.d."]})
    assert "--type when=date:%m/%d/%Y" in str(column_kinds(table)["when"].advice)
    column = Column.of([*range(30), *["n.d."] * 8])
    assert "--missing x=n.d." in str(vote("x", column).advice)
    mixed = vote("x", Column.of(["1", "2", "3", "a", "b"]))
    assert "--type x=numeric" in str(mixed.advice)


def test_dates_that_are_asked_for():
    table = Table.of({"day": [20210102, 20210203, 20210305], "x": ["3/4/21"] * 2 + ["5/6/21"]})
    kinds = column_kinds(table, {"day": "date", "x": "date:%m/%d/%y"})
    assert (kinds["day"].kind, kinds["day"].form) == ("date", "%Y%m%d")
    assert (kinds["x"].form, kinds["x"].reason) == ("%m/%d/%y", "asked for")
    with pytest.raises(DataError, match="holds none that can be read"):
        column_kinds(Table.of({"x": ["a", "b"]}), {"x": "date"})


def test_numbers_that_number_rows_matter_where_there_is_nothing_else():
    assert column_kinds(Table.of({"x": range(40)}))["x"].kind == "numeric"
    assert column_kinds(Table.of({"x": range(40), "y": [1.5, 2.5] * 20}))["x"].kind == "id"


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([1, 5, 90, 999, 999, 999], ("999", 3)),
        ([1, 5, 90, -99, -99, -99], ("-99", 3)),
        ([1, 5, 90, 999, 999], None),
        ([1, 500, 900, 999, 999, 999], None),
        ([999, 999, 999], None),
        ([1, 5, 90, 1234, 1234, 1234], None),
    ],
)
def test_stand_ins(values, found):
    assert plain_stand_in(Column.of(values)) == found


def test_texts_among_a_scale_of_answers_are_answers():
    assert lone_texts(Column.of([1, 2, 3, 4, "4+"] * 9)) == {}


def test_far_values():
    spread = np.exp(np.random.default_rng(0).normal(size=5000))
    assert len(far_values(spread)) == 0
    assert far_values(np.append(spread, 1e9)).tolist() == [5000]
    assert far_values(np.append(np.arange(-30.0, 30), -4000)).tolist() == [60]
    assert len(far_values(np.append(np.zeros(60), 4000))) == 0


def test_impossible_values():
    assert impossible_values("Latitude", np.append(np.arange(40.0), 91)).tolist() == [40]
    assert len(impossible_values("day", np.arange(1.0, 366))) == 0
    assert limits_of("stage") is None


def test_dotted_classes_are_the_same_classes():
    labels = ["<=50K", ">50K", "<=50K.", ">50K."] * 20
    prepared = prepare(Table.of({"x": np.arange(80) % 7 + 0.5, "y": labels}), "y")
    assert prepared.preparation.target.classes == ["<=50K", ">50K"]

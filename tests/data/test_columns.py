"""The vote on what a column holds."""

import numpy as np
import pytest

from chainrule.data import Column, Table, column_kinds
from chainrule.data.columns import labels, refuse_infinities
from chainrule.errors import DataError, SettingError


def kind_of(values, **settings):
    return column_kinds(Table.of({"x": values}), **settings)["x"]


@pytest.mark.parametrize(
    ("values", "kind", "integer", "distinct", "missing"),
    [
        (["1", "2", "?"], "numeric", True, 2, 1),
        (["1.5", "2", "2.0"], "numeric", False, 2, 0),
        (["a", "b", "b", ""], "category", False, 2, 1),
        (["yes", "no"], "boolean", False, 2, 0),
        (["7", "7.0", "07"], "constant", True, 1, 0),
        (["a", "a"], "constant", False, 1, 0),
        (["a", "a", ""], "category", False, 1, 1),
        (["5", "5", ""], "category", True, 1, 1),
        (["?", "", "NA"], "empty", False, 0, 3),
        (["1", "2", "x"], "category", False, 3, 0),
    ],
)
def test_the_vote(values, kind, integer, distinct, missing):
    found = kind_of(values)
    assert (found.kind, found.integer, found.distinct, found.missing) == (
        kind,
        integer,
        distinct,
        missing,
    )


@pytest.mark.parametrize(("good", "kind"), [(19, "numeric"), (9, "numeric"), (8, "category")])
def test_one_bad_cell_in_ten_is_a_bad_cell(good, kind):
    found = kind_of([*map(str, range(good)), "x"])
    assert found.kind == kind
    if kind == "numeric":
        assert [(bad.line, bad.text) for bad in found.bad] == [(good + 1, "x")]
        assert found.reason == f"{good} of {good + 1} cells are numbers"


def test_types_override_the_vote_and_say_so():
    found = kind_of(["1", "2", "3"], types={"-1": "category"})
    assert (found.kind, found.reason, found.asked) == ("category", "asked for", True)
    found = kind_of(["1", "x", "y"], types={"x": "numeric"})
    assert (found.kind, len(found.bad)) == ("numeric", 2)


def test_types_that_cannot_be():
    with pytest.raises(SettingError, match="cannot be of type 'numerc'") as caught:
        kind_of(["1"], types={"x": "numerc"})
    assert caught.value.hint == "did you mean 'numeric'?"
    with pytest.raises(DataError, match="no column 'y'"):
        kind_of(["1"], types={"y": "numeric"})
    with pytest.raises(DataError, match="holds no number"):
        kind_of(["a", "b"], types={"x": "numeric"})


def test_labels_write_a_whole_number_one_way():
    codes, named = labels(Column.of(["3.0", "3", "03", "3.5", "v1.0", "-2.", "NA", None, "a.0"]))
    assert [named[code] for code in codes] == [
        "3",
        "3",
        "03",
        "3.5",
        "v1.0",
        "-2",
        None,
        None,
        "a.0",
    ]


def test_infinities_are_refused_with_column_and_lines():
    table = Table.of({"x": ["1", "inf", "-Infinity"], "y": ["1e200", "2", "3"], "z": [1, 2, 3]})
    with pytest.raises(DataError, match="infinite numbers") as caught:
        refuse_infinities(table, table.names)
    assert caught.value.got == (
        "column 'x', lines 2, 3: 'inf', '-Infinity'; column 'y', line 1: '1e200'"
    )
    refuse_infinities(table, ["z"])


def test_counts_agree_with_numpy():
    values = np.random.default_rng(0).integers(0, 9, 500)
    assert kind_of(values).distinct == len(set(values.tolist()))

"""Columns of yes and no as one number, whatever the words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.data import Column, Preparation, Table, prepare
from chainrule.data.boolean import YES_NO, Boolean, sides, truths
from chainrule.errors import DataError


@given(
    pair=st.sampled_from(sorted(YES_NO.items())),
    said=st.lists(st.sampled_from([True, False, None]), min_size=1).filter(lambda s: any(s)),
    upper=st.booleans(),
)
def test_every_pair_of_words_is_0_and_1_and_comes_back(pair, said, upper):
    yes, no = (word.upper() if upper else word for word in pair)
    column = Column.of([None if s is None else (yes if s else no) for s in said])
    record = Boolean.fit("b", column)
    made = record.apply(column)
    known = [s for s in said if s is not None]
    expected = [sum(known) / len(known) if s is None else float(s) for s in said]
    np.testing.assert_allclose(made[:, 0], expected, rtol=1e-6)
    assert made.shape[1] == 1 + (None in said) == len(record.features)
    assert record.inverse(made).tolist() == [None if c is None else c for c in column.cells]
    assert not record.unseen(column)


def test_a_rare_value_is_no_category_of_its_own():
    table = Table.of({"p": [1] + [0] * 99, "q": range(100), "y": range(100)})
    prepared = prepare(table, "y", validation=table, test=table)
    assert "p: boolean, as 0 and 1" in prepared.report.text()
    record = Boolean.fit("p", table.column("p"))
    assert (record.no, record.yes, record.share) == ("0", "1", 0.01)
    assert record.unseen(Column.of([7, 1, 0.0, None, 7])) == {"7": 2}
    assert record.apply(Column.of([1.0, 7])).tolist() == [[1.0], [np.float32(0.01)]]


def test_other_words_are_boolean_if_asked():
    assert sides("sex", Column.of(["m", "f", "m"])) == ("f", "m")
    assert sides("b", Column.of(["no", "?"])) == ("no", "yes")
    assert sides("b", Column.of(["only", None])) == ("only", "")
    with pytest.raises(DataError, match="to be boolean but has 3 values") as caught:
        sides("b", Column.of(["a", "b", "c"]))
    assert caught.value.got == "'a', 'b', 'c'"
    said = truths(Column.of(["YES", "no", "maybe", None]), "no", "yes")
    np.testing.assert_array_equal(said, [1, 0, np.nan, np.nan])


def test_it_is_saved_and_read():
    table = Table.of({"b": ["yes", "no", "?"] * 9, "x": range(27), "y": range(27)})
    made = prepare(table, "y").preparation
    assert Preparation.from_json(made.to_json()) == made
    assert made.inputs[0].kind == "boolean"

"""How much rows count: 1 on average over the training rows, the same for all parts."""

import numpy as np
import pytest

from chainrule.data import Table, prepare
from chainrule.errors import DataError, SettingError


def table(weights=None):
    rng = np.random.default_rng(0)
    columns = {"x": rng.random(200), "glad": ["yes" if p % 5 == 0 else "no" for p in range(200)]}
    return Table.of({**columns, **({} if weights is None else {"w": weights})}, "t.csv")


def test_weights_come_from_their_column():
    weights = np.arange(1.0, 201.0)
    prepared = prepare(table(weights), "glad", weight="w")
    assert prepared.train.weights.mean() == pytest.approx(1.0)
    mean = weights[prepared.train.lines - 1].mean()
    np.testing.assert_allclose(prepared.test.weights[:, 0], prepared.test.lines / mean, rtol=1e-6)
    assert [record.name for record in prepared.preparation.inputs] == ["x"]


def test_balanced_classes_count_the_same():
    part = prepare(table(), "glad", class_weight="balanced").train
    sums = [part.weights[part.target == code].sum() for code in (0, 1)]
    np.testing.assert_allclose(sums, len(part) / 2, rtol=1e-6)
    assert prepare(table(), "glad").train.weights is None


@pytest.mark.parametrize("bad", ["-1", "many", ""])
def test_weights_that_are_none_are_named(bad):
    weights = ["2"] * 200
    weights[7] = bad
    with pytest.raises(DataError, match="cannot weigh") as caught:
        prepare(table(weights), "glad", weight="w", drop=[])
    assert "line 8" in caught.value.got


def test_numbers_have_no_classes_to_balance():
    with pytest.raises(SettingError, match="class weights need classes"):
        prepare(table(), "x", class_weight="balanced")

"""Columns that give the target away are named; others are not."""

import numpy as np
import pytest

from chainrule.data import Table, prepare, telltale

RNG = np.random.default_rng(0)
SIZE = RNG.gamma(2.0, size=400)
GLAD = RNG.random(400) < 0.3


def named(table, target):
    return [note.column for note in prepare(table, target).report.about("leak")]


@pytest.mark.parametrize("leak", [SIZE * 3 + 1, np.exp(SIZE), -SIZE])
def test_a_number_that_follows_the_target(leak):
    table = Table.of({"size": SIZE, "x": RNG.normal(size=400), "leak": leak})
    assert named(table, "size") == ["leak"]


def test_a_category_that_names_the_class():
    leak = [
        "a" if p and p % 3 else "b" if p else "c" for p in np.where(GLAD, np.arange(400) + 1, 0)
    ]
    glad = np.where(GLAD, "yes", "no").tolist()
    table = Table.of({"x": SIZE, "leak": leak, "glad": glad, "score": GLAD * 9 + RNG.random(400)})
    assert named(table, "glad") == ["leak", "score"]


def test_a_good_column_is_no_leak():
    table = Table.of({"x": SIZE + RNG.normal(0, 0.5, 400), "z": RNG.random(400), "size": SIZE})
    assert named(table, "size") == []


def test_a_single_input_is_meant_to_tell():
    assert named(Table.of({"x": SIZE, "y": SIZE * 2}), "y") == []


def test_of_very_many_rows_some_show_it(monkeypatch):
    seen = []
    ranks = telltale._ranks
    monkeypatch.setattr(
        telltale, "_ranks", lambda values: seen.append(len(values)) or ranks(values)
    )
    monkeypatch.setattr(telltale, "MOST_ROWS", 100)
    table = Table.of({"size": SIZE, "x": RNG.normal(size=400), "leak": SIZE + 1})
    assert named(table, "size") == ["leak"]
    assert set(seen) == {100}

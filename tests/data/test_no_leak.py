"""No leak, however rows are split and columns encoded: poisoned rows change nothing learned."""

import numpy as np
import pytest

from chainrule.data import Column, Table, prepare
from chainrule.data.seen import runs

ROWS = 240


def table(seed=0):
    rng = np.random.default_rng(seed)
    words = np.array(["red", "green", "blue", "warm", "cold", "fast", "slow", "old", "new"])
    size = rng.gamma(2.0, size=ROWS)
    return Table.of(
        {
            "day": [f"2021-{1 + p // 28:02d}-{1 + p % 28:02d}" for p in range(ROWS)],
            "house": [f"house {p % 30}" for p in range(ROWS)],
            "part": ["train"] * 170 + ["val"] * 40 + ["test"] * 30,
            "size": size,
            "city": [f"city {p * p % 37}" for p in range(ROWS)],
            "note": [" ".join(rng.choice(words, 6)) for _ in range(ROWS)],
            "weight": rng.random(ROWS) + 0.5,
            "glad": np.where(rng.random(ROWS) < 0.5, "yes", "no").tolist(),
            "price": size * 10 + rng.normal(size=ROWS),
        },
        "t.csv",
    )


def poisoned(clean, rows):
    """The table with inputs and weights in some rows as wrong as can be."""
    columns = dict(clean.columns)
    for name in ("size", "weight"):
        numbers = clean.column(name).numbers.copy()
        numbers[rows] = 1e6 + np.arange(len(rows))
        columns[name] = Column(numbers=numbers)
    for name in ("city", "note"):
        cells = clean.column(name).cells.copy()
        cells[rows] = [f"poison poison {place} ? NA 1e9" for place in rows]
        columns[name] = Column(cells)
    return Table(columns, clean.lines, clean.source)


@pytest.mark.parametrize("target", ["glad", "price"])
@pytest.mark.parametrize(
    ("way", "encodings"),
    [
        ({}, {}),
        ({"group": "house"}, {"size": "quantile", "city": "hash", "note": "sequence"}),
        ({"time": ["day"]}, {"size": "robust", "city": "one-hot", "note": "bag"}),
        ({"split_column": "part"}, {"size": "log", "city": "embedding"}),
        ({"split": "random"}, {"size": "quantile", "city": "hash", "note": "bag"}),
    ],
)
def test_validation_and_test_rows_teach_nothing(way, target, encodings):
    settings = {"weight": "weight", "encodings": encodings, **way}
    settings |= {"class_weight": "balanced"} if target == "glad" else {}
    clean = prepare(table(), target, **settings)
    others = np.concatenate([clean.validation.lines, clean.test.lines]) - 1
    spoilt = prepare(poisoned(table(), others), target, **settings)
    assert spoilt.preparation.to_json() == clean.preparation.to_json()
    assert spoilt.seen == clean.seen
    for name in ("numbers", "codes", "target", "weights", "lines"):
        assert getattr(spoilt.train, name).tobytes() == getattr(clean.train, name).tobytes()


def test_training_rows_do_teach():
    clean = prepare(table(), "price", encodings={"note": "bag"})
    spoilt = prepare(
        poisoned(table(), clean.train.lines[:9] - 1), "price", encodings={"note": "bag"}
    )
    before, after = (p.preparation.inputs for p in (clean, spoilt))
    changed = {a.name for a, b in zip(before, after, strict=True) if a != b}
    assert {"size", "city", "note"} <= changed


def test_the_rows_that_each_statistic_saw_are_listed():
    prepared = prepare(table(), "price", split_column="part")
    assert prepared.seen.lines == {
        "train": "1-170",
        "validation": "171-210",
        "test": "211-240",
    }
    for record in prepared.preparation.inputs:
        assert prepared.seen.statistics[f"column {record.name}: {record.treatment()}"] == "train"
    assert prepared.seen.statistics["which rows repeat others"] == "all"


def test_lines_as_runs():
    assert runs(np.array([], np.int64)) == ""
    assert runs(np.array([5])) == "5"
    assert runs(np.array([1, 3, 4])) == "1,3-4"

"""Several targets and labels on the command line: said, written and read again."""

import csv
import io
import json
from pathlib import Path

import pytest
from tests.train.several import INPUTS, columns

from .conftest import Call


@pytest.fixture
def films(folder: Path) -> Path:
    """A table with inputs and targets of every kind."""
    names = [*INPUTS, "rent", "kind", "genre", "cough", "ill"]
    every = columns()
    with (folder / "films.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(zip(*(every[name] for name in names), strict=True))
    return folder / "films.csv"


def test_several_targets_are_trained_scored_and_predicted(call: Call, films: Path) -> None:
    drop = ["--drop", "cough,ill", "--epochs", "2", "--output", "run"]
    said = call("train", str(films), "--target", "rent,kind,genre", *drop)
    assert said.code == 0
    assert "34 rows without rent, used for the others only (lines 2, 11, 20," in said.out
    for words in ("rent:\n", "kind:\n", "each label (each label's majority):\n", "all together:\n"):
        assert words in said.out
    rows = list(csv.DictReader(io.StringIO(call("predict", "run", str(films), "-q").out)))
    assert len(rows) == 300
    new = [name for name in rows[0] if name.startswith(("predicted", "probability"))]
    assert new == [
        "predicted rent",
        "predicted kind",
        "probability of kind = flat",
        "probability of kind = house",
        "predicted genre",
        *(f"probability of genre = {g}" for g in ("action", "comedy", "drama", "other")),
    ]
    held = [
        g
        for g in ("action", "comedy", "drama", "other")
        if float(rows[0][f"probability of genre = {g}"]) > 0.5
    ]
    assert rows[0]["predicted genre"] == "|".join(held)
    line = json.loads(call("predict", "run", str(films), "-q", "--json").out.splitlines()[0])
    assert line["predicted genre"] == held
    facts = json.loads(call("evaluate", "run", str(films), "-q", "--json").out)
    assert [detail["of"] for detail in facts["details"]][:3] == ["rent", "kind", "genre"]
    assert "labels of genre: action, comedy, drama, other" in call("inspect", "run/model").out
    assert "run: prediction of rent, kind, genre from" in call("runs", "show", "run").out
    assert "loss" in call("runs", "list", ".").out


def test_columns_of_yes_and_no_are_predicted_in_their_words(call: Call, films: Path) -> None:
    drop = ["--drop", "rent,kind,genre", "--epochs", "2", "--output", "run", "-q"]
    said = call("train", str(films), "--target", "cough,ill", *drop)
    assert "multi-label: each column says yes or no" in said.out
    row = next(csv.DictReader(io.StringIO(call("predict", "run", str(films), "-q").out)))
    assert row["predicted cough"] in ("yes", "no")
    assert row["predicted ill"] in ("n", "y")
    assert 0 <= float(row["probability of cough"]) <= 1


def test_a_table_is_inspected_with_a_target_of_labels(call: Call, films: Path) -> None:
    said = call("inspect", str(films), "--target", "genre", "--type", "genre=labels:|")
    assert said.code == 0
    assert "multi-label: asked for" in said.out


def test_a_target_twice_is_a_usage_error(call: Call, films: Path) -> None:
    said = call("train", str(films), "--target", "rent,rent")
    assert said.code == 2
    assert "each target is a column of its own" in said.err

"""How numbers, tables and errors are written."""

from __future__ import annotations

import pytest

from chainrule.cli.text import as_json, duration, error_line, number, scores, table
from chainrule.errors import DataError


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0.5000"), (-12.345, "-12.35"), (0.0, "0.0000"), (1234.5, "1,234"), (2.5e12, "2.5e+12")],
)
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.96, "10 s"), (59.7, "1 min 0 s"), (7199, "1 h 59 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_tables_align() -> None:
    lines = table([["a", "bb"], ["ccc", "d"]], indent="").splitlines()
    assert lines == ["a    bb", "ccc   d"]
    assert table([["a", "bb"], ["ccc", "d"]], indent="", left=2).splitlines() == [
        "a    bb",
        "ccc  d",
    ]


def test_scores_stand_beside_the_baseline() -> None:
    text = scores({"rmse": 5.5, "r2": -0.00012}, {"rmse": 9.0, "r2": None}, "regression")
    assert [line.split() for line in text.splitlines()] == [
        ["RMSE", "R2"],
        ["this", "model", "5.5000", "-0.0001"],
        ["always", "the", "mean", "9.0000", "n/a"],
    ]


def test_json_of_what_is_not_a_number() -> None:
    assert as_json([float("inf"), (float("nan"), 1.0)], indent=None) == "[null, [null, 1.0]]"


def test_an_error_is_one_line() -> None:
    assert error_line(DataError("two\nlines", got="a\nb")) == "two lines (got a b)"

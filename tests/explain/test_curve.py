"""Curves as text: every point where it belongs, and labels that fit."""

from __future__ import annotations

import math

import pytest

from chainrule.explain import curve, sparkline


def rows(text: str) -> list[str]:
    """What stands to the right of the axis, from the top."""
    return [line.partition("│")[2] for line in text.splitlines() if "│" in line]


def test_the_highest_is_at_the_top_and_the_lowest_at_the_bottom():
    drawn = rows(curve({"loss": [4, 2, 1]}, width=9, height=4))
    assert [row.find("●") for row in drawn] == [0, -1, 4, 8]


def test_points_stand_where_their_x_is():
    drawn = rows(curve({"loss": [1, 2, 3]}, x=[0, 9, 10], width=11, height=3))
    assert [row.find("●") for row in drawn] == [10, 9, 0]


def test_a_logarithmic_axis_puts_equal_factors_at_equal_heights():
    drawn = rows(curve({"loss": [100, 10, 1, 0, -5]}, width=9, height=3, log=True))
    assert [row.find("●") for row in drawn] == [0, 2, 4]


def test_the_first_series_is_drawn_on_top():
    text = curve({"steps": [1, math.nan], "path": [1, 2]}, width=5, height=2)
    assert rows(text) == ["    ○", "●"]
    assert "● steps  ○ path" in text


@pytest.mark.parametrize(
    ("highest", "lowest", "labels"),
    [
        (4, 1, ["  4.00", "  1.00"]),
        (36.25, 0.000951, ["    36.2", "0.000951"]),
        (2740.3, 0, ["2,740", "0.00"]),
        (1e9, 1e-9, ["1e+09", "1e-09"]),
        (-1, -20.5, ["-1.00", "-20.5"]),
    ],
)
def test_labels_fit_whatever_the_numbers(highest, lowest, labels):
    lines = curve({"loss": [highest, lowest]}, width=10, height=2).splitlines()
    assert [line.partition(" │")[0].strip() for line in lines[:2]] == [
        one.strip() for one in labels
    ]
    axis = lines[2].index("└")
    assert [line.index("│") for line in lines[:2]] == [axis, axis]
    assert lines[3].index("1") == axis + 1


def test_every_series_has_a_mark_and_is_drawn():
    series = {f"line {number}": [number, number] for number in range(10)}
    drawn = rows(curve(series, width=5, height=10))
    assert all(row.strip() for row in drawn)


def test_a_long_legend_has_a_line_of_its_own():
    short, long = ({name: [1, 2] for name in names} for names in (["a", "b"], ["a" * 40, "b" * 40]))
    assert curve(short, x_name="step").splitlines()[-1].split()[-5:] == ["step", "●", "a", "○", "b"]
    assert curve(long, x_name="step").splitlines()[-2].endswith("step")
    assert curve(long, x_name="step").splitlines()[-1].lstrip().startswith("● a")


@pytest.mark.parametrize("series", [{}, {"loss": []}, {"loss": [math.nan]}])
def test_nothing_to_draw_is_said(series):
    assert curve(series) == "(nothing to draw)"


def test_one_point_and_a_flat_line_are_drawn():
    assert "●" in curve({"loss": [2.0]})
    assert curve({"loss": [2.0, 2.0]}, width=5, height=3).count("●") == 3  # two, and the legend's


def test_a_sparkline_is_as_wide_as_asked_and_leaves_gaps():
    assert len(sparkline(range(1000), width=20)) == 20
    assert sparkline([1, math.nan, 2]) == "▁ █"
    assert sparkline([math.nan]) == ""

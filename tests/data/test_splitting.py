"""Which way a table is split: as asked, or by time where its rows are in order of one."""

from datetime import date, timedelta

import numpy as np
import pytest

from chainrule.data import Table, prepare
from chainrule.data.splitting import plan_split, times_of
from chainrule.errors import DataError, SettingError


def readings(rows=100, **more):
    rng = np.random.default_rng(0)
    days = [f"2020-{1 + place // 28:02d}-{1 + place % 28:02d}" for place in range(rows)]
    heat = rng.normal(20, 5, rows)
    return Table.of({"day": days, "heat": heat, "use": heat * 3 + rng.random(rows), **more})


def part_lines(prepared):
    return [part.lines.tolist() for part in (prepared.train, prepared.validation, prepared.test)]


def test_rows_in_the_order_of_a_date_are_split_by_it():
    prepared = prepare(readings(), "use")
    assert part_lines(prepared) == [[*range(1, 71)], [*range(71, 86)], [*range(86, 101)]]
    assert "the latest judge, by day" in prepared.report.about("split")[0].text
    mixed = prepare(readings(), "use", split="random")
    assert part_lines(mixed) != part_lines(prepared)


def test_rows_in_no_order_are_mixed_unless_time_is_asked_for():
    order = np.random.default_rng(1).permutation(100)
    table = readings().take(order)
    assert plan_split(table).way == "random"
    prepared = prepare(table, "use", split="time")
    assert sorted(prepared.test.lines.tolist()) == list(range(86, 101))


def test_a_clock_of_several_columns():
    table = Table.of({"Year": [2001, 2001, 2002, 2002], "month": [1, 12, 1, 2], "x": [1, 5, 2, 3]})
    plan = plan_split(table)
    assert (plan.way, plan.columns) == ("time", ["Year", "month"])
    assert times_of(table, plan_split(table, time=["month", "Year"])).tolist() == [0, 3, 1, 2]
    assert plan_split(table, time=["x"]).columns == ["x"]


@pytest.mark.parametrize("form", ["%Y%d%m", "%m%d%Y"])
def test_dates_written_as_was_asked_for_are_the_time(form):
    days = [date(2019, 10, 1) + timedelta(days=3 * place) for place in range(100)]
    order = np.random.default_rng(2).permutation(100)
    columns = {"day": [days[place].strftime(form) for place in order], "heat": order / 7}
    table = Table.of({**columns, "use": order * 37 % 101})
    for asked in ({"time": ["day"]}, {"split": "time"}):
        prepared = prepare(table, "use", types={"1": f"date:{form}"}, **asked)
        test = sorted(order[prepared.test.lines - 1].tolist())
        assert test == list(range(85, 100))


def test_a_column_said_to_be_no_date_is_no_time():
    assert plan_split(readings(), types={"day": "category"}).way == "random"


def test_without_a_time_column_the_order_of_the_file_counts():
    table = readings().without(["day"])
    prepared = prepare(table, "use", split="time")
    assert min(prepared.test.lines) > max(prepared.validation.lines) > max(prepared.train.lines)


def test_rows_without_a_time_are_left_out_and_named():
    heat = readings().column("heat").cells.tolist()
    day = [
        None if place in (4, 9) else cell
        for place, cell in enumerate(readings().column("day").cells)
    ]
    table = Table.of({"day": day, "heat": heat, "use": readings().column("use").cells})
    prepared = prepare(table, "use", time=["day"])
    note = next(note for note in prepared.report.about("split") if note.lines)
    assert note.lines == [5, 10]
    assert sum(map(len, part_lines(prepared))) == 98


def test_groups_stay_together_and_are_no_input():
    house = [f"house {place % 12}" for place in range(100)]
    prepared = prepare(readings(house=house), "use", group="house")
    held = [{house[line - 1] for line in lines} for lines in part_lines(prepared)]
    assert sum(map(len, held)) == 12
    assert prepared.preparation.left_out["house"] == "it says which rows belong together"


def test_a_column_brings_the_split():
    part = ["TRAIN"] * 60 + ["dev"] * 25 + ["test"] * 15
    prepared = prepare(readings(part=part), "use", split_column="part")
    assert [len(lines) for lines in part_lines(prepared)] == [60, 25, 15]
    assert prepared.preparation.left_out["part"] == "it says the part of a row"
    some = ["train"] * 80 + ["test"] * 20
    prepared = prepare(readings(part=some), "use", split_column="part")
    assert [len(lines) for lines in part_lines(prepared)] == [68, 12, 20]
    with pytest.raises(DataError, match="does not say the part") as caught:
        prepare(readings(part=["train"] * 99 + ["judge"]), "use", split_column="part")
    assert "'judge' (line 100)" in caught.value.got


@pytest.mark.parametrize(
    "asked",
    [
        {"split": "random", "group": "day"},
        {"group": "day", "time": ["day"]},
        {"split": "group"},
        {"split": "column"},
    ],
)
def test_what_contradicts_itself(asked):
    with pytest.raises(SettingError):
        prepare(readings(), "use", **asked)


def test_no_times_in_a_column():
    with pytest.raises(DataError, match="holds no times"):
        prepare(readings(name=["x y"] * 50 + ["z"] * 50), "use", time=["name"])

"""Rows that are nearly the same: found, kept in one part of a split, or reported."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.data import Table, prepare
from chainrule.data.near_duplicates import joined_groups, near_duplicates


def people(rows=30):
    return {
        "id": range(rows),
        "name": [f"person {place}" for place in range(rows)],
        "size": [place / 8 for place in range(rows)],
        "town": ["Oslo", "Rome", "Bath"] * (rows // 3),
    }


def test_rows_that_differ_only_in_their_id_case_or_spaces():
    columns = {name: list(values) for name, values in people().items()}
    for name, value in [("name", " PERSON  3"), ("size", 3 / 8), ("town", "oslo")]:
        columns[name][9] = value
    earliest, notes = near_duplicates(Table.of(columns), ["id"])
    assert earliest.tolist() == [3 if place == 9 else place for place in range(30)]
    assert notes[0].lines == [10]
    assert notes[0].text == "1 row equals an earlier row in all but id; kept"


def test_rows_alike_in_a_few_columns_or_too_often_are_different_things():
    table = Table.of({**people(), "name": ["x"] * 30, "size": [1] * 30})
    assert near_duplicates(table, ["id"])[1] == []
    few = Table.of(people()).select(["id", "town", "size"]).take(np.array([0, 1, 1]))
    assert near_duplicates(few, ["id"])[1] == []


def twins(rows=80):
    """Rows of which each in the first half comes again in the second, with another price."""
    half = rows // 2
    twice = {"size": [place / 8 for place in range(half)], "town": ["Oslo", "Rome"] * (half // 2)}
    table = {name: values * 2 for name, values in twice.items()}
    table["note"] = [f"a house of kind {place}" for place in range(half)] * 2
    table["street"] = [f"street {place % 20}" for place in range(rows)]
    table["year"] = [1900 + place for place in range(rows)]
    return table | {"price": [float(place * 37 % 101) for place in range(rows)]}


def part_of(prepared):
    parts = (prepared.train, prepared.validation, prepared.test)
    return {line: n for n, part in enumerate(parts) for line in part.lines.tolist()}


def said(prepared):
    return [note for note in prepared.report.notes if note.about == "duplicates"]


@pytest.mark.parametrize("way", [{"split": "random"}, {"group": "street"}])
def test_twins_are_in_one_part(way):
    prepared = prepare(
        Table.of(twins()), "price", drop=["year", "street"][: 2 - len(way) // 2], **way
    )
    parts = part_of(prepared)
    assert all(parts[line] == parts[line + 40] for line in range(1, 41))
    assert [(note.count, note.lines) for note in said(prepared)] == [(40, list(range(41, 81)))]


def test_twins_on_both_sides_of_a_date_are_reported():
    columns = twins()
    prepared = prepare(Table.of(columns), "price", time=["year"], drop=["street", "year"])
    parts, (_, apart) = part_of(prepared), said(prepared)
    assert apart.lines == [line for line in range(41, 81) if parts[line] != parts[line - 40]]
    assert "in another part of the split" in str(apart)
    assert apart.finding


def test_a_column_that_brings_the_split_is_followed_and_the_rest_kept_together():
    columns = twins() | {"part": ["train"] * 76 + ["test"] * 4}
    prepared = prepare(Table.of(columns), "price", split_column="part", drop=["street", "year"])
    parts, (_, apart) = part_of(prepared), said(prepared)
    assert apart.lines == [77, 78, 79, 80]
    assert all(parts[line] == parts[line + 40] for line in range(1, 37))


def test_given_rows_that_nearly_are_training_rows_are_named():
    columns = twins()
    table = Table.of({name: values[:40] for name, values in columns.items()})
    test = Table.of({name: [*values[40:43], *values[:2]] for name, values in columns.items()})
    prepared = prepare(table, "price", test=test, drop=["street", "year"], split="random")
    assert [note.lines for note in said(prepared)] == [[4, 5], [1, 2, 3]]
    assert "also among the training rows" in str(said(prepared)[0])
    assert "equal training rows in all but street, year, price" in str(said(prepared)[1])


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 9)), min_size=1, max_size=30))
def test_joined_groups_are_the_coarsest_that_both_ask_for(rows):
    groups = np.array([group for group, _ in rows])
    same = np.array([key for _, key in rows])
    earliest = np.array([int(np.argmax(same == key)) for key in same])
    joined = joined_groups(groups, earliest)
    for other in (groups, *([same] if (joined != groups).any() else [])):
        assert all(len(set(joined[other == value])) == 1 for value in set(other))

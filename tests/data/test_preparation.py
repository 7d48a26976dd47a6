"""The preparation: learned from training rows, applied to any, saved to the last bit."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.data import Inputs, Preparation, ScaledTarget, Table
from chainrule.errors import ArtefactError, DataError

NAMES = [f"city {place}" for place in range(25)]


def training(rows=250, source="train.csv", **more):
    rng = np.random.default_rng(0)
    return Table.of(
        {
            "size": rng.gamma(2.0, size=rows),
            "rooms": [None if place % 9 == 0 else place % 17 for place in range(rows)],
            "colour": [["red", "green", "blue"][place % 3] for place in range(rows)],
            "city": [NAMES[place % 25] for place in range(rows)],
            "price": rng.normal(100, 20, rows),
            **more,
        },
        source,
    )


TRAIN = training()
PREPARATION = Preparation.fit(TRAIN, [ScaledTarget.fit(TRAIN, "price")])


def test_the_shapes_and_names_of_inputs():
    inputs, met = PREPARATION.apply(TRAIN)
    assert inputs.numbers.shape == (250, len(PREPARATION.features))
    assert inputs.numbers.dtype == np.float32
    assert inputs.codes.shape == (250, 1)
    assert inputs.codes.dtype == np.int64
    assert len(inputs) == 250
    assert PREPARATION.features[-3:] == ["colour = blue", "colour = green", "colour = red"]
    assert [record.name for record in PREPARATION.embedded] == ["city"]
    assert met.text() == "rooms: 28 missing values"


def test_bins_are_as_many_as_asked_for():
    def widths(bins):
        made = Preparation.fit(TRAIN, PREPARATION.targets, bins=bins, drop=["rooms"])
        return len([name for name in made.features if name.startswith("size")])

    assert [widths(0), widths(8), widths(None)] == [1, 9, 6]


def test_json_there_and_back_gives_the_same_inputs_bit_for_bit():
    again = Preparation.from_json(PREPARATION.to_json())
    assert again == PREPARATION
    assert again.to_json() == PREPARATION.to_json()
    first, second = PREPARATION.apply(TRAIN)[0], again.apply(TRAIN)[0]
    assert first.numbers.tobytes() == second.numbers.tobytes()
    assert first.codes.tobytes() == second.codes.tobytes()


def test_a_preparation_of_the_first_format_is_read():
    saved = json.loads(PREPARATION.to_json())
    saved["format"] = "chainrule preparation 1"
    for record in saved["inputs"]:
        if record["kind"] == "numeric":
            assert record.pop("curve") is None
    again = Preparation.from_json(json.dumps(saved))
    assert again.inputs == PREPARATION.inputs
    assert (again.apply(TRAIN)[0].numbers == PREPARATION.apply(TRAIN)[0].numbers).all()


@given(st.lists(st.floats(-1e149, 1e149), min_size=2, max_size=20, unique=True))
def test_floats_survive_json_to_the_last_bit(values):
    table = Table.of({"x": values, "y": values})
    fitted = Preparation.fit(table, [ScaledTarget.fit(table, "y")])
    assert Preparation.from_json(fitted.to_json()) == fitted


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"format": "chainrule preparation 9"}'])
def test_json_that_is_no_preparation(text):
    with pytest.raises(ArtefactError, match="no preparation"):
        Preparation.from_json(text)


@given(st.permutations(["size", "rooms", "colour", "city"]), st.booleans())
def test_the_order_of_columns_does_not_matter(order, more):
    columns = {name: TRAIN.columns[name] for name in order}
    shuffled = Table({**columns, **({"note": TRAIN.columns["city"]} if more else {})}, TRAIN.lines)
    inputs, met = PREPARATION.apply(shuffled)
    expected = PREPARATION.apply(TRAIN)[0]
    assert inputs.numbers.tobytes() == expected.numbers.tobytes()
    assert inputs.codes.tobytes() == expected.codes.tobytes()
    assert met.extra == (["note"] if more else [])


@given(st.lists(st.integers(0, 249), min_size=1, max_size=20))
def test_rows_do_not_influence_each_other(rows):
    whole = PREPARATION.apply(TRAIN)[0]
    some = PREPARATION.apply(TRAIN.take(np.array(rows)))[0]
    assert (some.numbers == whole.numbers[rows]).all()
    assert (some.codes == whole.codes[rows]).all()


def test_what_new_rows_held_is_said():
    new = Table.of(
        {
            "colour": ["red", "pink", "pink"],
            "city": [None, "Atlantis", "city 3"],
            "rooms": [1, "many", "?"],
            "size": [1, 2, 3],
            "owner": [1, 2, 3],
        }
    )
    _, met = PREPARATION.apply(new)
    assert met.text().splitlines() == [
        "rooms: 1 missing value",
        "rooms: 'many' taken as missing (line 2)",
        "colour: 'pink' not seen in training (lines 2, 3)",
        "city: 1 missing value",
        "city: 'Atlantis' not seen in training (line 2)",
        "ignored, as training had no such column: owner",
    ]
    assert '"unseen":{"pink":2}' in met.to_json()


def test_a_column_that_is_not_there():
    with pytest.raises(DataError, match=r"new\.csv lacks 1 column") as caught:
        PREPARATION.apply(training(source="new.csv").renamed(["sise", *TRAIN.names[1:]]))
    assert caught.value.expected == "size"
    assert caught.value.hint == "is 'sise' the column 'size'?"


def test_infinite_numbers_are_taken_as_missing():
    table = Table.of({**{name: ["1"] for name in TRAIN.names}, "size": ["inf"]})
    inputs, met = PREPARATION.apply(table)
    assert np.isfinite(inputs.numbers).all()
    assert "size: 'inf' taken as missing (line 1)" in met.text()


@pytest.mark.parametrize("target", [True, False])
def test_rows_without_a_header_are_taken_by_place(target):
    names = TRAIN.names if target else TRAIN.without(["price"]).names
    columns = {f"column{place}": TRAIN.columns[name] for place, name in enumerate(names, 1)}
    inputs, met = PREPARATION.apply(Table(columns, TRAIN.lines, named=False))
    assert inputs.numbers.tobytes() == PREPARATION.apply(TRAIN)[0].numbers.tobytes()
    assert met.by_position


def test_rows_without_a_header_must_have_as_many_columns():
    table = Table({"column1": TRAIN.columns["size"]}, TRAIN.lines, named=False)
    with pytest.raises(DataError, match="not as many columns") as caught:
        PREPARATION.apply(table)
    assert caught.value.expected == "5 columns, or 4 without the target"


def test_the_way_back():
    inputs, _ = PREPARATION.apply(TRAIN)
    back = PREPARATION.inverse(Inputs(inputs.numbers, inputs.codes))
    assert list(back) == ["size", "rooms", "colour", "city"]
    assert back["colour"].tolist() == TRAIN.column("colour").cells.tolist()
    assert back["city"].tolist() == TRAIN.column("city").cells.tolist()
    near = np.abs(PREPARATION.apply(TRAIN)[0].numbers[:, 0]) < 5
    np.testing.assert_allclose(back["size"][near], TRAIN.column("size").numbers[near], rtol=1e-4)


def test_columns_that_are_no_input_are_named_with_the_reason():
    table = training(id=range(250), same="x" * 250, nothing=[None] * 250)
    fitted = Preparation.fit(table, [ScaledTarget.fit(table, "price")], drop=["size"])
    assert fitted.left_out == {
        "size": "asked for",
        "id": "it numbers the rows",
        "same": "every cell has the same value",
        "nothing": "every cell is missing",
    }
    inputs, _ = fitted.apply(table.without(["size", "id", "same", "nothing", "price"]))
    assert len(inputs) == 250


def test_nothing_left_to_learn_from():
    table = Table.of({"x": ["a"] * 30, "z": [None] * 30, "y": range(30)}, "t.csv")
    with pytest.raises(DataError, match=r"t\.csv has no column to learn from") as caught:
        Preparation.fit(table, [ScaledTarget.fit(table, "y")])
    assert caught.value.got == "x: every cell has the same value; z: every cell is missing"

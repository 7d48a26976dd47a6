"""Model: predictions for any rows, saved and loaded, replaced whole or not at all."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.data import prepare, read_table
from chainrule.errors import ArtefactError, DataError
from chainrule.model import Card, Model, load, record_forward, save
from chainrule.spec import F32, I64, Spec
from chainrule.train.defaults import choose
from chainrule.train.heads import output_for
from chainrule.train.network import network_for
from chainrule.train.settings import Settings

PORTS = [f"port {i}" for i in range(40)]


def rows(count: int) -> dict[str, list[Any]]:
    """Ships with a category of many values, which is embedded, and numbers with gaps."""
    return {
        "port": [PORTS[i * 7 % 40] for i in range(count)],
        "load": [None if i % 9 == 4 else i % 13 for i in range(count)],
        "crew": [i % 7 + i / 10 for i in range(count)],
    }


def untrained(target: list[Any], task: str) -> Model:
    """A model with initial weights."""
    table = read_table({**rows(len(target)), "y": target})
    prepared = prepare(table, "y", task=task)
    cr.manual_seed(1)
    network = network_for(
        prepared.preparation, choose(Settings(), prepared.preparation, len(prepared.train))
    ).eval()
    part, targets = prepared.train, prepared.preparation.targets
    specs = [Spec((1, part.numbers.shape[1]), F32), Spec((1, part.codes.shape[1]), I64)]
    program = record_forward(lambda *x: output_for(targets, network(*x)), specs)
    outputs = 3 if task == "classification" else 1
    return Model(prepared.preparation, program, Card(trivial=[1 / outputs] * outputs))


@pytest.fixture(scope="module")
def classes() -> Model:
    return untrained([["cod", "eel", "ray"][i % 3] for i in range(600)], "classification")


@pytest.fixture(scope="module")
def numbers() -> Model:
    return untrained([i * 31 % 17 + i / 7 for i in range(600)], "regression")


def test_a_model_travels_to_another_process(classes: Model) -> None:
    classes.predict(rows(3))  # sizes and machine code stay behind
    there = pickle.loads(pickle.dumps(classes))
    np.testing.assert_array_equal(
        there.predict(rows(50)).probabilities, classes.predict(rows(50)).probabilities
    )


def test_row_by_row_is_as_all_at_once(classes: Model, numbers: Model) -> None:
    assert classes.preparation.embedded
    for model in (classes, numbers):
        table = read_table(rows(60))
        whole = model.predict(table)
        single = [model.predict(table.take(np.array([i]))) for i in range(60)]
        if whole.probabilities is None:
            values = np.concatenate([one.values for one in single])
            np.testing.assert_allclose(values, whole.values, rtol=1e-5)
        else:
            chances = [one.probabilities[0] for one in single if one.probabilities is not None]
            np.testing.assert_allclose(chances, whole.probabilities, rtol=1e-4, atol=1e-6)
            assert [one.values[0] for one in single] == whole.values.tolist()


@pytest.mark.parametrize("count", [1, 5, 64, 1500])
def test_machine_code_gives_the_same(classes: Model, numbers: Model, count: int) -> None:
    for model in (replace(classes), replace(numbers)):
        inputs, _ = model.preparation.apply(read_table(rows(count)))
        interpreted = model.outputs(inputs.numbers, inputs.codes)
        model.compile()
        native = model.outputs(inputs.numbers, inputs.codes)
        np.testing.assert_allclose(native, interpreted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("count", [1, 2, 4096, 5000])
def test_any_number_of_rows(classes: Model, count: int) -> None:
    found = classes.predict(rows(count))
    assert found.probabilities is not None
    assert found.probabilities.shape == (count, 3)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, rtol=1e-5)
    few = classes.predict({name: column[-1:] for name, column in rows(count).items()})
    assert few.probabilities is not None
    np.testing.assert_allclose(found.probabilities[-1:], few.probabilities, rtol=1e-4, atol=1e-6)


def test_no_rows(classes: Model, numbers: Model) -> None:
    for model, width in ((classes, 3), (numbers, 1)):
        features = len(model.preparation.features)
        codes = np.empty((0, model.preparation.slots), np.int64)
        assert model.outputs(np.empty((0, features), np.float32), codes).shape == (0, width)


def test_predicting_changes_no_weight(classes: Model) -> None:
    before = {name: array.tobytes() for name, array in classes.weights().items()}
    for count in range(1, 20):  # more sizes than programs are kept for
        classes.predict(rows(count))
    assert {name: array.tobytes() for name, array in classes.weights().items()} == before


def test_columns_in_any_order_and_what_was_met(classes: Model) -> None:
    table = rows(20)
    turned = dict(reversed(table.items()))
    assert classes.predict(turned).values.tolist() == classes.predict(table).values.tolist()
    strange = classes.predict({**rows(1), "port": ["Atlantis"], "flag": ["red"]})
    assert "'Atlantis' not seen in training" in strange.met.text()
    assert "flag" in strange.met.text()
    with pytest.raises(DataError, match="lacks 1 column"):
        classes.predict({"port": ["Atlantis"], "load": [1]})


def test_numbers_come_back_in_their_units(numbers: Model) -> None:
    found = numbers.predict(rows(300))
    target = numbers.preparation.target
    assert target.kind == "scaled"
    assert found.probabilities is None
    assert abs(found.values.mean() - target.mean) < 2 * target.std


# -- saved and loaded


def test_there_and_back_to_the_bit(classes: Model, numbers: Model, tmp_path: Path) -> None:
    for model in (classes, numbers):
        again = load(save(model, tmp_path / model.task))
        assert again.preparation == model.preparation
        assert again.card == model.card
        first, second = model.predict(rows(50)), again.predict(rows(50))
        assert first.values.tolist() == second.values.tolist()
        for name, array in model.weights().items():
            assert array.tobytes() == again.weights()[name].tobytes()


def test_loading_needs_nothing_of_the_training(classes: Model, tmp_path: Path) -> None:
    save(classes, tmp_path / "model")
    code = (
        "import sys; from chainrule.model import load; "
        f"print(load({str(tmp_path / 'model')!r}).predict({rows(1)!r}).values[0]); "
        "print([name for name in sys.modules if name.startswith('chainrule.train')])"
    )
    done = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert done.splitlines() == [classes.predict(rows(1)).values[0], "[]"]


def test_a_model_is_replaced_and_anything_else_is_not(
    classes: Model, numbers: Model, tmp_path: Path
) -> None:
    save(classes, tmp_path / "model")
    save(numbers, tmp_path / "model")
    assert load(tmp_path / "model").task == "regression"
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").write_text("dear diary")
    with pytest.raises(ArtefactError, match="exists and is not a model"):
        save(classes, tmp_path / "notes")
    assert {path.name for path in tmp_path.iterdir()} == {"model", "notes"}


def test_a_save_that_fails_leaves_the_old_model(
    classes: Model, numbers: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(classes, tmp_path / "model")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("chainrule.model.files.Path.rename", full)
    with pytest.raises(DataError, match="cannot be written: No space left on device"):
        save(numbers, tmp_path / "model")
    monkeypatch.undo()
    assert load(tmp_path / "model").task == "classification"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_the_card_may_be_edited_and_nothing_else(classes: Model, tmp_path: Path) -> None:
    save(classes, tmp_path / "model")
    path = tmp_path / "model" / "model.json"
    manifest = json.loads(path.read_text())
    manifest["card"]["data"] = "the fish market"
    path.write_text(json.dumps(manifest))
    assert load(tmp_path / "model").card.data == "the fish market"
    manifest["preparation"]["targets"][0]["classes"].reverse()
    path.write_text(json.dumps(manifest))
    with pytest.raises(ArtefactError, match=r"model\.json is damaged"):
        load(tmp_path / "model")


def test_the_card_for_people(numbers: Model, tmp_path: Path) -> None:
    card = Card(
        trivial=[0.0],
        data="ships.csv",
        date="2026-01-02",
        rows={"test": 1234},
        scores={"rmse": 0.123456789, "r2": None},
        baseline={"rmse": 2.0},
    )
    save(Model(numbers.preparation, numbers.program, card), tmp_path / "model")
    text = (tmp_path / "model" / "README.md").read_text()
    assert text.startswith("# A model of `y`\n\nIt predicts a number.\n")
    assert "on ships.csv, 2026-01-02." in text
    assert "| on 1,234 test rows | this model | baseline |" in text
    assert "| rmse | 0.123457 | 2 |" in text
    assert "| r2 | not defined |  |" in text
    assert "- `port`: 40 categories" in text

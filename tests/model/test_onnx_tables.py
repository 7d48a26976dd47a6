"""Real tables as graphs of ONNX: from their cells as they are, with odd ones, to the answers."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import onnxruntime as runtime

import chainrule as cr
from chainrule.data import Table, prepare, read_table
from chainrule.model import Card, Model
from chainrule.model.onnx_export import export_onnx, onnx_inputs
from chainrule.train import Settings
from chainrule.train.defaults import choose
from chainrule.train.learning import frozen
from chainrule.train.network import network_for

SHARED = Path(__file__).parents[3] / "shared" / "data"
ROWS = 700  # of each table: its columns are of the same kinds then, but not its quantiles

# What is predicted, and the columns that come prepared: ONNX cannot split texts or read dates.
TABLES: dict[str, tuple[str, set[str]]] = {
    "adult/adult-train.csv": ("-1", set()),
    "wine_quality/winequality-red.csv": ("-1", set()),
    "california_housing/california_housing.csv": ("MedHouseVal", set()),
    "california_housing/housing_raw.csv": ("median_house_value", set()),
    "titanic.csv": ("Survived", {"Name"}),
    "horse-colic.csv": ("-1", set()),
    "german_credit.csv": ("-1", set()),
    "abalone.csv": ("-1", set()),
    "pollution.csv": ("pm2.5", set()),
    "airline-passengers.csv": ("Passengers", {"Month"}),
    "sms_spam.tsv": ("Label", {"SMS"}),
}


@pytest.mark.parametrize("name", TABLES)
def test_the_graph_gives_what_the_model_gives(name: str, tmp_path: Path) -> None:
    source, (target, prepared) = SHARED / name, TABLES[name]
    if not source.is_file():
        pytest.skip(f"there is no {source}")
    short = tmp_path / source.name
    with source.open(encoding="utf-8") as lines:
        short.write_text("".join(islice(lines, ROWS)), "utf-8")
    model, table = untrained(short, target)
    given = export_onnx(model, tmp_path / "model.onnx")
    assert {one.name for one in given if one.takes.startswith("prepared")} == prepared
    session = runtime.InferenceSession(tmp_path / "model.onnx")
    for rows in (table, odd(table)):
        same(session, model, rows, onnx_inputs(model, rows))


def untrained(data: Path, target: str) -> tuple[Model, Table]:
    """A model with initial weights, and the rows it would have learned from."""
    table = read_table(data)
    made = prepare(table, target)
    cr.manual_seed(0)
    network = network_for(made.preparation, choose(Settings(), made.preparation, len(made.train)))
    return frozen(network.eval(), made.preparation, Card(trivial=list(made.trivial[0]))), table


def odd(table: Table) -> Table:
    """The same rows with cells that are missing, endless, huge, or that nobody has seen."""
    cells = ["", "inf", "-1e200", "Atlantis", "?"]
    return Table.of(
        {
            name: [
                cells[(row // 7 + place) % 5] if (row + place) % 7 == 0 else cell
                for row, cell in enumerate(column.cells.tolist())
            ]
            for place, (name, column) in enumerate(table.columns.items())
        }
    )


def same(session: Any, model: Model, rows: Table, fed: dict[str, Any]) -> None:
    """Numbers to 1e-5 of their deviation, probabilities to 1e-5, classes where they are decided."""
    names = [one.name for one in session.get_outputs()]
    found = dict(zip(names, session.run(None, fed), strict=True))
    predicted = model.predict(rows)
    for target in model.preparation.targets:
        expected = predicted[target.name]
        if expected.probabilities is None:
            scale = 1e-5 * float(getattr(target, "std"))  # noqa: B009 - a number has one
            np.testing.assert_allclose(found[target.name], expected.values, rtol=1e-5, atol=scale)
            continue
        sure = expected.probabilities
        np.testing.assert_allclose(found[f"probabilities of {target.name}"], sure, atol=1e-5)
        decided = np.ptp(np.sort(sure, axis=1)[:, -2:], axis=1) > 2e-5
        assert found[target.name][decided].tolist() == expected.values[decided].tolist()


def test_numbers_that_are_endless_or_huge_are_missing_in_the_graph_too(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "load,tail,fish\n"
        + "".join(f"{i * 1.5},{i**4 + 0.1},{['ray', 'sole'][i % 3 > 0]}\n" for i in range(60))
    )
    model, _ = untrained(tmp_path / "t.csv", "fish")
    export_onnx(model, tmp_path / "model.onnx")
    session = runtime.InferenceSession(tmp_path / "model.onnx")
    raw = np.array([[np.inf], [-np.inf], [1e200], [np.nan], [2.0]])
    found = session.run(["probabilities of fish"], {"load": raw, "tail": raw})[0]
    cells = [None] * 4 + [2.0]
    expected = model.predict({"load": cells, "tail": cells}).probabilities
    np.testing.assert_allclose(found, expected, atol=1e-5)

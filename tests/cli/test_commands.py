"""The commands as their user types them: what they print, where, and what they leave behind."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.cli.conftest import Call, inside

from chainrule.cli.main import COMMANDS
from chainrule.data import read_table
from chainrule.model import load

ROWS = "Colour,crew,port,load\nred,2,Oslo,3\nblue,,Genua,heavy\n"


def test_help_names_every_command_and_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['chainrule', '--help']\n"
        "from chainrule.cli.main import main\n"
        "try: main()\n"
        "finally: print(sorted({'pydantic', 'duckdb', 'rich', 'llvmlite'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "[]"
    for name, about in COMMANDS.items():
        assert f"  {name} " in done.stdout
        assert about in done.stdout


@pytest.mark.parametrize("command", [*COMMANDS, "runs list", "runs show"])
def test_help_of_each_command(call: Call, command: str) -> None:
    said = call(*command.split(), "--help")
    assert said.code == 0
    assert said.err == ""
    assert said.out.startswith(f"Usage: chainrule {command}")
    assert max(map(len, said.out.splitlines())) <= 80


def test_train_prints_results_and_advises(call: Call, folder: Path) -> None:
    said = call("train", "courier", "--epochs", "2", "--output", "run")
    assert said.code == 0
    assert "Network 3 → 64 → 64 → 1: 4,481 parameters, adamw, batches of 32, seed 0" in said.out
    assert "2 epochs, 10 updates" in said.out
    assert "On 30 test rows that it never saw:" in said.out
    assert "always the mean" in said.out
    assert said.out.endswith("The run is in run\n")
    assert said.err == "Next: chainrule predict run NEW.csv -o predictions.csv\n"
    written = {"settings.toml", "events.jsonl", "data.json", "rows.json", "run.json", "model"}
    shown = ["loss", "steps", "rate", "graph", "predicted", "residuals", "errors"]
    written |= {f"pictures/{name}.{kind}" for name in shown for kind in ("svg", "csv")}
    written |= {"report.html", "pictures", "findings.json"}
    model = {"model.json", "model.safetensors", "README.md"}
    states = {f"checkpoints/epoch-00000{epoch}.safetensors" for epoch in range(3)}
    record = {
        "losses.f64",
        "checkpoints",
        "checkpoints/fingerprint",
        "checkpoints/rows.safetensors",
        *states,
    }
    assert inside(folder / "run") == written | record | {f"model/{name}" for name in model}


@pytest.mark.parametrize("quiet", ["-q", "--quiet"])
def test_quiet(call: Call, courier: Path, quiet: str) -> None:
    for arguments in (
        ["train", "courier", "--epochs", "1"],
        ["predict", courier, "courier"],
        ["evaluate", courier, "courier"],
    ):
        said = call(*arguments, quiet)
        assert said.code == 0
        assert said.err == ""
        assert said.out


def test_train_as_json(call: Call) -> None:
    said = call("train", "courier", "--epochs", "2", "--output", "run", "--json", "-q")
    found = json.loads(said.out)
    assert found["run"] == "run"
    assert found["state"] == "done"
    assert found["rows"] == {"train": 140, "validation": 30, "test": 30}
    assert found["scores"].keys() == found["baseline"].keys() == {"rmse", "mae", "r2"}


def test_runs_have_folders_of_their_own(call: Call, folder: Path) -> None:
    for _ in range(2):
        assert call("train", "courier", "--epochs", "1", "-q").code == 0
    names = [path.name for path in (folder / "runs").iterdir()]
    assert len(names) == 2
    assert all(name.startswith("courier-2") for name in names)


def test_the_settings_of_a_run_give_the_same_weights(call: Call, folder: Path) -> None:
    text = "port,load,crew,late\n" + "".join(
        f"p{i % 90},{i % 11},{i % 5},{'yn'[i * i % 3 == 0]}\n" for i in range(540)
    )
    (folder / "ships.csv").write_text(text)
    call(
        *["train", "ships.csv", "--target", "-1", "--type", "crew=category", "--drop", "load"],
        *["--layers", "8", "--epochs", "3", "--seed", "5", "--output", "one", "-q"],
    )
    (folder / "elsewhere").mkdir()
    said = call("train", "--config", "one/settings.toml", "--output", "elsewhere/two", "-q")
    assert said.code == 0
    assert load("one").preparation.embedded  # a learned table is among the weights
    weights = [
        Path(run, "model", "model.safetensors").read_bytes() for run in ("one", "elsewhere/two")
    ]
    assert weights[0] == weights[1]
    settings = [Path(run, "settings.toml").read_text() for run in ("one", "elsewhere/two")]
    assert settings[0] == settings[1]


def test_no_hidden_layer_is_no_hidden_layer_again(call: Call) -> None:
    call("train", "courier", "--layers", "", "--epochs", "1", "--output", "one", "-q")
    said = call("train", "--config", "one/settings.toml", "--output", "two", "-q")
    assert "Network 3 → 1: 4 parameters" in said.out


def test_settings_come_from_all_over(
    call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "c.toml").write_text('data = "courier"\nepochs = 9\nbatch-size = 10\nseed = 9\n')
    monkeypatch.setenv("CHAINRULE_EPOCHS", "2")
    monkeypatch.setenv("CHAINRULE_SEED", "8")
    said = call("train", "--config", "c.toml", "--seed", "7", "-q")
    assert "2 epochs, 28 updates" in said.out
    assert "batches of 10, seed 7" in said.out


# -- predict


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_predict_rows_as_they_come(call: Call, folder: Path, ships: Path) -> None:
    """No target, another order, a new category, a missing value, bad text, an extra column."""
    (folder / "rows.csv").write_text(ROWS)
    said = call("predict", ships, "rows.csv")
    assert said.code == 0
    first, second = rows_of(said.out)
    assert list(first) == [
        *["Colour", "crew", "port", "load"],
        *["predicted late", "probability of n", "probability of y"],
    ]
    assert first["Colour"] == "red"
    assert second["crew"] == ""
    for row in (first, second):
        chances = float(row["probability of n"]), float(row["probability of y"])
        assert sum(chances) == pytest.approx(1, abs=2e-6)
        assert row["predicted late"] == "ny"[int(np.argmax(chances))]
    assert said.err.splitlines() == [
        "port: 'Oslo' not seen in training (line 2)",
        "load: 'heavy' taken as missing (line 3)",
        "crew: 1 missing value",
        "ignored, as training had no such column: Colour",
        "2 predictions",
    ]


def test_the_ending_of_a_file_says_how_predictions_are_written(call: Call, ships: Path) -> None:
    Path("rows.csv").write_text("port,load,crew\nGenua,4,1\n")
    assert call("predict", ships, "rows.csv", "-o", "p.jsonl").code == 0
    assert json.loads(Path("p.jsonl").read_text())["port"] == "Genua"
    for name in ("p.parquet", "p.csv.gz"):
        said = call("predict", ships, "rows.csv", "-o", name)
        assert said.code == 2
        assert "written as CSV or JSON Lines" in said.err
        assert not Path(name).exists()


def test_predict_into_a_file(call: Call, folder: Path, ships: Path) -> None:
    (folder / "rows.csv").write_text(ROWS)
    printed = call("predict", ships, "rows.csv", "-q").out
    before = inside(folder)
    said = call("predict", ships, "rows.csv", "-o", "p.csv")
    assert said.out == ""
    assert said.err.splitlines()[-1] == "2 predictions in p.csv"
    assert (folder / "p.csv").read_text() == printed
    assert inside(folder) == before | {"p.csv"}


def test_predict_as_json_lines(call: Call, folder: Path, ships: Path) -> None:
    (folder / "rows.csv").write_text(ROWS)
    first, second = map(json.loads, call("predict", ships, "rows.csv", "--json").out.splitlines())
    assert (first["crew"], second["crew"]) == (2, None)
    assert (first["load"], second["load"]) == ("3", "heavy")
    assert first["predicted late"] in ("y", "n")
    assert isinstance(first["probability of y"], float)


def test_codes_with_leading_zeros_stay_text(call: Call, folder: Path, courier: Path) -> None:
    (folder / "rows.csv").write_text("kilograms,code\n1,007\n2,010\n")
    lines = call("predict", courier, "rows.csv", "--json").out.splitlines()
    assert [json.loads(line)["code"] for line in lines] == ["007", "010"]


def test_predict_without_header(call: Call, folder: Path, courier: Path) -> None:
    (folder / "rows.csv").write_text("0.5\n1.5\n")
    said = call("predict", courier, "rows.csv")
    assert [row["kilograms"] for row in rows_of(said.out)] == ["0.5", "1.5"]
    assert "no header: columns taken by their place" in said.err


def test_lines_that_are_no_rows_are_told(call: Call, folder: Path, ships: Path) -> None:
    (folder / "rows.csv").write_text("port,load,crew\nGenua,1,2\nBremen,2,3,4,5\nGenua,4,5\n")
    said = call("predict", ships, "rows.csv")
    assert len(rows_of(said.out)) == 2
    assert "1 line left out" in said.err
    assert "line 3" in said.err


def test_a_column_with_the_name_of_the_prediction(call: Call, folder: Path, courier: Path) -> None:
    (folder / "rows.csv").write_text("kilograms,predicted charge\n1,5\n")
    row = rows_of(call("predict", courier, "rows.csv").out)[0]
    assert row["predicted charge"] == "5"
    assert float(row["predicted charge_"]) > 0


def test_predicting_changes_nothing(call: Call, courier: Path) -> None:
    before = {path: path.read_bytes() for path in courier.rglob("*") if path.is_file()}
    call("predict", courier, "courier", "-q")
    call("evaluate", courier, "courier", "-q")
    call("inspect", courier / "model")
    assert {path: path.read_bytes() for path in courier.rglob("*") if path.is_file()} == before


# -- evaluate, inspect, runs, demo


def test_evaluate(call: Call, ships: Path, ships_once: Path) -> None:
    data = ships_once.parent / "ships.csv"
    found = json.loads(call("evaluate", ships, data, "--json").out)
    assert found["rows"] == 90
    values = load(ships).predict(str(data)).values
    right = np.mean(values == np.asarray(read_table(str(data)).column("late").cells))
    assert found["scores"]["accuracy"] == pytest.approx(right)
    assert found["baseline"]["accuracy"] == pytest.approx(0.5)
    assert "always the majority" in call("evaluate", ships, data).out


def test_a_metric_that_is_not_defined(call: Call, folder: Path, courier: Path) -> None:
    (folder / "one.csv").write_text("kilograms,charge\n1,150\n")
    assert json.loads(call("evaluate", courier, "one.csv", "--json").out)["scores"]["r2"] is None
    assert "n/a" in call("evaluate", courier, "one.csv").out


def test_inspect_a_table(call: Call, folder: Path) -> None:
    (folder / "t.csv").write_text(
        "when,what\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(30))
    )
    lines = call("inspect", "t.csv").out.splitlines()
    assert lines[0] == "t.csv: 30 rows, 2 columns"
    assert lines[3].split()[:2] == ["when", "id"]
    assert lines[4].split()[:2] == ["what", "category"]
    found = json.loads(call("inspect", "t.csv", "--json").out)
    assert [column["kind"] for column in found["columns"]] == ["id", "category"]
    assert "classification: 'what'" in call("inspect", "t.csv", "--target", "what").out
    assert inside(folder) == {"t.csv"}


def test_inspect_strict(call: Call, folder: Path) -> None:
    rows = "".join(f"{i % 31 + 0.5},{'ab'[i % 2]}\n" for i in range(40))
    (folder / "t.csv").write_text("size,what\n" + rows + "old,a\n")
    said = call("inspect", "t.csv", "--strict", "--type", "what=category")
    assert said.code == 10
    assert "size: 'old' is no number; taken as missing (line 42)" in said.out
    assert "strict refuses" in said.err
    train = call("train", "t.csv", "--target", "what", "--strict")
    assert (train.code, inside(folder)) == (10, {"t.csv"})
    assert call("inspect", "t.csv", "--strict", "--drop", "size").code == 0
    marked = json.loads(call("inspect", "t.csv", "--missing", "size=old", "--json").out)
    assert marked["columns"][0]["markers"] == {"old": 1}


def test_inspect_a_model(call: Call, ships: Path) -> None:
    text = call("inspect", ships / "model").out
    assert text.startswith("A model of late (classification)\n  classes: n, y\n")
    assert "port: 3 categories, one-hot" in text
    assert "always the majority" in text
    found = json.loads(call("inspect", ships / "model", "--json").out)
    assert found["target"] == "late"
    assert found["card"]["rows"]["train"] == 62


def test_inspect_and_show_a_run(call: Call, courier: Path) -> None:
    text = call("runs", "show", courier).out
    assert call("inspect", courier).out == text
    assert "regression of charge from courier, done" in text
    assert "2 epochs in" in text
    assert "validation loss" in text
    assert '  data = "courier"' in text
    assert re.search(r"kilograms +numeric .* every cell is a number +number, scaled", text)
    found = json.loads(call("runs", "show", courier, "--json").out)
    assert [result["epoch"] for result in found["course"]] == [1, 2]
    assert [(c["name"], c["kind"], c["missing"]) for c in found["columns"]] == [
        ("kilograms", "numeric", 0),
        ("charge", "numeric", 0),
    ]


def test_list_runs(call: Call, courier: Path, ships: Path) -> None:
    empty = call("runs", "list")
    assert empty.code == 0
    assert "There are no runs in runs" in empty.out
    lines = call("runs", "list", ".").out.splitlines()
    assert lines[0].split() == ["run", "target", "score", "baseline", "epochs", "state"]
    assert {line.split()[0] for line in lines[1:]} == {"courier-run", "ships-run"}
    found = json.loads(call("runs", "list", ".", "--json").out)
    assert {run["target"] for run in found} == {"charge", "late"}


def test_demo(call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = call("demo", "--output", "kept")
    assert said.code == 0
    assert "The data: 1,797 real handwritten digits" in said.out
    assert "1,257 rows to learn from, 270 to decide when to stop, 270 to test on" in said.out
    assert "● training loss  ○ validation loss" in said.out
    assert said.out.count(", is ") == 4
    assert json.loads((folder / "kept" / "run.json").read_text())["scores"]["accuracy"] >= 0.965
    assert said.err.splitlines()[-1] == "Next: chainrule train YOUR.csv --target COLUMN"

"""`chainrule explain`: a step in words and as JSON, and what is wrong with a question, in words."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Call


def test_a_step_in_words_and_as_json(call: Call, ships: Path) -> None:
    said = call("explain", ships, "--step", 2)
    assert (said.code, said.err) == (0, "")
    assert "Step 2 of" in said.out
    for word in ("1 Forward", "2 Loss", "3 Backward", "4 Update", "the row: port = "):
        assert word in said.out
    facts = json.loads(call("explain", ships, "--step", 2, "--json").out)
    assert facts["labels"]["step"] == 2
    line = facts["rows"][1]["line"]
    other = call("explain", ships, "--step", 2, "--row", line, "--layer", "layers.0")
    assert f"line {line})" in other.out
    assert "through contract" in other.out


def test_questions_without_an_answer(call: Call, ships: Path, folder: Path) -> None:
    for arguments, code, text in [
        ([ships], 2, "explain what? --step 1 to --step"),
        ([ships, "--step", 99], 2, "the run has no step 99"),
        ([ships, "--step", 1, "--row", 1], 2, "line 1 is not in the batch"),
        ([ships, "--step", 1, "--layer", "deep"], 2, "no layer 'deep'"),
        ([folder / "nowhere", "--step", 1], 5, "not the folder of a run"),
    ]:
        said = call("explain", *arguments)
        assert said.code == code
        assert text in said.err
        assert "Traceback" not in said.err


def test_a_prediction_the_worst_rows_and_the_columns(call: Call, ships: Path, folder: Path) -> None:
    rows = "port,load,crew,late\nGenua,3,1,y\nBremen,7,2,n\nTallinn,1,4,y\n"
    (folder / "new.csv").write_text(rows)
    said = call("explain", ships, "--data", "new.csv", "--row", 3)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("The row of line 3 of new.csv: late ")
    assert "Bremen" in said.out
    assert json.loads(call("explain", ships, "--data", "new.csv", "--row", 3, "--json").out)
    worst = call("explain", ships, "--data", "new.csv", "--worst-rows")
    assert "of 3:" in worst.out
    assert len(json.loads(call("explain", ships, "--worst-rows", "--json").out)) == 10
    assert "loss grows by" in call("explain", ships, "--importance").out
    for arguments, code, text in [
        (["--data", "new.csv"], 2, "which row?"),
        (["--data", "new.csv", "--row", 9], 3, "no row on line 9"),
        (["--data", "none.csv", "--row", 9], 3, "none.csv"),
    ]:
        wrong = call("explain", ships, *arguments)
        assert wrong.code == code
        assert text in wrong.err


def test_pictures_are_listed_drawn_and_written(call: Call, ships: Path, folder: Path) -> None:
    listed = call("explain", ships, "--picture", "list").out
    assert {"loss", "graph"} <= {line.split()[0] for line in listed.splitlines()}
    assert "● learning rate" in call("explain", ships, "--picture", "rate").out
    file = folder / "loss.csv"
    said = call("explain", ships, "--picture", "loss", "-o", file)
    assert (said.code, said.out) == (0, "")
    assert file.read_text().startswith("series,epoch,loss\n")
    wrong = call("explain", ships, "--picture", "los")
    assert (wrong.code, "did you mean loss?" in wrong.err) == (2, True)

"""`chainrule diagnose`: findings in words, as JSON, and as an exit code."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Call

from chainrule.train import Run


def test_a_table_with_a_finding(call: Call, folder: Path) -> None:
    kinds = ["rare", *["usual"] * 9] * 20
    rows = "\n".join(f"{i % 13 + i},{i * 7 % 11},{kind}" for i, kind in enumerate(kinds))
    (folder / "t.csv").write_text(f"a,b,kind\n{rows}\n")
    said = call("diagnose", "t.csv", "--target", "kind")
    assert said.code == 0
    assert "Class imbalance. kind usual has 9.0 times the rows of kind rare" in said.out
    strict = call("diagnose", "t.csv", "--target", "kind", "--strict", "--json")
    assert strict.code == 10
    assert json.loads(strict.out)[0]["evidence"]["ratio"] > 8


def test_a_strict_training(call: Call, folder: Path) -> None:
    """It is done, told and kept; what looks wrong is in its findings, its report and its code."""
    wrong = ["--lr", "2", "--optimizer", "adam", "--epochs", "10", "--backend", "interpret"]
    said = call("train", "courier", *wrong, "--strict", "--json", "--output", "run")
    assert said.code == 10
    assert "something looks wrong with the training: rate too large" in said.err
    found = json.loads(said.out)["findings"]
    assert found[0]["name"] == "rate too large"
    assert [one.name for one in Run(Path("run")).findings()] == [one["name"] for one in found]
    page = Path("run/report.html").read_text()
    assert "What looks wrong" in page
    assert "tried, " not in page
    diagnosed = call("diagnose", "run", "--strict", "--json")
    assert diagnosed.code == 10
    assert json.loads(diagnosed.out)[0]["tried"]["with_it"] < 1
    assert next(one.tried is not None for one in Run(Path("run")).findings())
    page = Path("run/report.html").read_text()
    assert page.count("<strong>Rate too large</strong>") == 1
    assert "tried, " in page


def test_a_strict_training_in_which_nothing_looks_wrong(call: Call, folder: Path) -> None:
    said = call("train", "courier", "--epochs", "2", "--strict", "--json", "--output", "run")
    assert said.code == 0
    assert json.loads(said.out)["findings"] == []
    assert "What looks wrong" not in Path("run/report.html").read_text()


def test_a_training_that_diverged_says_so_in_its_report(call: Call, folder: Path) -> None:
    wrong = ["--lr", "90", "--optimizer", "sgd", "--schedule", "constant", "--output", "run"]
    assert call("train", "courier", *wrong, "--backend", "interpret").code == 4
    assert [one.name for one in Run(Path("run")).findings()] == ["diverged"]
    assert "<strong>Diverged</strong>" in Path("run/report.html").read_text()


def test_a_run(call: Call, courier: Path, folder: Path) -> None:
    said = call("diagnose", courier, "--no-try")
    assert (said.code, said.err) == (0, "")
    assert said.out == f"{courier}: nothing looks wrong.\n"
    assert call("diagnose", courier, "--no-try", "--json").out == "[]\n"
    wrong = call("diagnose", folder)
    assert wrong.code == 5
    assert "not the folder of a run" in wrong.err

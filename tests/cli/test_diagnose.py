"""`chainrule diagnose`: findings in words, as JSON, and as an exit code."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Call


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


def test_a_run(call: Call, courier: Path, folder: Path) -> None:
    said = call("diagnose", courier, "--no-try")
    assert (said.code, said.err) == (0, "")
    assert said.out == f"{courier}: nothing looks wrong.\n"
    assert call("diagnose", courier, "--no-try", "--json").out == "[]\n"
    wrong = call("diagnose", folder)
    assert wrong.code == 5
    assert "not the folder of a run" in wrong.err

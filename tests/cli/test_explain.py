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
        ([ships], 2, "which step? --step 1 to --step"),
        ([ships, "--step", 99], 2, "the run has no step 99"),
        ([ships, "--step", 1, "--row", 1], 2, "line 1 is not in the batch"),
        ([ships, "--step", 1, "--layer", "deep"], 2, "no layer 'deep'"),
        ([folder / "nowhere", "--step", 1], 5, "not the folder of a run"),
    ]:
        said = call("explain", *arguments)
        assert said.code == code
        assert text in said.err
        assert "Traceback" not in said.err

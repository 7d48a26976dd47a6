"""`chainrule tune`: what it prints, and that it goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def test_it_prints_the_space_the_trials_and_the_best(call: Any, folder: Path) -> None:
    pytest.importorskip("optuna")
    few = ("--epochs", 2, "--search", "layers=4|8", "--search", "batch_size=32")
    said = call("tune", "courier", "--trials", 2, *few, "--output", "run")
    assert said.code == 0
    assert "layers 4|8" in said.err
    assert said.err.count("validation loss") == 2
    assert "The run is in run" in said.out
    more = call("tune", "courier", "--trials", 3, *few, "--output", "more")
    assert more.err.count("validation loss") == 1
    other = call("tune", "courier", "--trials", 3, "--epochs", 3, "--output", "other")
    assert other.code == 2
    assert "--study with another folder" in other.err


def test_a_search_that_is_none(call: Any, folder: Path) -> None:
    said = call("tune", "courier", "--search", "lr")
    assert (said.code, "expected NAME=SPACE" in said.err) == (2, True)

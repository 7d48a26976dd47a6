"""Runs that went wrong are named so, with remedies that were tried; healthy ones raise nothing."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from chainrule.errors import TrainingError
from chainrule.train import Run, Settings, train_table

WRONG: list[tuple[str, dict[str, Any]]] = [
    ("diverged", {"data": "diabetes", "optimizer": "sgd", "lr": 50.0, "schedule": "constant"}),
    ("diverged", {"data": "courier", "optimizer": "sgd", "lr": 90.0, "schedule": "constant"}),
    ("rate too small", {"data": "courier", "optimizer": "sgd", "lr": 1e-4, "epochs": 8}),
    ("rate too small", {"data": "diabetes", "optimizer": "sgd", "lr": 1e-4, "epochs": 8}),
    ("underfitting", {"data": "spirals", "layers": [1], "epochs": 40, "lr": 0.02}),
    ("underfitting", {"data": "courier", "layers": [2], "epochs": 20, "dropout": 0.2}),
    ("update size", {"data": "courier", "optimizer": "sgd", "lr": 1e-7, "epochs": 20}),
    ("update size", {"data": "diabetes", "optimizer": "sgd", "lr": 1e-7, "epochs": 20}),
]  # fmt: skip


def run_of(folder: Path, settings: dict[str, Any]) -> Run:
    given = {"backend": "interpret", "layers": [16, 16], "dropout": 0.0, **settings}
    path = folder / "run"
    with suppress(TrainingError):
        train_table(Settings.model_validate({**given, "output": str(path)}))
    return Run(path)


@pytest.mark.parametrize("case", range(len(WRONG)), ids=[case[0] for case in WRONG])
def test_a_run_that_went_wrong(case: int, tmp_path: Path) -> None:
    name, settings = WRONG[case]
    found = {one.name: one for one in run_of(tmp_path, settings).diagnose()}
    assert name in found
    tried = found[name].tried
    assert tried is not None
    assert tried.helps
    if name == "diverged":
        assert "it began in" in found[name].what


@pytest.mark.parametrize("data", ["courier", "diabetes", "spirals", "digits"])
def test_healthy_runs_raise_none(data: str, tmp_path: Path) -> None:
    settings = {"data": data, "epochs": 25 if data == "digits" else 40, "dropout": 0.1}
    assert [str(one) for one in run_of(tmp_path, {**settings, "layers": [64]}).diagnose()] == []

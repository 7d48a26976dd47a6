"""Runs that went wrong are named so, with remedies that were tried; healthy ones raise nothing."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from chainrule.errors import TrainingError
from chainrule.explain import Finding
from chainrule.train import Run, Settings, Watcher, train_table

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"

TRUE_OF: list[tuple[str, str, list[str]]] = [  # the list in docs/explain.md
    ("titanic.csv", "Survived", []),
    ("german_credit.csv", "-1", []),
    ("wine_quality/winequality-red.csv", "-1", ["class imbalance"]),
]

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


class Heard(Watcher):
    """Notes the findings that are told on the way."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def finding(self, finding: Finding) -> None:
        self.names.append(finding.name)


LIVE: list[tuple[list[str], dict[str, Any]]] = [
    (["rate too large"], {"lr": 2.0, "optimizer": "adam", "data": "courier"}),
    (["rate too large"], {"lr": 3.0, "optimizer": "adam", "data": "diabetes"}),
    (["loss not moving"], {"lr": 1e-9, "data": "digits"}),
    (["loss not moving"], {"lr": 1e-9, "data": "spirals"}),
    ([], {"lr": 0.01, "data": "courier"}),
    ([], {"lr": 0.01, "data": "diabetes"}),
]


@pytest.mark.parametrize(("names", "settings"), LIVE)
def test_while_it_trains(names: list[str], settings: dict[str, Any], tmp_path: Path) -> None:
    heard = Heard()
    more = {"epochs": 10, "backend": "interpret", "layers": [16], "dropout": 0.1}
    sgd = {"optimizer": "sgd", "output": str(tmp_path / "run")}
    with suppress(TrainingError):
        train_table(Settings.model_validate({**more, **sgd, **settings}), heard)
    assert heard.names == names  # each once


@pytest.mark.parametrize(("file", "target", "names"), TRUE_OF)
def test_real_tables_raise_only_what_is_true_of_them(
    file: str, target: str, names: list[str], tmp_path: Path
) -> None:
    if not SHARED.is_dir():
        pytest.skip("the shared tables are not beside the project")
    settings = {"data": str(SHARED / file), "target": target, "header": target != "-1"}
    path = tmp_path / "run"
    train_table(Settings.model_validate({**settings, "epochs": 10, "output": str(path)}))
    assert [one.name for one in Run(path).diagnose(try_remedies=False)] == names

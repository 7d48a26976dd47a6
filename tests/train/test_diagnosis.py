"""Runs that went wrong are named so, with remedies that were tried; healthy ones raise nothing."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chainrule.errors import TrainingError
from chainrule.explain import Finding
from chainrule.train import EpochResult, Run, Settings, Watcher, train_table
from chainrule.train.live import Live

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"

TRUE_OF: list[tuple[str, str, list[str]]] = [  # the list in docs/explain.md
    ("titanic.csv", "Survived", []),
    ("german_credit.csv", "-1", []),
    ("wine_quality/winequality-red.csv", "-1", ["class imbalance"]),
]

SGD = {"optimizer": "sgd", "schedule": "constant"}
ADAM = {"optimizer": "adam", "schedule": "constant"}

WRONG: list[tuple[str, dict[str, Any]]] = [
    ("diverged", {"data": "diabetes", **SGD, "lr": 50.0}),
    ("diverged", {"data": "courier", **SGD, "lr": 90.0}),
    ("rate too small", {"data": "courier", "optimizer": "sgd", "lr": 1e-4, "epochs": 8}),
    ("rate too small, no better than trivial",
     {"data": "diabetes", "optimizer": "sgd", "lr": 1e-4, "epochs": 8}),
    ("underfitting", {"data": "spirals", "layers": [1], "epochs": 40, "lr": 0.02}),
    ("underfitting", {"data": "courier", "layers": [2], "epochs": 20, "dropout": 0.2}),
    ("loss not moving, update size", {"data": "courier", "optimizer": "sgd", "lr": 1e-7,
                                      "epochs": 20}),
    ("loss not moving, update size", {"data": "diabetes", "optimizer": "sgd", "lr": 1e-7,
                                      "epochs": 20}),
    ("overfitting", {"data": "diabetes", "epochs": 40, "layers": [64, 64], "lr": 0.02,
                     "schedule": "constant", "patience": 40}),
    ("overfitting", {"data": "classes", "epochs": 20, "layers": [32], "lr": 0.02, "patience": 20}),
    ("rate too large", {"data": "courier", "optimizer": "adam", "lr": 2.0, "epochs": 10}),
    ("rate too large, dead units, no better than trivial",
     {"data": "digits", "optimizer": "adam", "lr": 3.0, "epochs": 5}),
    ("batch too large", {"data": "courier", **ADAM, "batch_size": 500, "epochs": 12, "lr": 0.003}),
    ("batch too large", {"data": "diabetes", **ADAM, "batch_size": 400, "epochs": 12, "lr": 0.003}),
    ("batch too small, dead units", {"data": "diabetes", "batch_size": 1, "epochs": 2, "lr": 0.05}),
    ("batch too small", {"data": "numbers", "batch_size": 1, "epochs": 2, "lr": 0.05}),
    ("useless columns", {"data": "numbers", "epochs": 30, "layers": [64], "lr": 0.01}),
    ("useless columns", {"data": "classes", "epochs": 20, "layers": [32], "lr": 0.01}),
    ("class imbalance", {"data": "rare", "epochs": 8}),
    ("class imbalance", {"data": "rarer", "epochs": 8}),
    ("leaking column", {"data": "sums", "epochs": 2}),
    ("leaking column", {"data": "grades", "epochs": 2}),
    ("rows in two parts", {"data": "numbers", "epochs": 2, "again": 100}),
    ("rows in two parts", {"data": "rare", "epochs": 2, "again": 60}),
]  # fmt: skip


def chance(classes: bool, useless: int, seed: int) -> str:
    """Two columns that tell, and others that are nothing but chance."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((800, 2 + useless))
    told = x[:, 0] - 0.5 * x[:, 1] + 0.5 * rng.standard_normal(800)
    target = [f"c{int(value > 0)}" for value in told] if classes else told
    return table({f"x{place}": column for place, column in enumerate(x.T)}, target)


def rare(share: float, seed: int) -> str:
    """Two classes of which one is rare."""
    rng = np.random.default_rng(seed)
    kind = rng.random(600) < share
    x = rng.standard_normal(600) + 1.5 * kind
    return table({"x": x, "other": rng.standard_normal(600)}, np.where(kind, "rare", "usual"))


def told(classes: bool, seed: int) -> str:
    """A column that is the target in another unit, beside one of chance."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((400, 2))
    target = np.where(x[:, 0] > 0, "high", "low") if classes else 3 * x[:, 0]
    return table({"same": x[:, 0], "other": x[:, 1]}, target)


def table(columns: dict[str, Any], target: Any) -> str:
    header = ",".join([*columns, "y"])
    rows = zip(*columns.values(), target, strict=True)
    return "\n".join([header, *(",".join(map(str, row)) for row in rows), ""])


TABLES = {
    "numbers": lambda: chance(False, 20, 0),
    "classes": lambda: chance(True, 30, 1),
    "rare": lambda: rare(0.1, 0),
    "rarer": lambda: rare(0.05, 1),
    "sums": lambda: told(False, 0),
    "grades": lambda: told(True, 1),
}


def run_of(folder: Path, settings: dict[str, Any]) -> Run:
    if settings["data"] in TABLES:
        (folder / "t.csv").write_text(TABLES[settings["data"]]())
        settings = {**settings, "data": str(folder / "t.csv"), "target": "y"}
    again = settings.pop("again", 0)  # so many of the training rows are test rows as well
    if again:
        lines = (folder / "t.csv").read_text().splitlines()[: again + 1]
        (folder / "test.csv").write_text("\n".join(lines))
        settings["test"] = str(folder / "test.csv")
    given = {"backend": "interpret", "layers": [16, 16], "dropout": 0.0, **settings}
    path = folder / "run"
    with suppress(TrainingError):
        train_table(Settings.model_validate({**given, "output": str(path)}))
    return Run(path)


@pytest.mark.parametrize("case", range(len(WRONG)), ids=[case[0] for case in WRONG])
def test_a_run_that_went_wrong(case: int, tmp_path: Path) -> None:
    name, settings = WRONG[case]
    found = {one.name: one for one in run_of(tmp_path, settings).diagnose()}
    assert set(name.split(", ")) <= set(found)
    for one in (found[part] for part in name.split(", ")):
        assert one.evidence
        assert (one.tried is not None and one.tried.helps) or not one.remedy
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


@pytest.mark.parametrize(("data", "width"), [("diabetes", 16), ("spirals", 8)])
def test_dead_units_are_seen_while_it_trains(data: str, width: int, tmp_path: Path) -> None:
    """And only where there is time to look."""
    settings = {"data": data, "epochs": 1, "batch_size": 32, "layers": [width, width]}
    loop = Run(run_of(tmp_path, settings).path).replay.loop
    loop.network.train()
    soon = EpochResult(
        epoch=1, steps=10, train_loss=1.0, validation_loss=1.0, rate=0.1, seconds=1.0
    )
    later = soon.model_copy(update={"steps": 10**6, "seconds": 1000.0})
    live = Live(10, 32)
    assert len(loop.look().more) == min(16, len(loop.train[0]) // 32) - 1
    assert live.after(later, 1.0, loop.look) == []
    first = next(cell for name, cell in loop.network.named_parameters() if name.endswith("bias"))
    first.assign(np.full(first.shape, -90.0, np.float32))
    assert Live(10, 32).after(soon, 1.0, loop.look) == []
    (found,) = [
        one for one in live.after(later, 1.0, loop.look) if one.where["layer"] == "layers.1"
    ]
    assert (found.name, found.evidence["share"]) == ("dead units", 1.0)


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

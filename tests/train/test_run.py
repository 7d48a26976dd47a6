"""The run folder: made once, written whole, readable while it grows."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import pytest

from chainrule.errors import ArtefactError, DataError, SettingError
from chainrule.train import EpochResult, Run, Summary
from chainrule.train.run import runs_in

SUMMARY = Summary(
    state="running",
    data="d.csv",
    target="y",
    task="regression",
    rows={"train": 3},
    parameters=2,
    began="2026-01-01T00:00:00+00:00",
    versions={},
)


def result(epoch: int) -> EpochResult:
    return EpochResult(
        epoch=epoch, steps=epoch, train_loss=1.0, validation_loss=2.0, rate=0.1, seconds=0.5
    )


def test_summary_there_and_back(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", "x")
    run.begin(SUMMARY)
    assert run.summary() == SUMMARY
    run.update(state="done", scores={"rmse": 1.5, "r2": math.nan})
    assert run.summary().scores == {"rmse": 1.5, "r2": None}
    assert run.summary().target == "y"
    assert {path.name for path in run.path.iterdir()} == {"run.json", "events.jsonl"}


def test_events_survive_a_cut(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", "x")
    run.log(result(1))
    run.log(result(2))
    with (run.path / "events.jsonl").open("a") as file:
        file.write('{"event": "epoch", "epoch": 3')
    assert run.epochs() == [result(1), result(2)]


def test_runs_of_one_second_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("chainrule.train.run.time.strftime", lambda form: "now")
    made = [Run.create(None, "houses").path for _ in range(3)]
    assert [path.as_posix() for path in made] == [
        *["runs/houses-now", "runs/houses-now-2", "runs/houses-now-3"]
    ]


def test_an_empty_folder_will_do_and_a_full_one_not(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    run = Run.create(tmp_path / "run", "x")
    run.begin(SUMMARY)
    with pytest.raises(SettingError, match="exists already"):
        Run.create(tmp_path / "run", "x")
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingError, match="exists already"):
        Run.create(tmp_path / "file", "x")
    with pytest.raises(DataError, match="cannot be written"):
        Run.create(tmp_path / "file" / "run", "x")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"state": "done"}', '{"rows": NaN}'])
def test_a_damaged_summary(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(ArtefactError, match=r"run\.json is not valid"):
        Run(tmp_path).summary()


def test_runs_in_order(tmp_path: Path) -> None:
    for age, name in enumerate(["c", "a", "b"]):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(json.dumps({}))
        os.utime(tmp_path / name / "run.json", (age, age))
    (tmp_path / "no run").mkdir()
    assert [run.path.name for run in runs_in(tmp_path)] == ["c", "a", "b"]
    assert list(runs_in(tmp_path / "nowhere")) == []

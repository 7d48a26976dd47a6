"""What trackers are told, read back with their own readers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from chainrule.errors import DataError, TrainingError
from chainrule.train import Settings, train_table
from chainrule.train.run import Run


def settings(folder: Path, **more: object) -> Settings:
    known = {"data": "courier", "epochs": 3, "output": str(folder / "run"), "backend": "interpret"}
    return Settings.model_validate(known | more)


def losses(run: Run) -> list[float]:
    return [epoch.validation_loss for epoch in run.epochs()]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_reads_what_was_written(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    trained = train_table(settings(tmp_path, track=["tensorboard"]))
    found = EventAccumulator(str(trained.run.path)).Reload()
    read = [event.value for event in found.Scalars("loss/validation")]
    assert read == pytest.approx(losses(trained.run), rel=1e-6)
    assert [event.step for event in found.Scalars("loss/train")] == [1, 2, 3]
    assert found.Scalars("test/rmse")[0].value == pytest.approx(trained.scores["rmse"])


READ = """
import json, sys
from mlflow.tracking import MlflowClient
from chainrule.train import Settings, train_table
train_table(Settings.model_validate(json.loads(sys.argv[1])))
client = MlflowClient("sqlite:///mlflow.db")
(experiment,) = [e for e in client.search_experiments() if e.name == "chainrule"]
(run,) = client.search_runs([experiment.experiment_id])
history = client.get_metric_history(run.info.run_id, "loss/validation")
print(json.dumps([run.info.run_name, run.info.status, run.data.params["optimizer"],
    run.data.metrics["test/rmse"], [metric.value for metric in history]]))
"""


def test_mlflow_reads_what_was_written(tmp_path: Path) -> None:
    """In a process of its own: the library warns of its own past."""
    pytest.importorskip("mlflow")
    chosen = settings(tmp_path, track=["mlflow"]).model_dump_json()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", READ, chosen],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    name, status, optimizer, rmse, read = json.loads(done.stdout.splitlines()[-1])
    run = Run(tmp_path / "run")
    assert (name, status, optimizer) == ("run", "FINISHED", "adamw")
    assert rmse == pytest.approx(run.summary().scores["rmse"])
    assert read == pytest.approx(losses(run))


def test_a_missing_tracker_is_told_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(DataError, match="--track tensorboard needs") as caught:
        train_table(settings(tmp_path, track=["tensorboard"]))
    assert caught.value.hint == "pip install 'chainrule[tensorboard]'"
    assert not (tmp_path / "run").exists()


def test_trackers_hear_of_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[object] = []

    class Tracker:
        def __init__(self, run: Run) -> None: ...

        def epoch(self, result: object) -> None:
            heard.append(result)

        def end(self, summary: object) -> None:
            heard.append(summary.state)  # type: ignore[attr-defined]

    monkeypatch.setattr("chainrule.train.tracking.TRACKERS", {"mlflow": Tracker})
    monkeypatch.setattr("chainrule.train.table.need", lambda names: None)
    with pytest.raises(TrainingError):
        train_table(settings(tmp_path, track=["mlflow"], lr=1e30, optimizer="sgd"))
    assert heard[-1] == "failed"

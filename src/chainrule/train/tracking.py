"""A training told to other trackers as it happens: TensorBoard's event files, an MLflow store.

The run's own events, a line of JSON for each epoch, are written in any case. The libraries are
extras, which load on first use.
"""

from __future__ import annotations

import os
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Literal, Protocol

from chainrule.data.sources.reading import installed
from chainrule.errors import ArtefactError
from chainrule.train.history import EpochResult
from chainrule.train.run import Run, Summary

Tracked = Literal["tensorboard", "mlflow"]

STORE = "sqlite:///mlflow.db"
"""Where MLflow keeps its runs, unless MLFLOW_TRACKING_URI says otherwise: `mlflow ui` finds it."""


class Tracker(Protocol):
    """Is told of the epochs of one run, and of its end."""

    def epoch(self, result: EpochResult) -> None:
        """An epoch ended."""

    def end(self, summary: Summary) -> None:
        """The training is over, or failed; `summary` has its scores, if there are any."""


class TensorBoard:
    """Writes the losses and the rate of each epoch, and the scores, as scalars.

    They lie in the run's own folder: `tensorboard --logdir runs` shows all runs side by side.
    """

    def __init__(self, run: Run) -> None:
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._writer = EventFileWriter(str(run.path))
        self._last = 0

    def epoch(self, result: EpochResult) -> None:
        self._last = result.epoch
        for name, value in numbers_of(result).items():
            self._scalar(name, value)
        self._writer.flush()

    def end(self, summary: Summary) -> None:
        for name, value in scores_of(summary).items():
            self._scalar(name, value)
        self._writer.close()

    def _scalar(self, name: str, value: float) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary as Scalars

        scalar = Scalars(value=[Scalars.Value(tag=name, simple_value=value)])
        event = Event(wall_time=time.time(), step=self._last, summary=scalar)
        self._writer.add_event(event)


class MLflow:
    """Writes settings, losses, rates and scores to an MLflow store, as a run of the same name."""

    EXPERIMENT = "chainrule"

    def __init__(self, run: Run) -> None:
        from mlflow.tracking import MlflowClient

        self._client = MlflowClient(os.environ.get("MLFLOW_TRACKING_URI", STORE))
        known = self._client.get_experiment_by_name(self.EXPERIMENT)
        experiment = known.experiment_id if known else self._create()
        summary = run.summary()
        tags = {"data": summary.data, "target": summary.target, "folder": str(run.path.absolute())}
        made = self._client.create_run(experiment, run_name=run.path.name, tags=tags)
        self._id = made.info.run_id
        self._last = 0
        for name, value in tomllib.loads(run.settings_text()).items():
            self._client.log_param(self._id, name, value)

    def _create(self) -> str:
        created: str = self._client.create_experiment(self.EXPERIMENT)
        return created

    def epoch(self, result: EpochResult) -> None:
        self._last = result.epoch
        self._log(numbers_of(result))

    def end(self, summary: Summary) -> None:
        self._log(scores_of(summary))
        status = {"done": "FINISHED", "interrupted": "KILLED"}.get(summary.state, "FAILED")
        self._client.set_terminated(self._id, status)

    def _log(self, numbers: dict[str, float]) -> None:
        for name, value in numbers.items():
            self._client.log_metric(self._id, name, value, step=self._last)


TRACKERS: dict[str, Callable[[Run], Tracker]] = {"tensorboard": TensorBoard, "mlflow": MLflow}


def numbers_of(result: EpochResult) -> dict[str, float]:
    """What an epoch led to, by the names that trackers show."""
    return {
        "loss/train": result.train_loss,
        "loss/validation": result.validation_loss,
        "rate": result.rate,
    }


def scores_of(summary: Summary) -> dict[str, float]:
    """The scores of the test rows that are defined."""
    return {f"test/{name}": v for name, v in summary.scores.items() if v is not None}


def need(names: Sequence[str]) -> None:
    """DataError, with what installs it, for a tracker whose library is not there."""
    from importlib import import_module

    for name in names:
        with installed(name, f"--track {name}"):
            import_module({"mlflow": "mlflow.tracking"}.get(name, name))


@contextmanager
def tracked(names: Sequence[str], run: Run) -> Iterator[Callable[[EpochResult], Any]]:
    """Gives what is to be called with each epoch; at the end all trackers hear how it ended."""
    trackers = [TRACKERS[name](run) for name in names]

    def epoch(result: EpochResult) -> None:
        for tracker in trackers:
            tracker.epoch(result)

    try:
        yield epoch
    finally:
        with suppress(ArtefactError):
            summary = run.summary()
            for tracker in trackers:
                tracker.end(summary)

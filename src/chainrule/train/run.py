"""The run folder: everything about one training, written as it happens."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chainrule.data.decisions import DataReport, Decision
from chainrule.data.preparation import WholeTask
from chainrule.errors import ArtefactError, SettingError
from chainrule.explain import Finding, OpenedStep
from chainrule.explain.findings import findings_from_json
from chainrule.explain.pictures.training import losses
from chainrule.markup import Html, notebook, tag
from chainrule.model.card import Detail, Scores, no_details
from chainrule.model.files import unwritable, write_whole
from chainrule.train.diagnosis import diagnose_replay
from chainrule.train.history import EpochResult
from chainrule.train.kept_rows import DATA as DATA
from chainrule.train.kept_rows import keeps_rows
from chainrule.train.rate_finder import RateSearch
from chainrule.train.replay import Replay
from chainrule.train.score_table import score_table
from chainrule.train.steps import opened_step
from chainrule.wording import BASELINES

# What lies in a run folder, beside DATA (what was found in the data, what was done about it):
SETTINGS = "settings.toml"  # runs the same training again
EVENTS = "events.jsonl"  # one line per epoch
ROWS = "rows.json"  # which rows are in which part, and from which ones what was learned
RATE_SEARCH = "rate.json"  # with --lr auto: the losses while the rate rose, and the choice
SUMMARY = "run.json"  # state, scores, baseline, times, versions
MODEL = "model"  # the model's own folder
PICTURES = "pictures"  # each as SVG, and its numbers as CSV
FINDINGS = "findings.json"  # what looked wrong, at last with the remedies that were tried
REPORT = "report.html"  # all of it as one page


class Summary(BaseModel):
    """run.json, field by field; the later ones are filled in when the training is over."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: Literal["running", "done", "interrupted", "failed"]
    data: str
    target: str
    task: WholeTask
    rows: dict[str, int]  # by part: train, validation, test
    parameters: int
    began: str  # ISO 8601
    versions: dict[str, str]
    scores: Scores = {}  # of the test rows
    baseline: Scores = {}  # the same for the trivial answer
    details: list[Detail] = Field(default=[], exclude_if=no_details)
    best_epoch: int | None = None
    epochs: int | None = None
    stopped: str = ""  # why it ended, in words
    ran: str = ""  # how the updates ran, in words
    seconds: float | None = None


@dataclass(frozen=True)
class Run:
    """One training, as its folder tells it."""

    path: Path

    @staticmethod
    def create(path: str | Path | None, name: str) -> Run:
        """Make the folder of a new run: `path`, or runs/NAME-DATE-TIME.

        SettingError when `path` exists already and is not an empty folder, DataError when it
        cannot be written.
        """
        folder = _new_folder(name) if path is None else Path(path)
        try:
            if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                raise SettingError(f"{folder} exists already", hint="another --output")
            folder.mkdir(parents=True, exist_ok=True)
            (folder / EVENTS).touch()
        except OSError as problem:
            raise unwritable(folder, problem) from None
        return Run(folder)

    def write(self, name: str, text: str) -> None:
        """Write a file of the run; whole, or not at all."""
        write_whole(self.path / name, text)

    def begin(self, summary: Summary) -> None:
        """Write the first summary."""
        self.write(SUMMARY, summary.model_dump_json(indent=1))

    def update(self, **facts: Any) -> None:
        """Change fields of the summary."""
        known = self.summary().model_dump()
        self.begin(Summary.model_validate({**known, **facts}))

    def log(self, result: EpochResult) -> None:
        """Append an epoch to the events."""
        line = json.dumps({"event": "epoch", **result.model_dump()}, allow_nan=False)
        with (self.path / EVENTS).open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def summary(self) -> Summary:
        """What is known of the run; ArtefactError if this is no run, or a damaged one."""
        try:
            return Summary.model_validate_json((self.path / SUMMARY).read_bytes())
        except OSError:
            raise ArtefactError(
                f"{self.path} is not the folder of a run", hint="chainrule runs list"
            ) from None
        except ValidationError as wrong:
            first = wrong.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the file"
            what = f"{self.path / SUMMARY} is not valid: {where}: {first['msg']}"
            raise ArtefactError(what) from None

    def epochs(self) -> list[EpochResult]:
        """Its epochs in order; a line that a crash cut off is left out."""
        found = []
        for line in self._text(EVENTS).splitlines():
            try:
                found.append(EpochResult.model_validate_json(line))
            except ValidationError:
                continue
        return found

    def data_report(self) -> DataReport | None:
        """What was found in its data; None if that was not kept, or cannot be read."""
        try:
            return DataReport.model_validate_json(self._text(DATA))
        except ValidationError:
            return None

    def columns(self) -> list[Decision]:
        """What its columns were taken for; none if that was not kept, or cannot be read."""
        report = self.data_report()
        return [] if report is None else report.columns

    @cached_property
    def replay(self) -> Replay:
        """The training, to be taken up at any step.

        Its rows are those that it kept; too large ones are read and prepared again, once.
        """
        self.summary()  # says so if this is no run
        return Replay.of(self.path)

    @property
    def keeps_rows(self) -> bool:
        """Whether its rows are in the run; else its table is read again for a replay."""
        return keeps_rows(self.path)

    def step(self, number: int, line: int | None = None, layer: str = "") -> OpenedStep:
        """Open step `number`, from 1: forward, loss, backward and update with their numbers.

        `line`: the row of the batch to show, by its line in the file, the first if not given.
        `layer`: the layer to tell in full. SettingError if there is no such step, row or layer;
        ArtefactError for a run that cannot be replayed.
        """
        return opened_step(self.replay, number, line, layer)

    def diagnose(self, try_remedies: bool = True) -> list[Finding]:
        """What is wrong with the run, each finding with its evidence and what to do.

        A remedy that is a setting is tried, from the run's first state, unless `try_remedies` is
        False. ArtefactError for a run that cannot be replayed.
        """
        return diagnose_replay(self.replay, self.epochs(), try_remedies)

    def findings(self) -> list[Finding]:
        """What was found last: by a diagnosis, or by the training itself; none if not kept."""
        try:
            return findings_from_json(self._text(FINDINGS) or "[]")
        except (ValueError, TypeError, KeyError):
            return []

    def rate_search(self) -> RateSearch | None:
        """How its rate was found; None where it was given, or the file cannot be read."""
        try:
            return RateSearch.model_validate_json(self._text(RATE_SEARCH))
        except ValidationError:
            return None

    def settings_text(self) -> str:
        """The settings file; an empty text where there is none."""
        return self._text(SETTINGS)

    def _repr_html_(self) -> str:
        facts, epochs = self.summary(), self.epochs()
        about = f" predicting {facts.target} from {facts.data}, {facts.state}"
        drawn = losses(
            [one.epoch for one in epochs],
            [one.train_loss for one in epochs],
            [one.validation_loss for one in epochs],
        )
        scores = score_table(facts.scores, facts.baseline, BASELINES[facts.task])
        return notebook(
            tag("b", self.path),
            tag("span", about, class_="soft"),
            tag("p", facts.stopped),
            *([scores] if facts.scores else []),
            *([Html(drawn._repr_html_())] if epochs else []),
        )

    def _text(self, name: str) -> str:
        path = self.path / name
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def runs_in(folder: str | Path) -> Iterator[Run]:
    """The runs directly in a folder, the newest last."""
    root = Path(folder)
    found = [path.parent for path in root.glob(f"*/{SUMMARY}")] if root.is_dir() else []
    yield from (Run(path) for path in sorted(found, key=lambda p: (p / SUMMARY).stat().st_mtime_ns))


def _new_folder(name: str) -> Path:
    """runs/NAME-DATE-TIME, with a number where that one is taken."""
    wanted = folder = Path("runs") / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    number = 1
    while folder.exists():
        number += 1
        folder = Path(f"{wanted}-{number}")
    return folder

"""The runs of one folder by name: the only files that the page reads."""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import Any

from chainrule.errors import ArtefactError
from chainrule.explain import Finding
from chainrule.explain.pictures import Drawing, training
from chainrule.explain.plain import plain
from chainrule.train import Run
from chainrule.train.inside import NAMES as INSIDE
from chainrule.train.keeping import kept_losses
from chainrule.train.live import WARM_UP, found_by_now
from chainrule.train.replay import chosen_settings
from chainrule.train.report.document import verdict
from chainrule.train.report.written import pictures_of
from chainrule.train.run import PICTURES, runs_in
from chainrule.web.page.opened import opened
from chainrule.wording import METRICS, scored

OPEN_RUNS = 3
"""So many runs stay ready to have their steps opened."""

ALWAYS_FRESH = ("loss", "steps", "rate", "rate-search")
"""Pictures that are drawn from the events; the others lie in the run's folder."""


class Shelf:
    """The runs in a folder. A name is looked up among those that are there, never made a path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open: dict[str, Run] = {}
        self._lock = threading.RLock()

    def runs(self) -> dict[str, Run]:
        """The runs that lie in the folder itself, the newest first."""
        root = self.folder.resolve()
        found = [run for run in runs_in(self.folder) if run.path.resolve().parent == root]
        return {run.path.name: run for run in reversed(found)}

    def run(self, name: str) -> Run:
        """The run of a name; ArtefactError if there is none."""
        try:
            return self.runs()[name]
        except KeyError:
            raise ArtefactError(f"there is no run {name[:80]!r} in {self.folder}") from None

    def listed(self) -> list[dict[str, Any]]:
        """A line for each run."""
        return [_listed(name, run) for name, run in self.runs().items()]

    def facts(self, name: str) -> dict[str, Any]:
        """All that is known of a run but its course."""
        run = self.run(name)
        summary = run.summary()
        report = run.data_report()
        notes = [] if report is None else report.notes
        return {
            "name": name,
            **summary.model_dump(),
            "verdict": verdict(summary),
            "findings": [str(note) for note in notes if note.finding],
            "notes": [str(n) for n in notes if not n.finding and n.about != "column"],
            "columns": [[c.name, c.kind, c.use] for c in run.columns()],
            "settings": run.settings_text(),
        }

    def pictures(self, name: str) -> dict[str, list[dict[str, str]]]:
        """The pictures of a run: how it learned, and, once it is over, the inside and its worth."""
        run = self.run(name)
        stored = _stored(run.path.resolve())
        return {
            "learned": [_shown(picture) for picture in pictures_of(run)],
            "inside": [stored.pop(one) for one in INSIDE if one in stored],
            "judged": list(stored.values()),
        }

    def step(self, name: str, step: int, line: int | None, layer: str) -> dict[str, Any]:
        """A step opened, with the chosen row of each value; with a layer, every number of it."""
        with self._lock:
            return opened(self._ready(name).step(step, line, layer))

    def seen(self, name: str) -> list[Finding]:
        """What the losses of a run say by now; `diagnosis` looks closer, and takes longer."""
        run = self.run(name)
        epochs, losses = run.epochs(), kept_losses(run.path)
        if not epochs:
            return []
        first = float(losses[0]) if len(losses) else math.nan
        warm = epochs[-1].epoch > WARM_UP * chosen_settings(run.path).epochs
        return found_by_now(epochs, first, warm)

    def diagnosis(self, name: str) -> list[dict[str, Any]]:
        """What looks wrong in a run, with the remedies tried."""
        with self._lock:
            found: list[dict[str, Any]] = plain(self._ready(name).diagnose())
            return found

    def _ready(self, name: str) -> Run:
        """The run with its replay, which is made once; that of a run that goes on is made again."""
        run = self._open.pop(name, None) or self.run(name)
        if run.summary().state == "running":
            run = self.run(name)
        self._open[name] = run
        while len(self._open) > OPEN_RUNS:
            del self._open[next(iter(self._open))]
        return run

    def compared(self, names: list[str]) -> dict[str, Any]:
        """Several runs side by side: their course, their scores, and the settings that differ."""
        runs = {name: self.run(name) for name in dict.fromkeys(names)}
        courses = {}
        for name, run in runs.items():
            epochs = run.epochs()
            losses = [result.validation_loss for result in epochs]
            courses[name] = ([result.epoch for result in epochs], losses)
        settings = {name: _lines(run.settings_text()) for name, run in runs.items()}
        keys = dict.fromkeys(key for lines in settings.values() for key in lines)
        differing = [k for k in keys if len({lines.get(k, "") for lines in settings.values()}) > 1]
        return {
            "picture": _shown(training.compared(courses)),
            "scores": {
                name: {METRICS.get(key, key): scored(key, value) for key, value in found.items()}
                for name, found in ((name, run.summary().scores) for name, run in runs.items())
            },
            "settings": {
                key: {name: lines.get(key, "") for name, lines in settings.items()}
                for key in differing
            },
        }


def _listed(name: str, run: Run) -> dict[str, Any]:
    try:
        facts = run.summary()
    except ArtefactError as problem:
        return {"name": name, "state": "unreadable", "told": problem.what}
    kept = ("state", "data", "target", "task", "scores", "baseline", "epochs", "began")
    return {"name": name, **facts.model_dump(include=set(kept)), "told": verdict(facts)}


def _stored(run: Path) -> dict[str, dict[str, str]]:
    """The pictures that lie in the folder of a run; what leads out of it is left out."""
    inside = [path for path in sorted((run / PICTURES).glob("*.svg")) if path.resolve() == path]
    kept = [path for path in inside if path.stem not in ALWAYS_FRESH]
    return {p.stem: {"name": p.stem, "svg": p.read_text(encoding="utf-8")} for p in kept}


def _shown(picture: Drawing) -> dict[str, str]:
    return {"name": picture.name, "svg": picture.svg(alone=False)}


def _lines(settings: str) -> dict[str, str]:
    """The settings of a file by name, as they are written."""
    pairs = (line.partition(" = ") for line in settings.splitlines() if " = " in line)
    return {key: value for key, _, value in pairs}

"""The main job: from a table to a trained model, its honest score, and a folder about it all."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from chainrule import generator
from chainrule.data import Prepared, source_name
from chainrule.data.disk import DiskArray
from chainrule.data.room import allowance, allowed
from chainrule.errors import TrainingError
from chainrule.explain import Finding
from chainrule.model import Card, Model, save
from chainrule.model.card import Detail, Scores, units_of
from chainrule.train.defaults import AUTO, choose
from chainrule.train.diagnosis import diverged, noticed
from chainrule.train.heads import loss_for
from chainrule.train.history import EpochResult, History
from chainrule.train.keeping import RunKeeper
from chainrule.train.kept_rows import keep_rows
from chainrule.train.learning import arrays, frozen, learn, optimizer_for
from chainrule.train.live import Live
from chainrule.train.network import TableNetwork, network_for
from chainrule.train.preparing import prepared_for
from chainrule.train.rate_finder import RateSearch, find_rate
from chainrule.train.report import write_findings, write_report
from chainrule.train.run import DATA, MODEL, RATE_SEARCH, ROWS, SETTINGS, Run, Summary
from chainrule.train.scoring import judge
from chainrule.train.settings import Chosen, Settings
from chainrule.train.tracking import need, tracked
from chainrule.version import __version__

VERSIONS = {
    "chainrule": __version__,
    "numpy": np.__version__,
    "python": platform.python_version(),
}


@dataclass(frozen=True)
class Trained:
    """What a training gives: the model, which knows its scores, and where all of it lies."""

    run: Run
    model: Model
    network: TableNetwork
    settings: Chosen
    prepared: Prepared
    history: History
    seconds: float
    findings: list[Finding]  # while it trained and at its end, each once
    rate_search: RateSearch | None = None  # where the rate was "auto"

    @property
    def scores(self) -> Scores:
        """The metrics of the test rows; of several targets, of all together."""
        return self.model.card.scores

    @property
    def baseline(self) -> Scores:
        """The same for the trivial answer."""
        return self.model.card.baseline

    @property
    def details(self) -> list[Detail]:
        """The same for each of several targets, and each label."""
        return self.model.card.details


class Watcher:
    """Is told about a training as it happens; a subclass overrides what it wants to know."""

    def ready(self, settings: Chosen, prepared: Prepared) -> None:
        """The data is prepared and everything is decided; the training begins."""

    def step(self, epoch: int, step: int) -> None:
        """An update was made; both count from 1, the step within its epoch."""

    def epoch(self, result: EpochResult) -> None:
        """An epoch ended."""

    def finding(self, finding: Finding) -> None:
        """Something looks wrong while the training goes on; each thing is told once."""


def train_table(settings: Settings, watcher: Watcher | None = None) -> Trained:
    """Read, prepare, train, score and save, as `settings` say.

    The run's folder is made once the data has been found usable: DataError and SettingError leave
    nothing behind. TrainingError, when the loss does not stay finite, leaves a run that says so.
    Ctrl-C during the training keeps the best weights so far.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     settings = Settings(data="courier", epochs=3, output=f"{folder}/run")
    ...     trained = train_table(settings)
    >>> len(trained.history.epochs), trained.model
    (3, <Model: regression of charge from kilograms>)
    """
    began = time.perf_counter()
    need(settings.track)
    usual = settings.model_copy(update={"lr": None}) if settings.lr == AUTO else settings
    with allowed(settings.memory or allowance()):  # what is free changes as it is used
        prepared = prepared_for(settings)
        chosen = choose(usual, prepared.preparation, len(prepared.train))
        if isinstance(prepared.train.numbers, DiskArray):  # the order of the rows depends on it
            chosen = chosen.model_copy(update={"memory": allowance()})
    search = find_rate(prepared, chosen) if settings.lr == AUTO else None
    if search is not None:
        chosen = chosen.model_copy(update={"lr": search.chosen})
    generator.manual_seed(chosen.seed)
    network = network_for(prepared.preparation, chosen)
    run = begun(chosen, prepared, network)
    if search is not None:
        run.write(RATE_SEARCH, search.model_dump_json())
    with tracked(chosen.track, run) as on_epoch, _failure_told(run):
        history, found = recorded(network, chosen, prepared, run, watcher or Watcher(), on_epoch)
        model = _judged(network, chosen, prepared)
        save(model, run.path / MODEL)
        seconds = time.perf_counter() - began
        _finish(run, history, model.card, seconds)
        write_report(run, model, prepared.test)
    return Trained(run, model, network, chosen, prepared, history, seconds, found, search)


@contextmanager
def _failure_told(run: Run) -> Iterator[None]:
    """A training that ends before its time leaves a run that says so."""
    try:
        yield
    except KeyboardInterrupt:
        run.update(state="interrupted", stopped="interrupted")
        raise
    except TrainingError as problem:
        run.update(state="failed", stopped=problem.what)
        write_report(run)
        problem.hint = f"{problem.hint}; chainrule diagnose {run.path} says where it began"
        raise
    except Exception as problem:
        run.update(state="failed", stopped=str(problem).partition("\n")[0])
        write_report(run)
        raise


def begun(settings: Chosen, prepared: Prepared, network: TableNetwork) -> Run:
    """The run's folder, with all that is known before the training."""
    run = Run.create(settings.output, source_name(settings.data))
    run.write(SETTINGS, settings.to_toml())
    run.write(DATA, prepared.report.to_json())
    run.write(ROWS, prepared.seen.to_json())
    run.begin(
        Summary(
            state="running",
            data=settings.data,
            target=prepared.preparation.predicted,
            task=prepared.task,
            rows=_sizes(prepared),
            parameters=network.size,
            began=datetime.now().astimezone().isoformat(timespec="seconds"),
            versions=VERSIONS,
        )
    )
    return run


def recorded(
    network: TableNetwork,
    settings: Chosen,
    prepared: Prepared,
    run: Run,
    watcher: Watcher,
    track: Callable[[EpochResult], Any],
) -> tuple[History, list[Finding]]:
    """Train the network; each epoch goes to the run, to its trackers and to the watcher.

    Gives what was found while it trained and at its end, as well.
    """

    def on_epoch(result: EpochResult) -> None:
        run.log(result)
        track(result)
        watcher.epoch(result)
        for finding in live.after(result, keeper.first, keeper.look):
            found.append(finding)
            watcher.finding(finding)

    found: list[Finding] = []
    live = Live(settings.epochs, settings.batch_size)
    keeper = RunKeeper(run.path, settings.epochs, arrays(prepared.train))
    watcher.ready(settings, prepared)
    keep_rows(run.path, prepared)
    try:
        history = learn(
            network,
            optimizer_for(network, settings),
            loss_for(prepared.preparation, prepared.train.weights is not None),
            prepared.train,
            prepared.validation,
            settings,
            keeper=keeper,
            on_step=watcher.step,
            on_epoch=on_epoch,
        )
        said = {finding.name for finding in found}
        found += [f for f in noticed(prepared, history, keeper.look) if f.name not in said]
    except TrainingError:
        found += diverged(run.path, settings.model_dump())
        raise
    finally:
        write_findings(run, found)
    return history, found


def _judged(network: TableNetwork, settings: Chosen, prepared: Prepared) -> Model:
    """The artefact; its card has its scores on the test rows, and those of the trivial answer."""
    card = Card(trivial=[share for trivial in prepared.trivial for share in trivial])
    model = frozen(network, prepared.preparation, card)
    found = judge(model, prepared.test)
    known = {
        "data": settings.data,
        "date": f"{datetime.now():%Y-%m-%d}",
        "rows": _sizes(prepared),
        "scores": found.scores,
        "baseline": found.baseline,
        "details": found.details,
        "settings": settings.model_dump(exclude={"output"}),
        "units": units_of(prepared.preparation.columns),
        "versions": VERSIONS,
    }
    return replace(model, card=card.model_copy(update=known))


def _finish(run: Run, history: History, card: Card, seconds: float) -> None:
    run.update(
        state="interrupted" if history.interrupted else "done",
        scores=card.scores,
        baseline=card.baseline,
        details=card.details,
        best_epoch=history.best_epoch,
        epochs=len(history.epochs),
        stopped=history.stopped,
        ran=history.ran,
        seconds=round(seconds, 2),
    )


def _sizes(prepared: Prepared) -> dict[str, int]:
    """The number of rows in each part."""
    return {part: len(getattr(prepared, part)) for part in ("train", "validation", "test")}

"""The main job: from a table to a trained model, its honest score, and a folder about it all."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule import generator, optim
from chainrule.data import BUILTIN, Part, Prepared, prepare, read_table
from chainrule.errors import SettingError
from chainrule.model import Model
from chainrule.model.forward import record_forward
from chainrule.optim import Optimizer
from chainrule.spec import F32, I64, Spec
from chainrule.train.defaults import completed
from chainrule.train.loop import EpochResult, History, fit
from chainrule.train.metrics import MAIN, score
from chainrule.train.network import TableNetwork, loss_for, output_for
from chainrule.train.run import DATA, MODEL, SETTINGS, Run
from chainrule.train.settings import Settings
from chainrule.version import __version__

OPTIMIZERS: dict[str, type[Optimizer]] = {
    "adam": optim.Adam,
    "adamw": optim.AdamW,
    "sgd": optim.SGD,
    "rmsprop": optim.RMSprop,
    "adagrad": optim.Adagrad,
}


@dataclass
class Trained:
    """What a training gives: the model, what it is worth, and where all of it lies."""

    run: Run
    model: Model
    settings: Settings
    prepared: Prepared
    history: History
    scores: dict[str, float]  # of the test rows
    baseline: dict[str, float]  # the same for the trivial prediction
    parameters: int
    seconds: float


class Watcher:
    """Told about a training as it happens; every method may be left as it is."""

    def ready(self, settings: Settings, prepared: Prepared, parameters: int) -> None:
        """The data is prepared and the settings are chosen."""

    def step(self, epoch: int, step: int) -> None:
        """An update was made."""

    def epoch(self, result: EpochResult) -> None:
        """An epoch ended."""


def train_table(settings: Settings, watcher: Watcher | None = None) -> Trained:
    """Read, prepare, train, score and save, as `settings` say.

    The run's folder is made once the data has been found usable. Raises DataError or SettingError
    before that, and TrainingError when the loss does not stay finite.
    """
    began = time.perf_counter()
    watcher = watcher or Watcher()
    settings = _with_target(settings)
    prepared = _prepared(settings)
    settings = completed(settings, prepared)
    generator.manual_seed(settings.seed)
    network = network_for(prepared, settings)
    parameters = sum(p.size for p in network.parameters())
    run = Run.create(settings.output, Path(settings.data).stem or "table")
    _begin(run, settings, prepared, parameters)
    watcher.ready(settings, prepared, parameters)
    try:
        history = _fit(network, settings, prepared, run, watcher)
    except BaseException as problem:
        run.summarise(state="failed" if isinstance(problem, Exception) else "interrupted")
        raise
    model = _model(network, prepared)
    model.card["trivial"] = trivial_answer(prepared)
    scores, baseline = evaluate(model, prepared.test), trivial_scores(model, prepared.test)
    seconds = time.perf_counter() - began
    _finish(run, model, settings, history, scores, baseline, seconds)
    return Trained(
        run, model, settings, prepared, history, scores, baseline, parameters, seconds
    )


def _with_target(settings: Settings) -> Settings:
    """The target of a built-in table is known."""
    if settings.target:
        return settings
    if settings.data in BUILTIN and not Path(settings.data).exists():
        return settings.model_copy(update={"target": BUILTIN[settings.data].target})
    raise SettingError(
        "which column is to be predicted?", hint="--target COLUMN, or --target -1 for the last"
    )


def _prepared(settings: Settings) -> Prepared:
    def read(source: str | None) -> Any:
        return None if source is None else read_table(source, settings.names)

    return prepare(
        read(settings.data),
        settings.target,
        seed=settings.seed,
        validation=read(settings.validation),
        test=read(settings.test),
        task=settings.task,
        types=settings.types,
        drop=settings.drop,
    )


def network_for(prepared: Prepared, settings: Settings) -> TableNetwork:
    """The network for prepared data, freshly initialised."""
    preparation = prepared.preparation
    return TableNetwork(
        len(preparation.features),
        [(record.size, record.width) for record in preparation.embedded],
        settings.layers or [],
        len(getattr(preparation.target, "classes", [0])),
        settings.activation,
        settings.dropout or 0.0,
    )


def _fit(
    network: TableNetwork, settings: Settings, prepared: Prepared, run: Run, watcher: Watcher
) -> History:
    def on_epoch(result: EpochResult) -> None:
        run.log({"event": "epoch", **asdict(result)})
        watcher.epoch(result)

    assert settings.lr is not None
    assert settings.epochs is not None
    assert settings.batch_size is not None
    assert settings.patience is not None
    optimizer = OPTIMIZERS[settings.optimizer](
        network.parameters(), lr=settings.lr, weight_decay=settings.weight_decay
    )
    return fit(
        network,
        loss_for(prepared.task),
        optimizer,
        _arrays(prepared.train),
        _arrays(prepared.validation),
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        patience=settings.patience,
        seed=settings.seed,
        rates=lambda steps: rates(settings.schedule, settings.lr or 0.0, steps),
        on_step=watcher.step,
        on_epoch=on_epoch,
    )


def rates(schedule: str, highest: float, steps: int) -> NDArray[np.float64]:
    """The learning rate of each step.

    one-cycle: from a 25th up to `highest` over the first 30% and down to nearly 0, both along a
    cosine (L. Smith and N. Topin, 2017, "Super-convergence"); cosine: from `highest` down to 0.
    """
    at = np.arange(steps) / max(1, steps - 1)
    falling = 0.5 * (1 + np.cos(np.pi * at))
    if schedule == "constant":
        return np.full(steps, highest)
    if schedule == "cosine":
        return highest * falling
    up = at < 0.3
    rise = 0.5 * (1 - np.cos(np.pi * at / 0.3))
    fall = 0.5 * (1 + np.cos(np.pi * (at - 0.3) / 0.7))
    return highest * np.where(up, 0.04 + 0.96 * rise, 0.0001 + 0.9999 * fall)


def _arrays(part: Part) -> list[NDArray[Any]]:
    return [part.numbers, part.codes, part.target]


def _model(network: TableNetwork, prepared: Prepared) -> Model:
    """The artefact: the forward pass, frozen, with what its output means."""
    network.eval()
    part, task = prepared.train, prepared.task
    specs = [Spec((1, part.numbers.shape[1]), F32), Spec((1, part.codes.shape[1]), I64)]
    program = record_forward(lambda *inputs: output_for(task, network(*inputs)), specs)
    return Model(prepared.preparation, program)


def evaluate(model: Model, part: Part) -> dict[str, float]:
    """The metrics of a model on rows whose target is known."""
    outputs = model.outputs(part.numbers, part.codes)
    if model.task == "regression":
        target = model.preparation.target
        return score(model.task, target.inverse(outputs), target.inverse(part.target))
    return score(model.task, outputs, part.target)


def trivial_answer(prepared: Prepared) -> float | list[float]:
    """What needs no model: the training mean, or the training rows' share of each class."""
    if prepared.task == "regression":
        return float(prepared.baseline)
    counts = np.bincount(prepared.train.target, minlength=len(prepared.preparation.target.classes))
    return [float(share) for share in counts / counts.sum()]


def trivial_scores(model: Model, part: Part) -> dict[str, float]:
    """The metrics of giving the same trivial answer for every row."""
    same = np.tile(np.asarray(model.card["trivial"]), (len(part), 1))
    if model.task == "regression":
        true = model.preparation.target.inverse(part.target)
        return score(model.task, same.reshape(-1), true)
    return score(model.task, same, part.target)


def _begin(run: Run, settings: Settings, prepared: Prepared, parameters: int) -> None:
    run.write(SETTINGS, settings.model_copy(update={"output": None}).to_toml())
    run.write(DATA, prepared.report.to_json())
    run.summarise(
        state="running",
        data=settings.data,
        target=prepared.preparation.target.name,
        task=prepared.task,
        rows={p: len(getattr(prepared, p)) for p in ("train", "validation", "test")},
        parameters=parameters,
        began=datetime.now().astimezone().isoformat(timespec="seconds"),
        versions={"chainrule": __version__, "numpy": np.__version__},
    )


def _finish(
    run: Run,
    model: Model,
    settings: Settings,
    history: History,
    scores: dict[str, float],
    baseline: dict[str, float],
    seconds: float,
) -> None:
    main = MAIN[model.task]
    model.card |= {
        "chainrule": __version__,
        "data": settings.data,
        "date": f"{datetime.now():%Y-%m-%d}",
        "scores": {name: round(value, 6) for name, value in scores.items()},
        "baseline": {main: round(baseline[main], 6)},
        "folder": str(run.path / MODEL),
        "settings": settings.model_dump(),
    }
    model.save(run.path / MODEL)
    run.summarise(
        state="interrupted" if history.interrupted else "done",
        scores=scores,
        baseline=baseline,
        best_epoch=history.best_epoch,
        epochs=len(history.epochs),
        stopped=history.stopped,
        seconds=round(seconds, 2),
    )

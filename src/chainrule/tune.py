"""Search for settings: many short trainings, the hopeless ones ended early, and the best run."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from chainrule import generator
from chainrule.data import Prepared
from chainrule.data.sources.reading import installed
from chainrule.errors import SettingError, TrainingError, nearest
from chainrule.train import EpochResult, Settings, Trained, train_table
from chainrule.train.defaults import choose
from chainrule.train.heads import loss_for
from chainrule.train.learning import learn, optimizer_for
from chainrule.train.network import network_for
from chainrule.train.preparing import prepared_for
from chainrule.train.settings import checked

JOURNAL, SETTINGS = "trials.log", "settings.toml"
_FIXED = {"data", "target", "output", "seed", "backend", "validation", "test"}


Result = tuple[int, float | None, dict[str, Any]]
"""Of a trial: its number from 1, its loss (None: ended early), what it tried."""


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`; with `log`, every factor is as likely as every other."""

    low: float
    high: float
    log: bool = False

    def __str__(self) -> str:
        return f"{self.low:g}..{self.high:g}{' by factors' if self.log else ''}"


@dataclass(frozen=True)
class Choice:
    """One of some values, each written as the command line takes it."""

    values: tuple[str, ...]

    def __str__(self) -> str:
        return "|".join(self.values)


Space = Mapping[str, Range | Choice]

SPACE: Space = {
    "layers": Choice(("64", "128,128", "256,128", "256,256,128")),
    "activation": Choice(("relu", "gelu", "silu")),
    "dropout": Range(0.0, 0.4),
    "lr": Range(0.0003, 0.02, log=True),
    "weight_decay": Range(0.0001, 0.3, log=True),
    "batch_size": Choice(("32", "64", "128", "256")),
}
"""What is searched if nothing else is asked for."""


def space_of(asked: Mapping[str, str]) -> Space:
    """The space with some settings searched otherwise: "0.001..0.1", "relu|gelu", or one value.

    SettingError for a setting that does not exist or cannot be searched, and for a range that is
    none.

    >>> space = space_of({"lr": "0.001..0.1", "activation": "relu"})
    >>> str(space["lr"]), str(space["activation"])
    ('0.001..0.1 by factors', 'relu')
    """
    return {**SPACE, **{name.replace("-", "_"): _part(name, text) for name, text in asked.items()}}


def _part(name: str, text: str) -> Range | Choice:
    key = name.replace("-", "_")
    if key not in Settings.model_fields or key in _FIXED:
        close = nearest(key, Settings.model_fields)
        raise SettingError(
            f"{name!r} cannot be searched",
            hint=f"did you mean {close!r}?" if close and close != key else ", ".join(SPACE),
        )
    low, dots, high = text.partition("..")
    if not dots:
        return Choice(tuple(part.strip() for part in text.split("|")))
    try:
        found = Range(float(low), float(high), key in ("lr", "weight_decay"))
    except ValueError:
        found = Range(1.0, 0.0)
    if found.low >= found.high or (found.log and found.low <= 0):
        raise SettingError(
            f"{text!r} is no range for {name}", expected="LOW..HIGH", hint="0.1..0.5"
        )
    return found


def tune(
    settings: Settings,
    trials: int,
    folder: str | Path,
    *,
    space: Space = SPACE,
    jobs: int = 1,
    told: Callable[[int, float | None, dict[str, Any]], None] | None = None,
) -> Trained:
    """Search the space with `trials` trainings, then train with the best and write its run.

    Each trial is judged by its best validation loss; the test rows are seen by the last training
    only. A trial is ended early when after an epoch it is worse than the median of the others.
    `folder` keeps the trials: called again with the same settings, the search goes on where it
    was, in other processes too; `jobs` processes work at a time. `told(number, loss, values)` is
    called after each trial, with None as the loss of one that was ended. Sampling is optuna's TPE
    (J. Bergstra et al., "Algorithms for hyper-parameter optimization", NIPS 2011). SettingError
    when the folder is of another search; TrainingError when no trial came to an end.
    """
    with installed("tune", "a search"):
        import optuna  # noqa: F401 - where it is missing, nothing is begun
    path = Path(folder)
    _same_search(path, settings, space)
    search = _Search(settings, space, path, trials)
    study = _study(path, settings.seed)
    numbers = range(len(study.trials), len(study.trials) + trials - search.ended(study))
    if jobs == 1:
        _tell(told, map(search.trial, numbers))
    else:
        context = multiprocessing.get_context("spawn")
        with context.Pool(jobs, _begin, [search]) as pool:
            _tell(told, pool.imap_unordered(_trial, numbers))
    study = _study(path, settings.seed)
    if not any(trial.state.name == "COMPLETE" for trial in study.trials):
        raise TrainingError("no trial came to an end", hint="other ranges, such as a smaller lr")
    return train_table(_with(settings, study.best_params))


def _same_search(path: Path, settings: Settings, space: Space) -> None:
    """Note what is searched; SettingError if something else was searched here before."""
    lines = [f"# {name}: {part}\n" for name, part in space.items()]
    text = "".join(lines) + settings.to_toml()
    if (path / SETTINGS).exists() and (path / SETTINGS).read_text(encoding="utf-8") != text:
        raise SettingError(
            f"{path} holds a search with other settings", hint="--study with another folder"
        )
    path.mkdir(parents=True, exist_ok=True)
    (path / SETTINGS).write_text(text, encoding="utf-8")


def _study(path: Path, seed: int) -> Any:
    """The trials in a folder, which several processes may write to."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    journal = str(path / JOURNAL)
    return optuna.create_study(
        storage=JournalStorage(JournalFileBackend(journal, JournalFileOpenLock(journal))),
        sampler=optuna.samplers.TPESampler(seed=seed, constant_liar=True),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=3),
        study_name="chainrule",
        load_if_exists=True,
    )


@dataclass(frozen=True)
class _Search:
    """What is searched, until `trials` are done by all who work on them."""

    settings: Settings
    space: Space
    path: Path
    trials: int

    @cached_property
    def prepared(self) -> Prepared:
        return prepared_for(self.settings)

    def ended(self, study: Any) -> int:
        """How many trials came to an end, one way or another."""
        return sum(trial.state.is_finished() for trial in study.trials)

    def trial(self, number: int) -> Result | None:
        """Try settings; None if enough were tried meanwhile.

        Each trial draws from a seed of its own: a search that goes on is the unbroken one.
        """
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = _study(self.path, self.settings.seed + number)
        if self.ended(study) >= self.trials:
            return None
        found: list[Result] = []
        study.optimize(
            lambda trial: _tried(trial, self.settings, self.space, self.prepared),
            n_trials=1,
            catch=(TrainingError,),
            callbacks=[lambda _, done: found.append((done.number + 1, done.value, done.params))],
        )
        return found[0]


_searches: list[_Search] = []
"""The search of this process, where several work on one."""


def _begin(search: _Search) -> None:
    _searches.append(search)


def _trial(number: int) -> Result | None:
    try:
        return _searches[-1].trial(number)
    except KeyboardInterrupt:  # the process that asked for it says so
        return None


def _tell(told: Callable[..., None] | None, results: Iterable[Result | None]) -> None:
    for result in results:
        if told is not None and result is not None:
            told(*result)


def _tried(trial: Any, settings: Settings, space: Space, prepared: Prepared) -> float:
    """The best validation loss of one training."""
    import optuna

    def on_epoch(result: EpochResult) -> None:
        trial.report(result.validation_loss, result.epoch)
        if trial.should_prune():
            raise optuna.TrialPruned

    asked = _with(settings, {name: _suggested(trial, name, part) for name, part in space.items()})
    chosen = choose(asked, prepared.preparation, len(prepared.train))
    generator.manual_seed(chosen.seed)
    network = network_for(prepared.preparation, chosen)
    loss = loss_for(prepared.preparation, prepared.train.weights is not None)
    optimizer = optimizer_for(network, chosen)
    train, validation = prepared.train, prepared.validation
    history = learn(network, optimizer, loss, train, validation, chosen, on_epoch=on_epoch)
    if history.interrupted:
        raise KeyboardInterrupt
    return history.best.validation_loss


def _suggested(trial: Any, name: str, part: Range | Choice) -> Any:
    if isinstance(part, Choice):
        return trial.suggest_categorical(name, list(part.values))
    return trial.suggest_float(name, part.low, part.high, log=part.log)


def _with(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """The settings with the values of a trial."""
    read = {name: value.split(",") if name == "layers" else value for name, value in values.items()}
    return checked({**settings.model_dump(exclude_unset=True), **read})

"""Going back to any step of a run: from the nearest kept state, natively, as it was trained."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule import generator
from chainrule.compiler.epoch import run_epoch
from chainrule.core.program import Program
from chainrule.errors import ArtefactError, SettingError
from chainrule.train.heads import loss_for
from chainrule.train.keeping import (
    fingerprint,
    held,
    kept_epochs,
    kept_fingerprint,
    kept_losses,
    load_state,
)
from chainrule.train.kept_rows import Rows, keeps_rows, kept_rows
from chainrule.train.learning import arrays, loop_for, optimizer_for
from chainrule.train.loop import Loop
from chainrule.train.network import network_for
from chainrule.train.passed import Passed
from chainrule.train.passed import State as State
from chainrule.train.preparing import prepared_for
from chainrule.train.settings import Chosen
from chainrule.train.threads import one_thread_below

STRETCHES = 16
"""Between two kept states so many more are remembered once they were gone through."""


@dataclass(frozen=True)
class Place:
    """Where a step lies: its number in the run, its epoch and its place there, all from 1."""

    step: int
    epoch: int
    within: int
    rows: NDArray[np.int64]  # which training rows, in the order of the batch


class Replay:
    """A run whose training can be taken up at any step, with the rows that it was trained with.

    `losses`: those that the run kept, float64 [steps]. ArtefactError for a run that kept no
    states, and when data or settings are no longer those it was trained with.
    """

    def __init__(self, path: Path, settings: Chosen, prepared: Rows) -> None:
        self.path, self.settings, self.prepared = path, settings, prepared
        self.losses = kept_losses(path)
        self.kept = kept_epochs(path)
        if not self.kept:
            raise ArtefactError(
                f"the run {path} kept no states that a step could be replayed from",
                hint="train it again: chainrule train --config " + str(path / "settings.toml"),
            )
        self.loop, self.ran = self.loop_with({})
        self._passed = Passed()

    @staticmethod
    def of(path: Path, changes: Mapping[str, Any] | None = None) -> Replay:
        """The replay of the run in a folder, with `changes` to settings that leave its steps."""
        settings = chosen_settings(path).model_copy(update=dict(changes or {}))
        prepared = kept_rows(path) if keeps_rows(path) else prepared_for(settings)
        if fingerprint(arrays(prepared.train)) != kept_fingerprint(path):
            raise ArtefactError(
                f"{path} and {settings.data} no longer hold the rows that were trained with",
                hint="the data as they were then; what was predicted since needs only the model",
            )
        return Replay(path, settings, prepared)

    def loop_with(self, changes: Mapping[str, Any], rows: Rows | None = None) -> tuple[Loop, str]:
        """A loop like the run's, freshly initialised, with some settings changed; how it runs.

        `rows`: others than those that were trained with.
        """
        settings = Chosen.model_validate({**self.settings.model_dump(), **changes})
        rows = self.prepared if rows is None else rows
        with fixed_draws(settings.seed):
            network = network_for(rows.preparation, settings)
            loss = loss_for(rows.preparation, rows.train.weights is not None)
            train, validation = rows.train, rows.validation
            optimizer = optimizer_for(network, settings)
            loop = loop_for(network, optimizer, loss, train, validation, settings)
            ran = loop.compile(settings.epochs, settings.patience, settings.backend)
        return loop, ran

    @property
    def steps(self) -> int:
        """How many steps the run made."""
        return len(self.losses)

    def place(self, step: int) -> Place:
        """Where step `step`, from 1, lies; SettingError if the run has no such step."""
        if not 1 <= step <= self.steps:
            raise SettingError(
                f"the run has no step {step}", expected=f"1 to {self.steps:,}", got=step
            )
        epoch, within = divmod(step - 1, self.loop.steps_per_epoch)
        order = self.loop.order(epoch + 1)
        size = self.settings.batch_size
        return Place(step, epoch + 1, within + 1, order[within * size : (within + 1) * size])

    def before(self, step: int) -> State:
        """What all cells held before step `step`, from 1; the loop's cells hold it now."""
        place = self.place(step)
        epoch = max(kept for kept in self.kept if kept < place.epoch)
        start = epoch * self.loop.steps_per_epoch
        with self.cells_kept():
            known = self._passed.nearest(start, step)
            at, state = known or (start, load_state(self.path, epoch))
            put(self.loop, state)
            remembered = at
            while at < step - 1:
                at += self._run(at, step - 1)
                if at == step - 1 or at - remembered >= self._stretch():
                    self._passed.add(at, held(self.loop.state()))
                    remembered = at
            return held(self.loop.state())

    def _stretch(self) -> int:
        """How many steps lie between two states that are remembered."""
        epochs = self.kept[1] - self.kept[0] if len(self.kept) > 1 else 1
        return max(1, epochs * self.loop.steps_per_epoch // STRETCHES)

    def _run(self, at: int, until: int) -> int:
        """Run the steps after `at`, of one epoch at most; gives how many."""
        size, per_epoch = self.settings.batch_size, self.loop.steps_per_epoch
        epoch, done = divmod(at, per_epoch)
        count = min(per_epoch - done, until - at)
        order = self.loop.order(epoch + 1)
        planned = self.loop.planned(epoch + 1)
        part = {c: rates[done : done + count] for c, rates in (planned or {}).items()}
        rows = order[done * size : (done + count) * size]
        run_epoch(self.loop.step, self.loop.train, rows, size, part)
        return count

    def natively(self, place: Place, state: State) -> tuple[float, State]:
        """The step as it was trained: its loss, and what the cells hold after it."""
        with self.cells_kept():
            put(self.loop, {**state, **self.planned(place)})
            loss = self.loop.step(*self.loop.batch(place.rows)).item()
            return loss, held(self.loop.state())

    def planned(self, place: Place) -> State:
        """The learning rates of a step, by the names of their cells."""
        planned = self.loop.planned(place.epoch) or {}
        return {
            name: np.asarray(planned[cell][place.within - 1], cell.dtype)
            for name, cell in self.loop.state().items()
            if cell in planned
        }

    def program(self, place: Place) -> Program:
        """The recorded program of a step."""
        return self.loop.step.program(*self.loop.batch(place.rows))

    @contextmanager
    def cells_kept(self) -> Iterator[None]:
        """Inside, the loop's cells may be changed: also those of the default generator."""
        self.loop.network.train()
        largest = max(weight.size for weight in self.loop.network.parameters())
        multiplications = self.settings.batch_size * largest
        with fixed_draws(self.settings.seed), one_thread_below(multiplications):
            yield


def put(loop: Loop, state: State) -> None:
    """Let the loop's cells hold a state; ArtefactError if it is of another training."""
    cells = loop.state()
    if {n: c.shape for n, c in cells.items()} != {n: a.shape for n, a in state.items()}:
        raise ArtefactError("the kept state does not fit the network of the run's settings")
    for name, cell in cells.items():
        cell.hold(np.array(state[name]))


def chosen_settings(path: Path) -> Chosen:
    """The settings that a run was trained with; ArtefactError if they cannot be read."""
    file = path / "settings.toml"
    try:
        return Chosen.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError:
        raise ArtefactError(f"{path} is not the folder of a run") from None
    except ValueError as wrong:
        raise ArtefactError(f"{file} is not valid: {str(wrong).splitlines()[0]}") from None


@contextmanager
def fixed_draws(seed: int) -> Iterator[None]:
    """Inside, the default generator starts from `seed`; afterwards it is where it was."""
    before = generator.default_generator.state_dict()
    generator.manual_seed(seed)
    try:
        yield
    finally:
        generator.default_generator.load_state_dict(before)

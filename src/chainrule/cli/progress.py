"""Progress of a training: a live line on a terminal, plain lines elsewhere; both to stderr."""

from __future__ import annotations

import math
import sys
import time
from typing import Any

from chainrule.cli.text import duration, note, number
from chainrule.data import Prepared
from chainrule.train.loop import EpochResult
from chainrule.train.settings import Settings
from chainrule.train.table import Watcher

_PLAIN_EVERY = 5.0  # seconds between plain lines


class Progress(Watcher):
    """Says what goes on: epochs done, losses, the best so far, and the time left."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.live = sys.stderr.isatty() and not quiet
        self.best = math.inf
        self.best_epoch = 0
        self.began = self.said = time.perf_counter()
        self.bar: Any = None

    def ready(self, settings: Settings, prepared: Prepared, parameters: int) -> None:
        self.epochs = settings.epochs or 1
        self.steps = math.ceil(len(prepared.train) / (settings.batch_size or 1))
        self.began = self.said = time.perf_counter()
        if self.live:
            self._start()

    def _start(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self.bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("about"),
            TimeRemainingColumn(compact=True),
            TextColumn("left   {task.fields[losses]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self.bar.start()
        self.task = self.bar.add_task("training", total=self.epochs * self.steps, losses="")

    def step(self, epoch: int, step: int) -> None:
        if self.bar is not None:
            done = (epoch - 1) * self.steps + step
            self.bar.update(self.task, completed=done, description=f"epoch {epoch}/{self.epochs}")

    def epoch(self, result: EpochResult) -> None:
        if result.validation_loss < self.best:
            self.best, self.best_epoch = result.validation_loss, result.epoch
        losses = (
            f"loss {number(result.train_loss)}  validation {number(result.validation_loss)}"
            f"  best {number(self.best)} in epoch {self.best_epoch}"
        )
        if self.bar is not None:
            self.bar.update(self.task, losses=losses)
        elif not self.quiet and time.perf_counter() - self.said > _PLAIN_EVERY:
            self.said = time.perf_counter()
            spent = self.said - self.began
            left = spent / result.epoch * (self.epochs - result.epoch)
            note(f"epoch {result.epoch}/{self.epochs}  {losses}  at most {duration(left)} left")

    def close(self) -> None:
        """Take the live line away."""
        if self.bar is not None:
            self.bar.stop()
            self.bar = None

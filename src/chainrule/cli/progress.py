"""Progress of a training: a live line on a terminal, plain lines elsewhere; both to stderr."""

from __future__ import annotations

import math
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from chainrule.cli.text import duration, note, number
from chainrule.data import Prepared
from chainrule.explain import Finding
from chainrule.train import Chosen, EpochResult, Watcher

PLAIN_EVERY = 5.0
"""Seconds between two plain lines."""


class Progress(Watcher):
    """Says how far the training is, how well it goes, and how long it can take; a context manager.

    Silent if `quiet`.
    """

    def __init__(self, quiet: bool = False) -> None:
        console = Console(stderr=True)
        self.quiet = quiet
        self.live = console.is_terminal and not console.is_dumb_terminal and not quiet
        self.losses = ""
        self.best = math.inf
        self.found: set[str] = set()  # the names of findings
        self.bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=10),
            TextColumn("{task.fields[limit]}"),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[losses]}"),
            console=console,
            transient=True,
            disable=not self.live,
        )

    def __enter__(self) -> Self:
        self.bar.start()
        self.task = self.bar.add_task("reading the data", total=None, limit="", losses="")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.bar.stop()

    def ready(self, settings: Chosen, prepared: Prepared) -> None:
        self.epochs = settings.epochs
        self.steps = math.ceil(len(prepared.train) / settings.batch_size)
        self.began = self.said = time.perf_counter()
        whole = self.epochs * self.steps
        self.bar.reset(
            self.task, total=whole, description="training", limit="at most", losses="left"
        )

    def step(self, epoch: int, step: int) -> None:
        done = (epoch - 1) * self.steps + step
        if self.live:
            self.bar.update(self.task, completed=done, description=f"epoch {epoch}/{self.epochs}")
        elif not self.quiet and time.perf_counter() - self.said > PLAIN_EVERY:
            self._say(epoch, done)

    def finding(self, finding: Finding) -> None:
        self.found.add(finding.name)
        text = f"{finding.name.capitalize()}. {finding.what}: {finding.advice}"
        if self.live:  # above the live line
            self.bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
        elif not self.quiet:
            note(text)

    def _say(self, epoch: int, done: int) -> None:
        """One plain line, also in the midst of a long epoch."""
        self.said = time.perf_counter()
        whole = self.epochs * self.steps
        left = duration((self.said - self.began) / done * (whole - done))
        parts = [f"epoch {epoch}/{self.epochs}", f"{done / whole:.0%}", f"at most {left} left"]
        note("  ".join([*parts, self.losses]).rstrip())

    def epoch(self, result: EpochResult) -> None:
        self.best = min(self.best, result.validation_loss)
        self.losses = f"validation {number(result.validation_loss)}, best {number(self.best)}"
        self.bar.update(self.task, losses=f"left  {self.losses}")

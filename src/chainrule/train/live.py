"""Findings while a training goes on: only cheap ones, each said once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from chainrule.explain.checks import CHECKS
from chainrule.explain.evidence import Course, Evidence, Probe
from chainrule.explain.findings import Finding, findings
from chainrule.train.history import EpochResult
from chainrule.train.loop import LOOKED_AT

WARM_UP = 0.3
"""Share of the epochs over which the rate may still rise: what stands still may yet begin to move.

A rate that is too large is seen at once.
"""

LOOKING = 0.005
"""Share of the training's time in which the units of the network are looked at."""

SLOWER = 3.0
"""About how many times longer than training by them it takes to look at some rows, at first."""

LIVE = [replace(check, proof=None) for check in CHECKS if check.live]


class Live:
    """Looks at a training after each of its `epochs`, the units of its network less often."""

    def __init__(self, epochs: int, batch_size: int) -> None:
        self.warm_up = WARM_UP * epochs
        self.batches = max(1.0, LOOKED_AT / batch_size)
        self.results: list[EpochResult] = []
        self.said: set[str] = set()
        self.spent = self.last = 0.0

    def after(
        self, result: EpochResult, first: float, look: Callable[[], Probe] | None = None
    ) -> list[Finding]:
        """What is found after one more epoch and was not said before.

        `first`: the loss of the first step, before its update; `look` opens the network on rows.
        """
        self.results.append(result)
        began = time.perf_counter()
        probes = [look()] if look is not None and self._has_time(result) else []
        seen = found_by_now(self.results, first, result.epoch > self.warm_up, probes)
        found = [finding for finding in seen if finding.name not in self.said]
        if probes:
            self.last = time.perf_counter() - began
            self.spent += self.last
        self.said.update(finding.name for finding in found)
        return found

    def _has_time(self, result: EpochResult) -> bool:
        cost = self.last or SLOWER * self.batches * result.seconds / max(1, result.steps)
        return self.spent + cost <= LOOKING * result.seconds


def found_by_now(
    results: Sequence[EpochResult], first: float, warm: bool, probes: Sequence[Probe] = ()
) -> list[Finding]:
    """What the losses of some epochs say; `first`: the loss of the first step, before its update.

    `warm`: the rate has risen as far as it will, and what stands still may be said to do so.
    `probes`: the network as it is now.
    """
    train = np.array([one.train_loss for one in results])
    validation = np.array([one.validation_loss for one in results])
    course = Course(train, validation, np.array([first, *train]))
    evidence = Evidence(course=course, probes=probes)
    return findings(evidence, [c for c in LIVE if warm or not c.waits])

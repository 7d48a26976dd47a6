"""Findings while a training goes on: only cheap ones, each said once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from chainrule.explain.checks.course import COURSE
from chainrule.explain.evidence import Course, Evidence
from chainrule.explain.findings import Finding, findings
from chainrule.train.history import EpochResult

WARM_UP = 0.3
"""Share of the epochs over which the rate may still rise: what stands still may yet begin to move.

A rate that is too large is seen at once.
"""

LIVE = [replace(check, proof=False) for check in COURSE if check.live]


class Live:
    """Looks at a training after each of its `epochs`."""

    def __init__(self, epochs: int) -> None:
        self.warm_up = WARM_UP * epochs
        self.results: list[EpochResult] = []
        self.said: set[str] = set()

    def after(self, result: EpochResult, first: float) -> list[Finding]:
        """What is found after one more epoch and was not said before.

        `first`: the loss of the first step, before its update.
        """
        self.results.append(result)
        seen = found_by_now(self.results, first, result.epoch > self.warm_up)
        found = [finding for finding in seen if finding.name not in self.said]
        self.said.update(finding.name for finding in found)
        return found


def found_by_now(results: Sequence[EpochResult], first: float, warm: bool) -> list[Finding]:
    """What the losses of some epochs say; `first`: the loss of the first step, before its update.

    `warm`: the rate has risen as far as it will, and what stands still may be said to do so.
    """
    train = np.array([one.train_loss for one in results])
    validation = np.array([one.validation_loss for one in results])
    course = Course(train, validation, np.array([first, *train]))
    return findings(Evidence(course=course), [c for c in LIVE if warm or not c.waits])

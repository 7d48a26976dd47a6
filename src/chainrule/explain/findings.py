"""What may be wrong with a training: each finding a record, each check a record in a table."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chainrule.explain.evidence import Evidence
from chainrule.explain.plain import Shown, number
from chainrule.markup import notebook, tag

LOSS = "validation loss"

CLEAR = 0.03
"""A remedy that takes this share off the loss, or adds this to a score, has clearly helped."""


@dataclass(frozen=True)
class Trial(Shown):
    """A remedy that was tried: from a kept state, so many steps with other settings.

    `without` and `with_it`: the `measure` on the validation rows afterwards, with the settings as
    they were, and with the remedy: a loss, or a score, of which more is better.
    """

    settings: dict[str, Any]
    steps: int
    start: int
    without: float
    with_it: float
    measure: str = LOSS

    @property
    def gain(self) -> float:
        """The share of the loss that the remedy took away, or what it added to a score."""
        if self.measure != LOSS:
            return self.with_it - self.without
        if not math.isfinite(self.without):
            return 1.0
        return 1 - self.with_it / self.without if self.without > 0 else 0.0

    @property
    def helps(self) -> bool:
        """Whether the remedy left a loss that is clearly lower, or a score clearly higher."""
        return math.isfinite(self.with_it) and self.gain > CLEAR

    def __str__(self) -> str:
        changed = ", ".join(f"{name} = {_place(value)}" for name, value in self.settings.items())
        return (
            f"tried, {self.steps} steps from step {self.start} with {changed}: "
            f"{self._told(self.with_it)} instead of {self._told(self.without)}"
        )

    def _told(self, value: float) -> str:
        return f"{self.measure} {number(value)}" if math.isfinite(value) else "a loss that diverged"


@dataclass(frozen=True)
class Seen:
    """What a check saw: in words, as numbers, where, and the setting that may mend it."""

    what: str
    evidence: Mapping[str, float]
    where: Mapping[str, Any] = field(default_factory=dict)
    remedy: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding(Shown):
    """One thing that is wrong: what, the evidence as numbers, where, why it matters, what to do.

    `remedy`: settings that may mend it; `tried`: what they did, where that was tried.
    """

    name: str
    what: str
    evidence: dict[str, float]
    where: dict[str, Any]
    why: str
    advice: str
    remedy: dict[str, Any] = field(default_factory=dict)
    tried: Trial | None = None

    def __str__(self) -> str:
        where = ", ".join(f"{key} {_place(value)}" for key, value in self.where.items())
        lines = [f"{self.name.capitalize()}. {self.what}", *([f"where: {where}"] if where else [])]
        lines += [f"why it matters: {self.why}", f"what to do: {self.advice}"]
        lines += [str(self.tried)] if self.tried is not None else []
        return "\n  ".join(lines)

    def _repr_html_(self) -> str:
        name, *lines = str(self).split("\n  ")
        return notebook(tag("b", name), *(tag("p", line) for line in lines))


@dataclass(frozen=True)
class Check:
    """A check: its name, why what it finds matters, what to do, and how it looks.

    `find` gives what it sees in the evidence, and nothing where that is weak or missing.
    `proof`: only worth saying if the remedy was tried and gained more than this. `live`: cheap
    enough to look while a training goes on; `waits`: not before its rate has risen.
    """

    name: str
    why: str
    advice: str
    find: Callable[[Evidence], Iterable[Seen]]
    proof: float | None = None
    live: bool = False
    waits: bool = False


def findings(
    evidence: Evidence,
    checks: Sequence[Check],
    attempt: Callable[[Mapping[str, Any]], Trial | None] | None = None,
) -> list[Finding]:
    """What the checks find; remedies are tried by `attempt`, which gives None where it cannot."""
    found = []
    for check in checks:
        for seen in check.find(evidence):
            finding = _finding(check, seen)
            if seen.remedy and attempt is not None:
                finding = replace(finding, tried=attempt(seen.remedy))
            gain = -math.inf if finding.tried is None else finding.tried.gain
            if check.proof is None or gain > check.proof:
                found.append(finding)
    return found


def _finding(check: Check, seen: Seen) -> Finding:
    evidence = {name: float(value) for name, value in seen.evidence.items()}
    where, remedy = dict(seen.where), dict(seen.remedy)
    return Finding(check.name, seen.what, evidence, where, check.why, check.advice, remedy)


def findings_from_json(text: str) -> list[Finding]:
    """Findings as they were before `json.dumps(plain(findings))`; ValueError or so for others.

    >>> one = Finding("blue", "Blue.", {"share": 1.0}, {}, "it is.", "paint it.")
    >>> findings_from_json(f"[{one.to_json()}]") == [one]
    True
    """
    found = []
    for record in json.loads(text):
        tried = record["tried"] and Trial(**{**record["tried"], **_numbers(record["tried"])})
        found.append(Finding(**{**record, "tried": tried}))
    return found


def _numbers(tried: Mapping[str, Any]) -> dict[str, float]:
    """JSON knows no infinity: a loss that diverged is null there."""
    return {k: math.inf if tried[k] is None else tried[k] for k in ("without", "with_it")}


def _place(value: Any) -> str:
    if isinstance(value, list | tuple):
        shown = ", ".join(map(str, value[:6]))
        return shown + (f" and {len(value) - 6} more" if len(value) > 6 else "")
    return str(value)

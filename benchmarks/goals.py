"""What a measured number must reach and what it aims at, in words beside the number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """At least these two, or at most where `at_most`."""

    must: float
    aim: float
    at_most: bool = False

    def verdict(self, value: float) -> str:
        """`must 2.4, aim 3.3`, with a mark where the must is missed or the aim reached."""
        goals = f"must {self.must:g}, aim {self.aim:g}"
        if not self._reached(value, self.must):
            return f"{goals}  MISSED"
        return f"{goals}  aim reached" if self._reached(value, self.aim) else goals

    def _reached(self, value: float, goal: float) -> bool:
        return value <= goal if self.at_most else value >= goal


def duration(seconds: float) -> str:
    """Three or four digits in the unit that fits.

    >>> duration(0.0000123), duration(0.00456), duration(7.8)
    ('12.3 us', '4.56 ms', '7.80 s')
    """
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if seconds * factor >= 1.0 or unit == "us":
            value = seconds * factor
            return f"{value:.{max(0, 3 - len(str(int(value))))}f} {unit}"
    raise AssertionError


def slower(found: Mapping[str, float], peer: str, ours: str, goal: Goal | None = None) -> str:
    """How many times as long the peer takes, judged by `goal`; nothing if one was not measured."""
    if peer not in found or ours not in found:
        return ""
    ratio = found[peer] / found[ours]
    return f"{ratio:6.2f}" + (f"   {goal.verdict(ratio)}" if goal else "")


def table(
    labels: Mapping[str, str],
    found: Mapping[str, float],
    failures: Mapping[str, str],
    remarks: Mapping[str, str],
) -> str:
    """A line for each contender: its label, its seconds or why it failed, what there is to say."""
    lines = []
    for name, label in labels.items():
        time = duration(found[name]) if name in found else ""
        remark = remarks.get(name, "") if name in found else f"failed: {failures.get(name, '')}"
        lines.append(f"  {label:<24}{time:>10}   {remark}".rstrip())
    return "\n".join(lines)

"""Scores and numbers in words, for the terminal and for pages."""

from __future__ import annotations

from typing import Any

METRICS = {
    "rmse": "RMSE: size of the errors, large ones count more",
    "mae": "MAE: how far off on average",
    "r2": "R2: share of the ups and downs explained",
    "accuracy": "accuracy: share of right answers",
    "balanced_accuracy": "balanced accuracy: the same, each class counting alike",
    "log_loss": "log loss: how surprised by the truth; lower is better",
    "exact_match": "exact match: share of rows with every label right",
    "micro_f1": "micro F1: found and right, all labels counted together",
    "macro_f1": "macro F1: the same, each label counting alike",
    "average_precision": "average precision: 1 is perfect",
}
"""What a metric is, for somebody who sees it first."""

BASELINES = {
    "regression": "always the mean",
    "classification": "always the majority",
    "multi-label": "each label's majority",
    "mixed": "the trivial answers",
}
"""What the trivial answer is, per task."""


def number(value: Any) -> str:
    """A number with four digits that mean something.

    >>> [number(value) for value in (0.51234, 48230.4, 0.0000123, 7, float("nan"), None)]
    ['0.5123', '48,230', '1.23e-05', '7', 'n/a', 'n/a']
    """
    if value is None or value != value:
        return "n/a"
    if not isinstance(value, float):
        return f"{value:,}"
    size = abs(value)
    if size == 0 or 0.01 <= size < 1000:
        return f"{value:.4f}" if size < 10 else f"{value:.2f}"
    return f"{value:,.0f}" if 1000 <= size < 1e9 else f"{value:.3g}"


def scored(name: str, value: float | None) -> str:
    """A metric's value: a share with four decimals, anything else with four digits."""
    share = name not in ("rmse", "mae", "log_loss", "loss") and value is not None and value == value
    return f"{value:.4f}" if share else number(value)


def duration(seconds: float) -> str:
    """A time span in words.

    >>> duration(8.04), duration(125), duration(3780)
    ('8.0 s', '2 min 5 s', '1 h 3 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"

"""How results are written: tables of scores, counts, settings in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

NAMES = {
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R2",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "log_loss": "log loss",
}


def out(text: str = "") -> None:
    """Results: to standard output."""
    click.echo(text)


def note(text: str) -> None:
    """Progress and advice: to standard error."""
    click.echo(text, err=True)


def number(value: Any) -> str:
    """A number with four digits that mean something: 0.5123, 48,230, 1.2e-05."""
    if not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) else str(value)
    size = abs(value)
    if value != value or size == 0 or 1e-4 <= size < 1000:
        return f"{value:.4f}" if size < 10 else f"{value:.2f}"
    return f"{value:,.0f}" if 1000 <= size < 1e9 else f"{value:.2e}"


def table(rows: Sequence[Sequence[str]], indent: str = "  ") -> str:
    """Rows of texts as aligned columns: the first to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        indent
        + "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def scores(found: Mapping[str, float], baseline: Mapping[str, float], beside: str) -> str:
    """The scores of a model, beside those of the trivial prediction."""
    header = ["", *(NAMES.get(name, name) for name in found)]
    return table(
        [
            header,
            ["this model", *(number(value) for value in found.values())],
            [beside, *(number(baseline[name]) for name in found)],
        ]
    )


def trivial(task: str) -> str:
    """What the baseline does, in words."""
    return "always the mean" if task == "regression" else "always the majority"


def duration(seconds: float) -> str:
    """A time span: 8 s, 2 min 5 s, 1 h 3 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"

"""How results are written: tables of scores, numbers, durations, errors, JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import click

from chainrule.errors import ChainruleError
from chainrule.model.card import LABEL, Detail
from chainrule.wording import BASELINES, scored
from chainrule.wording import duration as duration
from chainrule.wording import number as number

NAMES = {
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R2",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "log_loss": "log loss",
    "exact_match": "exact match",
    "micro_f1": "micro F1",
    "macro_f1": "macro F1",
    "average_precision": "average precision",
    "f1": "F1",
}

MOST_LABELS = 20
"""So many labels are shown with their scores; JSON has all."""


def out(text: str = "") -> None:
    """Results: to standard output."""
    click.echo(text)


def note(text: str) -> None:
    """Progress and advice: to standard error."""
    click.echo(text, err=True)


def table(rows: Sequence[Sequence[str]], indent: str = "  ", left: int = 1) -> str:
    """Rows of texts as aligned columns: the first `left` ones to the left, the others to the right.

    >>> print(table([["", "RMSE"], ["this model", "5.5"]], indent=""))
                RMSE
    this model   5.5
    """
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        indent
        + "  ".join(
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def scores(found: Mapping[str, Any], baseline: Mapping[str, Any], task: str) -> str:
    """The scores of a model, beside those of the trivial answer."""
    header = ["", *(NAMES.get(name, name) for name in found)]
    mine = ["this model", *(scored(name, value) for name, value in found.items())]
    trivial = [BASELINES[task], *(scored(name, baseline.get(name)) for name in found)]
    return table([header, mine, trivial])


def all_scores(
    found: Mapping[str, Any],
    baseline: Mapping[str, Any],
    task: str,
    details: Sequence[Detail],
) -> str:
    """The scores of a model, those of each target or label first, beside the trivial answer's."""
    targets = [detail for detail in details if detail.task != LABEL]
    labels = [detail for detail in details if detail.task == LABEL]
    blocks = [f"{t.of}:\n{scores(t.scores, t.baseline, t.task)}" for t in targets]
    blocks += [_label_table(labels)] if labels else []
    together = scores(found, baseline, task)
    return "\n\n".join([*blocks, f"all together:\n{together}" if details else together])


def _label_table(labels: Sequence[Detail]) -> str:
    """A line for each label: each metric, and in brackets that of the trivial answer."""
    names = list(labels[0].scores)
    rows = [["label", *(NAMES.get(name, name) for name in names)]]
    for label in labels[:MOST_LABELS]:
        pairs = ((name, label.scores[name], label.baseline[name]) for name in names)
        rows.append([label.of, *(f"{scored(n, a)} ({scored(n, b)})" for n, a, b in pairs)])
    left = len(labels) - MOST_LABELS
    more = f"\n  and {left:,} more: --json" if left > 0 else ""
    return f"each label (each label's majority):\n{table(rows)}{more}"


def as_json(value: Any, indent: int | None = 1) -> str:
    """A value as JSON; a number that is not finite becomes null.

    >>> as_json({"r2": float("nan")}, indent=None)
    '{"r2": null}'
    """
    return json.dumps(_finite(value), indent=indent, ensure_ascii=False, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def error_line(error: ChainruleError) -> str:
    """An error as one line of prose.

    >>> from chainrule.errors import DataError
    >>> error_line(DataError("there is no file a.csv", hint="did you mean b.csv?"))
    'there is no file a.csv; did you mean b.csv?'
    >>> error_line(DataError("no", expected="two rows", got="one", hint="another file"))
    'no (expected two rows, got one); try: another file'
    """
    parts = [f"{word} {part}" for word, part in error.parts() if word != "try"]
    line = error.what + (f" ({', '.join(parts)})" if parts else "")
    if error.hint is None:
        return " ".join(line.split())
    hint = str(error.hint)
    return " ".join(f"{line}; {hint if hint.endswith('?') else f'try: {hint}'}".split())

"""How good predictions are, in numbers that people use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

NAMES = {
    "regression": ("rmse", "mae", "r2"),
    "classification": ("accuracy", "balanced_accuracy", "log_loss"),
    "multi-label": (
        "accuracy", "exact_match", "micro_f1", "macro_f1", "average_precision", "log_loss",
    ),
}  # fmt: skip
"""The metrics of each task."""

MAIN = {"regression": "rmse", "classification": "accuracy", "multi-label": "micro_f1"}
"""The metric that a model is judged by, per task."""

ALL_TARGETS = "loss"
"""The metric that a model of several targets is judged by: the loss that it was trained by."""

WITH_UNITS = frozenset(["rmse", "mae", "log_loss"])
"""Metrics that are no shares, so that their mean over targets would mean nothing."""


def main_metric(task: str, scores: Mapping[str, Any]) -> str:
    """The metric that a model with these scores is judged by.

    >>> main_metric("regression", {"rmse": 2.5}), main_metric("regression", {"loss": 0.5})
    ('rmse', 'loss')
    """
    main = MAIN.get(task, ALL_TARGETS)
    return main if main in scores else ALL_TARGETS


def regression_metrics(predicted: NDArray[Any], true: NDArray[Any]) -> dict[str, float]:
    """rmse and mae in the target's units, and r2: the share of the variance explained.

    >>> regression_metrics(np.array([1.0, 3.0]), np.array([1.0, 5.0]))
    {'rmse': 1.4142, 'mae': 1.0, 'r2': 0.5}
    """
    apart = predicted - true
    spread = float(np.sum((true - true.mean()) ** 2))
    return {
        "rmse": float(np.sqrt(np.mean(apart**2))),
        "mae": float(np.mean(np.abs(apart))),
        "r2": 1.0 - float(np.sum(apart**2)) / spread if spread else float("nan"),
    }


def classification_metrics(probabilities: NDArray[Any], true: NDArray[Any]) -> dict[str, float]:
    """accuracy; balanced accuracy (mean over the classes present); log loss in nats a row.

    >>> classification_metrics(np.array([[0.5, 0.5], [0.0, 1.0]]), np.array([0, 1]))
    {'accuracy': 1.0, 'balanced_accuracy': 1.0, 'log_loss': 0.3466}
    """
    chosen = probabilities.argmax(axis=1)
    right = chosen == true
    per_class = [float(right[true == kind].mean()) for kind in np.unique(true)]
    sure = np.clip(probabilities[np.arange(len(true)), true].astype(np.float64), 1e-15, 1.0)
    return {
        "accuracy": float(right.mean()),
        "balanced_accuracy": float(np.mean(per_class)),
        "log_loss": float(-np.log(sure).mean()),
    }


def label_metrics(probabilities: NDArray[Any], true: NDArray[Any]) -> dict[str, float]:
    """The metrics of labels, [n, labels]; `true` is 1, 0, or NaN where it is not known.

    accuracy: the share of right yes and no; exact_match: of rows right in every known label;
    micro_f1: 2 hits / (2 hits + misses + false alarms), all labels counted together; macro_f1 and
    average_precision: means over labels, of those of `label_scores`; log loss in nats a label,
    the mean over labels.

    >>> label_metrics(np.array([[0.9, 0.2], [0.6, 0.7]]), np.array([[1.0, 0.0], [0.0, 1.0]]))
    ... # doctest: +NORMALIZE_WHITESPACE
    {'accuracy': 0.75, 'exact_match': 0.5, 'micro_f1': 0.8, 'macro_f1': 0.8333,
     'average_precision': 1.0, 'log_loss': 0.4004}
    """
    known = ~np.isnan(true)
    said, holds = (probabilities > 0.5)[known], true[known] > 0.5
    wrong = known & ((probabilities > 0.5) != (true > 0.5))
    each = label_scores(probabilities, true)
    return {
        "accuracy": float((said == holds).mean()),
        "exact_match": float((~wrong.any(axis=1))[known.any(axis=1)].mean()),
        "micro_f1": _f1(said, holds),
        "macro_f1": _mean(found["f1"] for found in each),
        "average_precision": _mean(found["average_precision"] for found in each),
        "log_loss": _mean(found["log_loss"] for found in each),
    }


METRICS: dict[str, Callable[[NDArray[Any], NDArray[Any]], dict[str, float]]] = {
    "regression": regression_metrics,
    "classification": classification_metrics,
    "multi-label": label_metrics,
}


def score(task: str, outputs: NDArray[Any], true: NDArray[Any]) -> dict[str, float]:
    """The metrics of a task: `outputs` are numbers in the target's units, or probabilities."""
    return METRICS[task](outputs, true)


def label_scores(probabilities: NDArray[Any], true: NDArray[Any]) -> list[dict[str, float]]:
    """accuracy, f1, average precision and log loss of each label, over its known rows, [n, labels].

    NaN where nothing is known; average precision where the label holds nowhere.
    """
    found = []
    for sure, holds in zip(probabilities.T.astype(np.float64), true.T, strict=True):
        known = ~np.isnan(holds)
        sure, yes = sure[known], holds[known] > 0.5
        right = np.clip(np.where(yes, sure, 1 - sure), 1e-15, 1.0)
        found.append(
            {
                "accuracy": float(((sure > 0.5) == yes).mean()) if len(yes) else float("nan"),
                "f1": _f1(sure > 0.5, yes),
                "average_precision": average_precision(sure, yes),
                "log_loss": float(-np.log(right).mean()) if len(yes) else float("nan"),
            }
        )
    return found


def _f1(said: NDArray[np.bool_], holds: NDArray[np.bool_]) -> float:
    """2 hits / (2 hits + misses + false alarms); 0 without hits."""
    hits, apart = np.count_nonzero(said & holds), np.count_nonzero(said != holds)
    return float(2 * hits / (2 * hits + apart)) if hits else 0.0


def average_precision(scores: NDArray[Any], holds: NDArray[np.bool_]) -> float:
    """The mean precision over the rows that hold, as the threshold falls; NaN if there are none.

    sum over thresholds of (recall gained) (precision there); equal scores are one threshold. Of
    scores that are all the same it is the share that holds.

    >>> average_precision(np.array([0.9, 0.8, 0.7]), np.array([True, False, True]))
    0.8333
    """
    if not holds.any():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    hits = np.cumsum(holds[order])[ends]
    precision, recall = hits / (ends + 1), hits / hits[-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def recall_at(
    count: int, scores: NDArray[Any], wanted: NDArray[np.bool_], known: NDArray[np.bool_]
) -> float:
    """Of what each row wants, the share among its first `count` recommendations; the mean of rows.

    hits / min(count, wanted), over rows that want something. `scores`, `wanted` and `known`
    [rows, items]: what is `known` already is not recommended.

    >>> scores, wanted = np.array([[0.9, 0.5, 0.1]]), np.array([[False, False, True]])
    >>> recall_at(1, scores, wanted, known=np.array([[True, True, False]]))
    1.0
    """
    count = min(count, scores.shape[1])
    open_to = np.where(known, -np.inf, scores)
    first = np.argpartition(-open_to, count - 1, axis=1)[:, :count]
    hits = np.take_along_axis(wanted & ~known, first, axis=1).sum(axis=1)
    possible = np.minimum(count, wanted.sum(axis=1))
    return float(np.mean((hits / np.maximum(possible, 1))[possible > 0]))


def overall_metrics(
    scores: Sequence[Mapping[str, float]], losses: Sequence[float]
) -> dict[str, float]:
    """The metrics of several targets together: the sum of their losses, and the means of shares.

    `losses` are as each counts in the sum. Only shares that every target has, such as r2, have a
    mean.

    >>> overall_metrics([{"rmse": 1.0, "r2": 0.5}, {"rmse": 9.0, "r2": 1.0}], [0.1, 0.2])
    {'loss': 0.3, 'r2': 0.75}
    """
    first = list(scores[0])
    shared = [n for n in first if n not in WITH_UNITS and all(n in found for found in scores)]
    means = {name: float(np.mean([found[name] for found in scores])) for name in shared}
    return {ALL_TARGETS: float(sum(losses)), **means}


def _mean(values: Iterable[float]) -> float:
    """The mean of those that are numbers; NaN if none is."""
    known = [value for value in values if value == value]
    return float(np.mean(known)) if known else float("nan")

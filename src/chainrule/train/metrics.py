"""How good predictions are, in numbers that people use."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MAIN = {"regression": "rmse", "classification": "accuracy"}
"""The metric that a model is judged by, per task."""


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


def score(task: str, outputs: NDArray[Any], true: NDArray[Any]) -> dict[str, float]:
    """The metrics of a task: `outputs` are numbers in the target's units, or probabilities."""
    if task == "regression":
        return regression_metrics(outputs, true)
    return classification_metrics(outputs, true)

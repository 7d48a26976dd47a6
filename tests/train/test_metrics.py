"""Metrics against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from chainrule.train import recall_at, score


def test_regression() -> None:
    """Errors 1, -1, 2 around a mean of 2: squares 6 of a spread of 2."""
    found = score("regression", np.array([2.0, 1.0, 5.0]), np.array([1.0, 2.0, 3.0]))
    assert found == pytest.approx({"rmse": math.sqrt(2), "mae": 4 / 3, "r2": 1 - 6 / 2})


def test_r2_of_a_constant_is_not_defined() -> None:
    found = score("regression", np.array([1.0, 2.0]), np.array([3.0, 3.0]))
    assert math.isnan(found["r2"])
    assert found["mae"] == 1.5


def test_classification() -> None:
    """Three of class 0, two right; one of class 1, right; class 2 is absent."""
    probabilities = np.array(
        [[0.5, 0.25, 0.25], [0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.1, 0.8, 0.1]], np.float32
    )
    found = score("classification", probabilities, np.array([0, 0, 0, 1]))
    logs = math.log(0.5) + math.log(0.8) + math.log(0.2) + math.log(0.8)
    assert found == pytest.approx(
        {"accuracy": 0.75, "balanced_accuracy": (2 / 3 + 1) / 2, "log_loss": -logs / 4}, rel=1e-6
    )


def test_a_sure_mistake_has_a_finite_loss() -> None:
    found = score("classification", np.array([[1.0, 0.0]], np.float32), np.array([1]))
    assert found["log_loss"] == pytest.approx(-math.log(1e-15))


def test_recall_at_counts_what_is_not_known_yet() -> None:
    """Of two wanted one is found; of one wanted none; who wants nothing does not count."""
    scores = np.array([[9, 8, 7, 1], [9, 8, 7, 1], [9, 8, 7, 1]], float)
    wanted = np.array([[0, 1, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]], bool)
    known = np.array([[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]], bool)
    assert recall_at(2, scores, wanted, known) == pytest.approx((1 / 2 + 0) / 2)
    assert recall_at(10, scores, wanted, known) == 1.0  # fewer items than that

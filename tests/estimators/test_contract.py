"""scikit-learn's own checks of an estimator."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("sklearn.callback", reason="needs scikit-learn 1.9")

from sklearn.utils.estimator_checks import parametrize_with_checks

from chainrule.estimators import NeuralClassifier, NeuralRegressor

QUICK = {"layers": (16,), "epochs": 25, "lr": 0.02, "backend": "interpret"}
BATCHES = "batches, and rows held out, are others where a row stands twice than where it counts 2"
EXPECTED = {"check_sample_weight_equivalence_on_dense_data": BATCHES}


@parametrize_with_checks(
    [NeuralRegressor(**QUICK), NeuralClassifier(**QUICK)],
    expected_failed_checks=lambda estimator: EXPECTED,
)
def test_contract(estimator: Any, check: Any) -> None:
    check(estimator)

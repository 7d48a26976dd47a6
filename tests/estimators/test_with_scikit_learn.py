"""The estimators inside scikit-learn's own tools."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn.callback", reason="needs scikit-learn 1.9")

import joblib
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.callback import ScoringMonitor
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from chainrule.estimators import NeuralClassifier, NeuralRegressor

QUICK: dict[str, Any] = {
    "layers": (16,), "epochs": 12, "lr": 0.02, "random_state": 0, "backend": "interpret"
}  # fmt: skip


def test_pipeline_and_columns_with_set_output(ships: Any) -> None:
    X, y = ships
    columns = ColumnTransformer(
        [
            ("numbers", StandardScaler(), ["load", "crew"]),
            ("port", OneHotEncoder(sparse_output=False), ["port"]),
        ]
    )
    pipeline = make_pipeline(columns, NeuralRegressor(**QUICK)).set_output(transform="pandas")
    assert pipeline.fit(X, y).score(X, y) > 0.8
    names = pipeline[-1].feature_names_in_.tolist()
    assert names == ["numbers__load", "numbers__crew"] + [
        f"port__port_{port}" for port in ("Bergen", "Oslo", "Turku")
    ]


def test_a_frame_needs_no_transformers(ships: Any) -> None:
    X, y = ships
    regressor = NeuralRegressor(**QUICK).fit(X, y)
    assert regressor.score(X, y) > 0.8
    kinds = {record.name: record.kind for record in regressor.model_.preparation.inputs}
    assert kinds == {"load": "numeric", "crew": "numeric", "port": "one-hot"}
    odd = X.head(3).assign(port=["Oslo", None, "Atlantis"], load=[np.nan, 1.0, 2.0])
    assert np.isfinite(regressor.predict(odd)).all()


def test_grid_search_and_cross_validation(blobs: Any) -> None:
    X, y = blobs
    search = GridSearchCV(NeuralClassifier(**QUICK), {"layers": [(4,), (16, 8)]}, cv=2)
    search.fit(X, y)
    assert search.best_score_ > 0.8
    scores = cross_val_score(NeuralClassifier(**QUICK), X, y, cv=2)
    assert scores.min() > 0.8
    proba = cross_val_predict(NeuralClassifier(**QUICK), X, y, cv=2, method="predict_proba")
    assert proba.shape == (200, 2)


def test_calibration_and_importance(blobs: Any) -> None:
    X, y = blobs
    X = np.column_stack([X, np.zeros(len(X))])
    calibrated = CalibratedClassifierCV(NeuralClassifier(**QUICK), cv=2).fit(X, y)
    assert calibrated.predict_proba(X).sum(axis=1) == pytest.approx(1)
    found = permutation_importance(calibrated, X, y, n_repeats=2, random_state=0)
    assert found.importances_mean[3] == 0
    assert found.importances_mean[:3].min() > 0


def test_a_transformed_target(blobs: Any) -> None:
    X, _ = blobs
    y = np.exp(X[:, 0])
    made = TransformedTargetRegressor(NeuralRegressor(**QUICK), func=np.log, inverse_func=np.exp)
    assert made.fit(X, y).predict(X).min() > 0


@pytest.mark.parametrize("kind", [NeuralClassifier, NeuralRegressor])
def test_joblib_and_clone(kind: Any, blobs: Any, tmp_path: Path) -> None:
    X, labels = blobs
    y = labels if kind is NeuralClassifier else X[:, 0]
    fitted = kind(**QUICK).fit(X, y)
    joblib.dump(fitted, tmp_path / "fitted")
    there = joblib.load(tmp_path / "fitted")
    np.testing.assert_array_equal(there.predict(X), fitted.predict(X))
    there.partial_fit(X, y)  # it goes on learning, here as there
    fitted.partial_fit(X, y)
    np.testing.assert_array_equal(there.predict(X), fitted.predict(X))
    assert not hasattr(clone(fitted), "model_")
    again = clone(fitted).fit(X, y)
    np.testing.assert_array_equal(again.predict(X), kind(**QUICK).fit(X, y).predict(X))


def test_callbacks_score_each_epoch_and_may_stop(blobs: Any) -> None:
    X, y = blobs
    monitor = ScoringMonitor(scoring="accuracy")
    classifier = NeuralClassifier(**QUICK).set_callbacks(monitor, StopAfter(3))
    classifier.fit(X, y)
    epochs = [entry for entry in monitor.get_logs().data if entry["task_name"] == "epoch"]
    assert classifier.n_iter_ == len(epochs) == 3
    assert epochs[-1]["accuracy"] == classifier.score(X, y)  # nothing later was better


class StopAfter:
    """A callback that ends the fit after some epochs."""

    def __init__(self, epochs: int) -> None:
        self.epochs, self.told = epochs, list[str]()

    def setup(self, estimator: Any, context: Any) -> None:
        self.told.append("setup")

    def teardown(self, estimator: Any, context: Any) -> None:
        self.told.append("teardown")

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        self.told.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator: Any, context: Any) -> bool:
        self.told.append(f"end {context.task_name}")
        return context.task_name == "epoch" and self.told.count("end epoch") == self.epochs


def test_callbacks_are_told_in_order(blobs: Any) -> None:
    callback = StopAfter(2)
    NeuralRegressor(**QUICK).set_callbacks(callback).fit(*blobs[:1], blobs[0][:, 0])
    epochs = ["begin epoch", "end epoch"] * 2
    assert callback.told == ["setup", "begin fit", *epochs, "end fit", "teardown"]

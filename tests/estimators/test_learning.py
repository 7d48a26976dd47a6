"""What the estimators learn: weights, seeds, going on, stopping; and their model elsewhere."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn.callback", reason="needs scikit-learn 1.9")

import chainrule as cr
from chainrule.estimators import NeuralClassifier, NeuralRegressor
from chainrule.model import load, save

QUICK: dict[str, Any] = {
    "layers": (16,), "epochs": 12, "lr": 0.02, "random_state": 0, "backend": "interpret"
}  # fmt: skip


def test_the_model_is_the_one_that_is_saved(ships: Any, tmp_path: Path) -> None:
    X, y = ships
    regressor = NeuralRegressor(**QUICK).fit(X, y)
    model = load(save(regressor.model_, tmp_path / "model"))
    np.testing.assert_array_equal(model.predict(X).values, regressor.predict(X))
    np.testing.assert_array_equal(
        model.predict(X[["port", "load", "crew"]]).values, regressor.predict(X)
    )


def test_the_model_of_classes_is_too(ships: Any, tmp_path: Path) -> None:
    X, y = ships
    classifier = NeuralClassifier(**QUICK).fit(X, np.where(y > 2, 1, 0))
    found = load(save(classifier.model_, tmp_path / "model")).predict(X)
    assert found.values.tolist() == classifier.predict(X).astype(str).tolist()
    np.testing.assert_allclose(found.probabilities, classifier.predict_proba(X), atol=1e-6)


def test_a_seed_fixes_all_and_leaves_the_others_numbers_alone(blobs: Any) -> None:
    X, y = blobs
    cr.manual_seed(5)
    first = NeuralClassifier(**{**QUICK, "dropout": 0.3}).fit(X, y).predict_proba(X)
    after = cr.rand(3).tolist()
    cr.manual_seed(6)
    again = NeuralClassifier(**{**QUICK, "dropout": 0.3}).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(first, again)
    cr.manual_seed(5)
    assert cr.rand(3).tolist() == after
    other = NeuralClassifier(**{**QUICK, "random_state": 1}).fit(X, y).predict_proba(X)
    assert not np.array_equal(first, other)


def test_rows_of_weight_0_are_not_there(blobs: Any) -> None:
    X, y = blobs
    weights = np.ones(len(X))
    weights[::3] = 0
    weighted = NeuralClassifier(**QUICK).fit(X, y, sample_weight=weights)
    without = NeuralClassifier(**QUICK).fit(X[weights > 0], y[weights > 0], np.ones(133))
    np.testing.assert_array_equal(weighted.predict_proba(X), without.predict_proba(X))


def test_class_weight_moves_the_border(blobs: Any) -> None:
    X, y = blobs
    few = np.r_[0:100, 100:110]
    plain, balanced, heavy = (
        NeuralClassifier(**QUICK, class_weight=weight).fit(X[few], y[few])
        for weight in (None, "balanced", {"yes": 50})
    )
    found = [(made.predict(X) == "yes").mean() for made in (plain, balanced, heavy)]
    assert found[0] < found[1] < found[2]


def test_early_stopping_keeps_the_best_epoch(blobs: Any) -> None:
    X, y = blobs
    many = {**QUICK, "epochs": 60, "patience": 3, "lr": 0.1, "schedule": "constant"}
    stopped = NeuralClassifier(**many).fit(X, y)
    losses = stopped.history_["validation_loss"]
    assert len(losses) == stopped.n_iter_ == np.argmin(losses) + 4 < 60
    whole = NeuralClassifier(**{**many, "early_stopping": False}).fit(X, y)
    assert whole.n_iter_ == 60
    assert np.isnan(whole.history_["validation_loss"]).all()


def test_warm_start_goes_on(blobs: Any) -> None:
    X, y = blobs
    warm = NeuralClassifier(**QUICK, warm_start=True, patience=12).fit(X, y)
    before = warm.history_["train_loss"][0]
    model = warm.model_
    first = model.predict({f"x{i}": X[:, i] for i in range(3)}).probabilities
    warm.fit(X, y)
    assert warm.n_iter_ == len(warm.history_["train_loss"]) == 24
    assert warm.history_["train_loss"][12] < before
    again = model.predict({f"x{i}": X[:, i] for i in range(3)}).probabilities
    np.testing.assert_array_equal(first, again)  # a model is not changed by what comes later
    with pytest.raises(ValueError, match="maybe"):
        warm.fit(X, np.where(y == "yes", "maybe", y))


def test_partial_fit_learns_an_epoch_a_call(blobs: Any) -> None:
    X, y = blobs
    order = np.random.default_rng(0).permutation(len(X))
    classifier = NeuralClassifier(**{**QUICK, "lr": 0.01})
    classes = ["no", "other", "yes"]
    for _ in range(3):
        for part in np.split(order, 4):
            classifier.partial_fit(X[part], y[part], classes=classes)
    assert classifier.n_iter_ == 12
    assert classifier.score(X, y) > 0.8
    assert classifier.predict_proba(X).shape == (200, 3)


def test_partial_fits_record_their_step_once_for_a_size(blobs: Any) -> None:
    X, labels = blobs
    y, regressor = X[:, 0], NeuralRegressor(**QUICK, batch_size=40)
    for rows in (50, 50, 50):
        regressor.partial_fit(X[:rows], y[:rows])
    step = regressor._learner.loops[False].step
    assert len(step.programs) == 2  # 40 rows and 10
    again = pickle.loads(pickle.dumps(regressor))  # which has none, and goes on all the same
    for made in (regressor, again):
        made.partial_fit(X[:60], y[:60]).partial_fit(X[:50], y[:50])
    np.testing.assert_array_equal(regressor.predict(X), again.predict(X))
    assert len(step.programs) == 3
    for rows in range(41, 66):  # others at each call: not all of them are kept
        regressor.partial_fit(X[:rows], y[:rows])
    assert len(regressor._learner.loops[False].step.programs) < 30


def test_partial_fits_become_machine_code_where_it_pays(
    blobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, _ = blobs
    monkeypatch.setattr("chainrule.compiler.step.breakeven", lambda program: 3)  # runs
    made, plain = (
        NeuralRegressor(**{**QUICK, "backend": backend, "batch_size": 25})
        for backend in ("native", "interpret")
    )
    for _ in range(5):
        for one in (made, plain):
            one.partial_fit(X[:50], X[:50, 0])
    (found,) = made._learner.loops[False].step.variants.values()
    assert [variant.runs_epochs for variant in found] == [True]
    np.testing.assert_allclose(made.predict(X), plain.predict(X), rtol=1e-4, atol=1e-5)


def test_targets_are_called_as_y_is(ships: Any) -> None:
    X, y = ships
    pandas = pytest.importorskip("pandas")
    for given, names in (
        (pandas.Series(y, name="charge"), ["charge"]),
        (pandas.Series(y, name="port"), ["target port"]),  # a column has that name
        (pandas.DataFrame({"a": y, "b": -y}), ["a", "b"]),
        (y, ["y"]),
    ):
        made = NeuralRegressor(**{**QUICK, "epochs": 1}).fit(X, given)
        assert [target.name for target in made.model_.preparation.targets] == names


def test_settings_that_are_none_are_said(blobs: Any) -> None:
    with pytest.raises(ValueError, match="activation cannot be 'relux'"):
        NeuralClassifier(activation="relux").fit(*blobs)
    with pytest.raises(ValueError, match="x0"):
        NeuralClassifier(encode={"x0": "onehot"}).fit(*blobs)


def test_types_and_encodings_are_asked_for(blobs: Any) -> None:
    X, y = blobs
    made = NeuralClassifier(**QUICK, types={"x0": "category"}, encode={"x1": "robust"})
    kinds = [record.kind for record in made.fit(X.round(), y).model_.preparation.inputs]
    assert kinds == ["one-hot", "numeric", "numeric"]


def test_a_column_without_a_number_is_left_out(blobs: Any) -> None:
    X, y = blobs
    X = np.column_stack([X, np.full(len(X), np.nan)])
    assert "x3" in NeuralClassifier(**QUICK).fit(X, y).model_.preparation.left_out


def test_without_scikit_learn_the_error_says_what_to_install() -> None:
    code = "import sys; sys.modules['sklearn'] = None; import chainrule.estimators"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "pip install 'chainrule[sklearn]'" in ran.stderr


def test_several_numbers_a_row(blobs: Any, tmp_path: Path) -> None:
    X, _ = blobs
    y = np.column_stack([100 * X[:, 0], X[:, 1] - X[:, 2]])
    regressor = NeuralRegressor(**{**QUICK, "epochs": 40}).fit(X, y)
    assert regressor.predict(X).shape == y.shape
    assert regressor.score(X, y) > 0.9
    found = load(save(regressor.model_, tmp_path / "model")).predict(X)
    np.testing.assert_array_equal(found["y1"].values, regressor.predict(X)[:, 1])


def test_several_classes_a_row(blobs: Any) -> None:
    X, labels = blobs
    y = np.column_stack([labels, np.where(X[:, 2] > 1, "high", "low")])
    classifier = NeuralClassifier(**{**QUICK, "epochs": 40}).fit(X, y)
    assert [classes.tolist() for classes in classifier.classes_] == [["no", "yes"], ["high", "low"]]
    assert (classifier.predict(X) == y).mean() > 0.85
    assert [part.shape for part in classifier.predict_proba(X)] == [(200, 2), (200, 2)]

"""NeuralRegressor: numbers from rows."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.callback import with_callbacks

from chainrule.data import ScaledTarget, Target
from chainrule.data.target import moments
from chainrule.estimators.base import NeuralEstimator


class NeuralRegressor(RegressorMixin, NeuralEstimator):  # type: ignore[misc]
    """A network that predicts numbers, one or several a row, from rows with columns of any kind.

    Rows are prepared as `chainrule train` does it: numbers scaled and spread over quantile bins,
    categories one-hot or embedded, texts as words, missing cells marked; numeric columns are
    numbers, the others are what their cells vote. The preparation is learned from the training
    rows alone, and the first fit's is kept by a warm start and by partial fits.

    `layers`: widths of the hidden layers. `activation`: relu, gelu, silu or tanh. `dropout`:
    share of neurons left out a step. `optimizer`: adam, adamw, sgd, rmsprop or adagrad.
    `schedule`: constant, cosine or one-cycle, up to the rate `lr`. `batch_size` rows a step,
    `epochs` passes at most, `weight_decay` the pull of the weights towards zero. None: chosen from
    the number of rows. With `early_stopping`, of 20 rows and more `validation_fraction` are held
    out; the weights of the epoch that is best for them are kept, and `patience` epochs without a
    better one end the training. `types` and `encode`: how columns are read and encoded, by name.
    With `warm_start`, fit goes on from the weights that are there. `random_state` fixes what is
    held out, initial weights, order and dropout. `backend`: "native" (machine code where it
    pays) or "interpret".

    After fit: `model_`, which `chainrule.model.save` writes as a folder; `history_`, lists by
    epoch: train_loss, validation_loss, rate, seconds; `n_iter_`, `n_features_in_`,
    `feature_names_in_` for frames with names.

    >>> x = np.linspace(0, 1, 200)[:, None]
    >>> regressor = NeuralRegressor(epochs=60, random_state=0).fit(x, 3 * x[:, 0])
    >>> regressor.score(x, 3 * x[:, 0]) > 0.99
    True
    """

    _numeric_target = True

    def predict(self, X: Any) -> NDArray[np.float64]:
        """The predicted numbers, float64 [n] or [n, outputs] as y was, in its units."""
        outputs = self._outputs(X)
        pairs = zip(self.model_.preparation.targets, outputs, strict=True)
        numbers = np.stack([target.inverse(part) for target, part in pairs], axis=1)
        return numbers.astype(np.float64).reshape(-1, *self._answer_shape)

    @with_callbacks  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn one epoch from these rows, at the constant rate `lr`; gives the estimator.

        The first rows teach the preparation. No row is held out.
        """
        return self._fit_partly(X, y, sample_weight)

    def _note_answers(self, y: NDArray[Any]) -> None:
        self._answer_shape = y.shape[1:]

    def _codes(self, y: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(y, dtype=np.float64).reshape(len(y), -1)

    def _targets(self, names: list[str], codes: NDArray[Any]) -> list[Target]:
        return [_scaled(name, column) for name, column in zip(names, codes.T, strict=True)]

    def _answers(self, target: ScaledTarget, codes: NDArray[Any]) -> NDArray[Any]:
        return ((codes - target.mean) / target.std).astype(np.float32)[:, None]


def _scaled(name: str, column: NDArray[Any]) -> ScaledTarget:
    mean, std = moments(column)
    return ScaledTarget(name=name, mean=mean, std=std)

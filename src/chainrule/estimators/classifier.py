"""NeuralClassifier: one of some classes from rows, with probabilities."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.callback import with_callbacks
from sklearn.utils import column_or_1d, compute_sample_weight
from sklearn.utils.multiclass import _check_partial_fit_first_call, check_classification_targets

from chainrule.data import ClassTarget
from chainrule.estimators.base import NeuralEstimator


class NeuralClassifier(ClassifierMixin, NeuralEstimator):  # type: ignore[misc]
    """A network that predicts classes, and their probabilities, from rows of any kind.

    `class_weight`: how much the rows of each class count, a dict by class, or "balanced": all
    classes the same. The other parameters, and what there is after fit, are those of
    `NeuralRegressor`; besides, `classes_`: the labels, in order. What is held out keeps the
    classes in proportion.

    >>> x = np.linspace(-1, 1, 200)[:, None]
    >>> classifier = NeuralClassifier(epochs=40, random_state=0).fit(x, x[:, 0] > 0.2)
    >>> classifier.predict([[-0.5], [0.9]]).tolist()
    [False, True]
    """

    _numeric_target = False

    def __init__(
        self,
        layers: Any = None,
        *,
        activation: str = "relu",
        dropout: float | None = None,
        optimizer: str = "adamw",
        schedule: str = "one-cycle",
        lr: float | None = None,
        batch_size: int | None = None,
        epochs: int | None = None,
        weight_decay: float | None = None,
        early_stopping: bool = True,
        validation_fraction: float = 0.15,
        patience: int | None = None,
        class_weight: Any = None,
        types: dict[str, str] | None = None,
        encode: dict[str, str] | None = None,
        warm_start: bool = False,
        random_state: Any = None,
        backend: str = "native",
    ) -> None:
        super().__init__(
            layers,
            activation=activation,
            dropout=dropout,
            optimizer=optimizer,
            schedule=schedule,
            lr=lr,
            batch_size=batch_size,
            epochs=epochs,
            weight_decay=weight_decay,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            patience=patience,
            types=types,
            encode=encode,
            warm_start=warm_start,
            random_state=random_state,
            backend=backend,
        )
        self.class_weight = class_weight

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """The probability of each class, float64 [n, classes], in the order of `classes_`."""
        outputs = self._outputs(X).astype(np.float64)
        return np.asarray(outputs / outputs.sum(axis=1, keepdims=True))

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable class of each row, [n]."""
        best = self._outputs(X).argmax(axis=1)
        labels: NDArray[Any] = self.classes_[best]
        return labels

    @with_callbacks  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Learn one epoch from these rows, at the constant rate `lr`; gives the estimator.

        The first call needs all `classes` that will ever come, and its rows teach the preparation.
        No row is held out.
        """
        _check_partial_fit_first_call(self, classes)
        return self._fit_partly(X, y, sample_weight, self.classes_)

    def _note_answers(self, y: NDArray[Any]) -> None:
        check_classification_targets(y)
        self.classes_ = np.unique(column_or_1d(y, warn=True))

    def _codes(self, y: NDArray[Any]) -> NDArray[Any]:
        labels = column_or_1d(y)
        places = np.searchsorted(self.classes_, labels).clip(max=len(self.classes_) - 1)
        unknown = np.unique(labels[self.classes_[places] != labels])
        if len(unknown):
            raise ValueError(f"y has classes {unknown.tolist()}, but the fit had {self.classes_}")
        return np.asarray(places)

    def _target(self, name: str, codes: NDArray[Any]) -> ClassTarget:
        return ClassTarget(name=name, classes=[str(label) for label in self.classes_])

    def _row_weights(self, weights: NDArray[Any] | None, y: NDArray[Any]) -> NDArray[Any] | None:
        if self.class_weight is None:
            return weights
        by_class: NDArray[Any] = compute_sample_weight(self.class_weight, column_or_1d(y))
        return by_class if weights is None else by_class * weights

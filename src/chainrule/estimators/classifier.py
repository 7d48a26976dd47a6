"""NeuralClassifier: one of some classes from rows, with probabilities."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.callback import with_callbacks
from sklearn.utils import column_or_1d, compute_sample_weight
from sklearn.utils.multiclass import _check_partial_fit_first_call, check_classification_targets

from chainrule.data import ClassTarget, Target
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

    def predict_proba(self, X: Any) -> Any:
        """The probability of each class, float64 [n, classes], in the order of `classes_`.

        Of several outputs a list of such arrays.
        """
        found = [part.astype(np.float64) for part in self._outputs(X)]
        found = [part / part.sum(axis=1, keepdims=True) for part in found]
        return found if self._several else found[0]

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable class of each row, [n] or [n, outputs] as y was."""
        best = [part.argmax(axis=1) for part in self._outputs(X)]
        labels = [classes[place] for classes, place in zip(self._labels(), best, strict=True)]
        return np.stack(labels, axis=1) if self._several else np.asarray(labels[0])

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
        columns = _columns(y, warn=True)
        self._several = columns is not None
        self.classes_ = np.unique(column_or_1d(y)) if columns is None else [
            np.unique(column) for column in columns
        ]  # fmt: skip

    def _labels(self) -> list[NDArray[Any]]:
        """The classes of each output."""
        return self.classes_ if isinstance(self.classes_, list) else [self.classes_]

    def _codes(self, y: NDArray[Any]) -> NDArray[Any]:
        columns = _columns(y) if self._several else [column_or_1d(y)]
        pairs = zip(self._labels(), columns or [], strict=True)
        return np.stack([_places(classes, column) for classes, column in pairs], axis=1)

    def _targets(self, names: list[str], codes: NDArray[Any]) -> list[Target]:
        pairs = zip(names, self._labels(), strict=True)
        return [ClassTarget(name=name, classes=[str(c) for c in found]) for name, found in pairs]

    def _answers(self, target: ClassTarget, codes: NDArray[Any]) -> NDArray[Any]:
        return np.ascontiguousarray(codes)

    def _row_weights(self, weights: NDArray[Any] | None, y: NDArray[Any]) -> NDArray[Any] | None:
        if self.class_weight is None:
            return weights
        labels = y if self._several else column_or_1d(y)
        by_class: NDArray[Any] = compute_sample_weight(self.class_weight, labels)
        return by_class if weights is None else by_class * weights

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _columns(y: NDArray[Any], warn: bool = False) -> list[NDArray[Any]] | None:
    """The outputs of y [n, outputs], or None where it has only one."""
    if y.ndim == 2 and y.shape[1] > 1:
        return list(y.T)
    column_or_1d(y, warn=warn)
    return None


def _places(classes: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.int64]:
    """Each label's place among the classes, int64 [n]; ValueError if one is not there."""
    places = np.searchsorted(classes, labels).clip(max=len(classes) - 1)
    unknown = np.unique(labels[classes[places] != labels])
    if len(unknown):
        raise ValueError(f"y has classes {unknown.tolist()}, but the fit had {classes.tolist()}")
    return np.asarray(places, dtype=np.int64)

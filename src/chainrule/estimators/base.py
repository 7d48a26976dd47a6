"""What both estimators share: settings, and the way from X and y to a trained model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from chainrule.data import Part, Preparation, Table, Target, split_rows
from chainrule.data.split import LEAST, RARE
from chainrule.estimators.callbacks import Epochs
from chainrule.estimators.inputs import names_of, numeric_columns, pairs_of, rows_of
from chainrule.estimators.learner import Learner
from chainrule.train import Settings
from chainrule.train.settings import checked

_TRAINING = (
    *("layers", "activation", "dropout", "optimizer", "schedule", "lr", "batch_size"),
    *("epochs", "weight_decay", "patience", "backend"),
)

_HISTORY = ("train_loss", "validation_loss", "rate", "seconds")

History = dict[str, list[float]]
Places = NDArray[np.int64]


class NeuralEstimator(CallbackSupportMixin, BaseEstimator):  # type: ignore[misc]
    """The base of both estimators; its parameters are described there."""

    _numeric_target: bool

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
        types: dict[str, str] | None = None,
        encode: dict[str, str] | None = None,
        warm_start: bool = False,
        random_state: Any = None,
        backend: str = "native",
    ) -> None:
        self.layers = layers
        self.activation = activation
        self.dropout = dropout
        self.optimizer = optimizer
        self.schedule = schedule
        self.lr = lr
        self.batch_size = batch_size
        self.epochs = epochs
        self.weight_decay = weight_decay
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.types = types
        self.encode = encode
        self.warm_start = warm_start
        self.random_state = random_state
        self.backend = backend

    # -- what each estimator says of its answers

    def _note_answers(self, y: NDArray[Any]) -> None:
        """Note what the answers are, such as their classes."""
        raise NotImplementedError

    def _codes(self, y: NDArray[Any]) -> NDArray[Any]:
        """The answers as numbers [n, targets]: as they are, or each one's place among classes."""
        raise NotImplementedError

    def _targets(self, names: list[str], codes: NDArray[Any]) -> list[Target]:
        """The record of each target, for the answers that train."""
        raise NotImplementedError

    def _answers(self, target: Any, codes: NDArray[Any]) -> NDArray[Any]:
        """The answers [n] of a target as the network learns them."""
        raise NotImplementedError

    def _row_weights(self, weights: NDArray[Any] | None, y: NDArray[Any]) -> NDArray[Any] | None:
        """How much each row counts, by the weights that were given."""
        return weights

    # -- learning

    @with_callbacks  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on the rows of X and their answers y; gives the estimator.

        X: an array or any data frame [n, features], with cells of any kind; NaN, None and the like
        are missing. `sample_weight` [n], 0 and above: how much each row counts in the loss; rows
        of weight 0 are left out. ValueError for what cannot be learned from.
        """
        again = bool(self.warm_start) and hasattr(self, "_learner")
        return self._fit(X, y, sample_weight, again, self._settings())

    def _fit_partly(self, X: Any, y: Any, sample_weight: Any, classes: Any = None) -> Self:
        """One more epoch, on these rows, at the constant rate `lr`; `classes` are all there are."""
        settings = self._settings(epochs=1, schedule="constant")
        again = hasattr(self, "_learner")
        return self._fit(X, y, sample_weight, again, settings, classes, partly=True)

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        again: bool,
        settings: Settings,
        classes: Any = None,
        partly: bool = False,
    ) -> Self:
        metadata = {} if sample_weight is None else {"sample_weight": sample_weight}
        told = {"estimator": self, "X": X, "y": y, "metadata": metadata}
        table, y = pairs_of(self, X, y, reset=not again, y_numeric=self._numeric_target)
        if not again:
            self._note_answers(y if classes is None else classes)
            self._named = names_of(told["y"])
        counted = self._counted(table, y, sample_weight)
        validated = self.early_stopping and not partly
        train, validation = self._divided(counted.codes, settings.seed, validated)
        if not again:
            self._begin(counted.take(train), settings)
        return self._learn(told, counted.take(train), counted.take(validation), settings, partly)

    def _settings(self, **fixed: Any) -> Settings:
        """The parameters as settings; SettingError, a ValueError, that names a wrong one."""
        given = {name: getattr(self, name) for name in _TRAINING}
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        known = {name: value for name, value in given.items() if value is not None}
        return checked({**known, **fixed, "seed": seed})

    def _counted(self, table: Table, y: NDArray[Any], sample_weight: Any) -> _Rows:
        """The rows that count, with weights that are 1 on average."""
        codes, given = self._codes(y), None
        if sample_weight is not None:
            given = _check_sample_weight(
                sample_weight, codes, dtype=np.float64, ensure_non_negative=True
            )
        weights = self._row_weights(given, y)
        if weights is None:
            return _Rows(table, codes, None)
        return _Rows(table, codes, weights).take(np.flatnonzero(weights))

    def _divided(self, codes: NDArray[Any], seed: int, validated: bool) -> tuple[Places, Places]:
        """The rows that train, and those that say when to stop: none where rows are too few."""
        if not validated or len(codes) < LEAST:
            return np.arange(len(codes)), np.arange(0)
        classes = None if self._numeric_target else codes[:, 0]
        if classes is not None and np.count_nonzero(np.bincount(classes) >= RARE) < 2:
            classes = None
        split = split_rows(len(codes), seed, classes, float(self.validation_fraction), 0.0)
        return split.train, split.validation

    def _begin(self, rows: _Rows, settings: Settings) -> None:
        """A new network, for the preparation that the training rows teach."""
        self._columns = rows.table.names
        names = _names(self._named, rows.codes.shape[1], self._columns)
        targets = self._targets(names, rows.codes)
        types = {**dict.fromkeys(numeric_columns(rows.table), "numeric"), **(self.types or {})}
        preparation = Preparation.fit(rows.table, targets, types=types, encodings=self.encode or {})
        self.history_: History = {name: [] for name in _HISTORY}
        answers = self._all_answers(targets, rows.codes)
        self._learner = Learner.begin(preparation, settings, answers)

    def _all_answers(self, targets: list[Target], codes: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        pairs = zip(targets, codes.T, strict=True)
        return tuple(self._answers(target, column) for target, column in pairs)

    def _learn(
        self,
        told: dict[str, Any],
        train: _Rows,
        validation: _Rows,
        settings: Settings,
        partly: bool,
    ) -> Self:
        learner = self._learner
        chosen = learner.chosen(settings, len(train.table))
        tasks = Epochs(told, chosen.epochs, lambda: {"model_": learner.model()})
        judged = self._part(validation) if len(validation.table) else None
        history = learner.learn(self._part(train), judged, chosen, tasks.start, tasks.end, partly)
        self.model_ = learner.model()
        self.n_iter_ = learner.epochs
        for name, values in self.history_.items():
            values += [getattr(result, name) for result in history.epochs]
        tasks.close()
        return self

    def _part(self, rows: _Rows) -> Part:
        """Rows as a network sees them."""
        preparation = self._learner.preparation
        inputs, _ = preparation.apply(rows.table.renamed(self._columns))
        answers = self._all_answers(preparation.targets, rows.codes)
        weights = rows.weights
        if weights is not None:
            weights = np.tile(weights.astype(np.float32)[:, None], (1, len(answers)))
        lines, source = rows.table.lines, rows.table.source
        return Part(inputs.numbers, inputs.codes, answers, lines, source, weights)

    # -- predicting

    def _outputs(self, X: Any) -> list[NDArray[Any]]:
        """The network's outputs for the rows of X, float32 [n, outputs], for each target."""
        check_is_fitted(self)
        table = rows_of(self, X).renamed(self._columns)
        inputs, _ = self.model_.preparation.apply(table)
        outputs = self.model_.outputs(inputs.numbers, inputs.codes)
        return self.model_.preparation.split(outputs)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows with their answers as numbers [n, targets], and how much each counts, float64 [n]."""

    table: Table
    codes: NDArray[Any]
    weights: NDArray[Any] | None

    def take(self, places: Places) -> _Rows:
        """Some of the rows; their weights are 1 on average."""
        weights = None if self.weights is None else self.weights[places]
        if weights is not None and len(weights):
            weights = weights / weights.mean()
        return _Rows(self.table.take(places), self.codes[places], weights)


def _names(known: list[str], count: int, taken: list[str]) -> list[str]:
    """Names for targets that no column has: those that are known, else y, or y0, y1, ..."""
    wanted = known or (["y"] if count == 1 else [f"y{place}" for place in range(count)])
    return wanted if not {*wanted} & {*taken} else [f"target {name}" for name in wanted]

"""Model: what was learned, frozen: a preparation, a forward program with its weights, a card."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.core.program import Program
from chainrule.data import Met, Preparation, Table, read_table
from chainrule.data.blocks import read_blocks
from chainrule.data.clean import without_headers
from chainrule.errors import SettingError
from chainrule.model.card import Card
from chainrule.model.runner import Runner


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model says about one target of some rows.

    `values`: numbers in the user's units, float64 [n], class names, object [n], or lists of the
    labels that hold, object [n]. `probabilities`: float32 [n, classes or labels]; None of a number.
    """

    values: NDArray[Any]
    probabilities: NDArray[np.float32] | None


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model says about rows: `predictions["price"].values`.

    `targets`: a `Prediction` for each target by name. `met`: what was missing or unknown. Of the
    only target, `values` and `probabilities` are there as well; SettingError if there are several.
    """

    targets: dict[str, Prediction]
    met: Met

    def __getitem__(self, name: str) -> Prediction:
        return self.targets[name]

    def __len__(self) -> int:
        return self.met.rows

    @property
    def values(self) -> NDArray[Any]:
        """What is predicted for the only target."""
        return self._only().values

    @property
    def probabilities(self) -> NDArray[np.float32] | None:
        """How probable each class or label of the only target is."""
        return self._only().probabilities

    def _only(self) -> Prediction:
        first, *others = self.targets.values()
        if others:
            names = ", ".join(self.targets)
            hint = f"predictions[{next(iter(self.targets))!r}].values"
            raise SettingError(f"the model predicts several targets: {names}", hint=hint)
        return first


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A trained model: what it takes to turn rows as people have them into predictions.

    `program` is the forward pass, as `record_forward` makes it: scaled numbers and probabilities
    [n, outputs] from the preparation's numbers and codes. `card` says where the model comes from
    and what it is worth. Predicting changes nothing in it; threads may share it.
    """

    preparation: Preparation
    program: Program
    card: Card

    def __reduce__(self) -> Any:  # machine code and sizes are made again where they are needed
        return Model, (self.preparation, self.program, self.card)

    @property
    def task(self) -> str:
        """regression, classification, multi-label, or mixed."""
        return self.preparation.task

    @property
    def classes(self) -> list[str]:
        """The names of the only target's classes or labels; none for a number."""
        return list(self.preparation.target.choices)

    @cached_property
    def _runner(self) -> Runner:
        return Runner(self.program)

    def weights(self) -> dict[str, NDArray[Any]]:
        """The frozen parameters and buffers by name."""
        return {name: self.program.cells[name].held() for name in self.program.reads}

    def outputs(self, numbers: NDArray[Any], codes: NDArray[Any]) -> NDArray[np.float32]:
        """The forward pass: `numbers` float32 [n, features] and `codes` int64 [n, embedded].

        Gives float32 [n, outputs], the targets side by side: a scaled number, or the probability of
        each class or label; n may be 0.
        """
        return self._runner(numbers, codes)

    def compile(self) -> None:
        """Make the machine code now; else a model gets it once it was used enough to pay."""
        self._runner.compile()

    def read(self, rows: Any, **reading: Any) -> Table:
        """Rows as a table: what they leave open, such as a decimal comma, is as in training.

        `reading` are arguments of `read_table`, which go before that. A row that repeats the header
        is no row: it is among `rejected`.
        """
        if isinstance(rows, Table):
            return rows
        return without_headers(read_table(rows, **reading, like=self.preparation.familiar))

    def blocks(self, source: str, **reading: Any) -> Iterator[Table]:
        """The rows of a file as `read` gives them, in several tables if it is a long text."""
        return map(without_headers, read_blocks(source, **reading, like=self.preparation.familiar))

    def predict(self, rows: Any) -> Predictions:
        """Predictions for rows: a file name, a data frame, a dict of columns, a list of dicts.

        Columns are matched by name, in any order; the targets need not be there. DataError when
        an input column is missing.
        """
        table = self.read(rows)
        inputs, met = self.preparation.apply(table)
        targets, outputs = self.preparation.targets, self.outputs(inputs.numbers, inputs.codes)
        parts = zip(targets, self.preparation.split(outputs), strict=True)
        found = {
            target.name: Prediction(target.inverse(part), part if target.choices else None)
            for target, part in parts
        }
        return Predictions(found, met)

    def __repr__(self) -> str:
        inputs = ", ".join(record.name for record in self.preparation.inputs)
        return f"<Model: {self.task} of {self.preparation.predicted} from {inputs}>"

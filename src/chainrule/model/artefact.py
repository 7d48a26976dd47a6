"""Model: what was learned, frozen: a preparation, a forward program with its weights, a card."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.core.program import Program
from chainrule.data import Met, Preparation, Table, read_table
from chainrule.model.card import Card
from chainrule.model.runner import Runner


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model says about rows.

    `values`: numbers in the user's units, float64 [n], or class names, object [n].
    `probabilities`: float32 [n, classes], for classification. `met`: what was missing or unknown.
    """

    values: NDArray[Any]
    probabilities: NDArray[np.float32] | None
    met: Met


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A trained model: what it takes to turn rows as people have them into predictions.

    `program` is the forward pass, as `record_forward` makes it: scaled numbers [n, 1] or
    probabilities [n, classes] from the preparation's numbers and codes. `card` says where the
    model comes from and what it is worth. Predicting changes nothing in it; threads may share it.
    """

    preparation: Preparation
    program: Program
    card: Card

    def __reduce__(self) -> Any:  # machine code and sizes are made again where they are needed
        return Model, (self.preparation, self.program, self.card)

    @property
    def task(self) -> str:
        """regression or classification."""
        return self.preparation.task

    @property
    def classes(self) -> list[str]:
        """The names of the classes; none for a number."""
        target = self.preparation.target
        return list(target.classes) if target.kind == "classes" else []

    @cached_property
    def _runner(self) -> Runner:
        return Runner(self.program)

    def weights(self) -> dict[str, NDArray[Any]]:
        """The frozen parameters and buffers by name."""
        return {name: self.program.cells[name].held() for name in self.program.reads}

    def outputs(self, numbers: NDArray[Any], codes: NDArray[Any]) -> NDArray[np.float32]:
        """The forward pass: `numbers` float32 [n, features] and `codes` int64 [n, embedded].

        Gives scaled numbers float32 [n, 1], or probabilities float32 [n, classes]; n may be 0.
        """
        return self._runner(numbers, codes)

    def compile(self) -> None:
        """Make the machine code now; else a model gets it once it was used enough to pay."""
        self._runner.compile()

    def read(self, rows: Any, **reading: Any) -> Table:
        """Rows as a table: what they leave open, such as a decimal comma, is as in training.

        `reading` are arguments of `read_table`, which go before that.
        """
        if isinstance(rows, Table):
            return rows
        return read_table(rows, **reading, like=self.preparation.familiar)

    def predict(self, rows: Any) -> Predictions:
        """Predictions for rows: a file name, a data frame, a dict of columns, a list of dicts.

        Columns are matched by name, in any order; the target need not be there. DataError when
        an input column is missing or a number is infinite.
        """
        table = self.read(rows)
        inputs, met = self.preparation.apply(table)
        outputs = self.outputs(inputs.numbers, inputs.codes)
        values = self.preparation.target.inverse(outputs)
        return Predictions(values, outputs if self.classes else None, met)

    def __repr__(self) -> str:
        inputs = ", ".join(record.name for record in self.preparation.inputs)
        return f"<Model: {self.task} of {self.preparation.target.name} from {inputs}>"

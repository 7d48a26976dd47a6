"""Model: what was learned, frozen: a preparation, a forward program with its weights, a card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.compiler.worth import breakeven, no_machine_code
from chainrule.core.interpret import interpret
from chainrule.core.program import Program
from chainrule.data import Met, Preparation, Table, read_table
from chainrule.model.card import Card
from chainrule.model.forward import for_rows

_ROWS_AT_ONCE = 1024  # what one layer makes of them stays in the cache for the next
_SIZES_KEPT = 8  # programs for so many different numbers of rows

Run = Callable[[tuple[NDArray[Any], NDArray[Any]]], tuple[Any, ...]]


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
    model comes from and what it is worth. Predicting changes nothing in it.
    """

    preparation: Preparation
    program: Program
    card: Card
    _sized: dict[int, Program] = field(default_factory=dict, init=False)
    _native: dict[int, Run] = field(default_factory=dict, init=False)

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

    def weights(self) -> dict[str, NDArray[Any]]:
        """The frozen parameters and buffers by name."""
        return {name: self.program.cells[name].held() for name in self.program.reads}

    def outputs(self, numbers: NDArray[Any], codes: NDArray[Any]) -> NDArray[np.float32]:
        """The forward pass: `numbers` float32 [n, features] and `codes` int64 [n, embedded].

        Gives scaled numbers float32 [n, 1], or probabilities float32 [n, classes]; n may be 0.
        """
        whole = len(numbers) // _ROWS_AT_ONCE
        found = [np.empty((0, max(1, len(self.classes))), np.float32)]
        for start in range(0, len(numbers), _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            rows = len(numbers[part])
            run = self._run(rows, whole if rows == _ROWS_AT_ONCE else 1)
            found.append(run((numbers[part], codes[part]))[0])
        return found[1] if len(found) == 2 else np.concatenate(found)

    def _run(self, rows: int, times: int) -> Run:
        """What runs the program for so many rows; if that is many times, machine code."""
        program = self._for_rows(rows)
        if times < 2 or times < breakeven(program) or no_machine_code():
            return partial(interpret, program)
        if rows not in self._native:
            from chainrule.compiler.native import NativeProgram  # llvmlite: only who uses it waits

            self._native[rows] = NativeProgram(program)
        return self._native[rows]

    def _for_rows(self, rows: int) -> Program:
        """The program for so many rows; those of the last few sizes are kept."""
        if rows not in self._sized:
            if len(self._sized) >= _SIZES_KEPT:
                self._sized.clear()
            self._sized[rows] = for_rows(self.program, rows)
        return self._sized[rows]

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

"""Rows with what a model says about them: as columns, as CSV, as JSON Lines."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data import Table, Target
from chainrule.model.artefact import Model, Predictions

Columns = dict[str, list[Any]]


def with_predictions(
    model: Model, table: Table, predictions: Predictions, typed: bool = False
) -> Columns:
    """The table's own columns as they are, then the predictions, and each probability.

    With `typed`, numbers are numbers and what is missing is None; else all is text as in a file.
    """
    own = _own(model, table, typed)
    return {**own, **_predicted(model, table, predictions, typed)}


def _own(model: Model, table: Table, typed: bool) -> Columns:
    """The file's own columns as they are; with `typed`, numbers as numbers and null for missing."""
    aligned = model.preparation.align(table)
    found = {}
    for name in aligned.names:
        cells = aligned.column(name).cells
        found[name] = _typed(cells) if typed else ["" if cell is None else cell for cell in cells]
    return found


def _typed(cells: Any) -> list[Any]:
    """Cells as JSON values: numbers, if every cell is one as JSON writes it (00501 is not)."""
    try:
        values = [None if cell is None else json.loads(cell) for cell in cells]
    except ValueError:
        return list(cells)
    if not all(value is None or type(value) in (int, float) for value in values):
        return list(cells)
    return [None if value is None or not math.isfinite(value) else value for value in values]


def _predicted(model: Model, table: Table, predictions: Predictions, typed: bool) -> Columns:
    """The predictions and the probabilities, under names that the file does not use."""
    targets = model.preparation.targets
    found: Columns = {}
    for target in targets:
        prediction = predictions[target.name]
        for name, values in _values(target, prediction.values, typed).items():
            found[f"predicted {name}"] = values
        if prediction.probabilities is not None:
            of = f"{target.name} = " if len(targets) > 1 and target.kind != "yes-no" else ""
            for name, column in zip(target.choices, prediction.probabilities.T, strict=True):
                found[f"probability of {of}{name}"] = [round(float(p), 6) for p in column]
    return {_free(name, table): column for name, column in found.items()}


def _values(target: Target, values: NDArray[Any], typed: bool) -> Columns:
    """What is predicted for a target, by the column that it stands in."""
    if target.kind == "scaled":
        return {target.name: rounded(target, values).tolist()}
    if target.kind == "yes-no":
        cells = target.cells(values)
        return {name: _typed(column) if typed else column for name, column in cells.items()}
    if target.kind == "labels":
        return {target.name: [held if typed else target.text(held) for held in values.tolist()]}
    return {target.name: _typed(values) if typed else values.tolist()}


def rounded(target: Target, values: NDArray[Any]) -> NDArray[Any]:
    """Predicted values as they are told: inside is float32, further digits would mean nothing."""
    if target.kind != "scaled":
        return values
    return np.round(values, 6 - math.floor(math.log10(target.std)))


def _free(name: str, table: Table) -> str:
    while name in table.columns:
        name += "_"
    return name


def as_csv(columns: Columns, header: bool = True) -> str:
    """The columns as CSV, with their names in the first row unless it is a later part of a file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if header:
        writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()


def as_lines(columns: Columns) -> str:
    """A JSON object per row."""
    rows = zip(*columns.values(), strict=True)
    return "".join(
        json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False, allow_nan=False) + "\n"
        for row in rows
    )

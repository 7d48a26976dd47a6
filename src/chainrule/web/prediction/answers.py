"""From the rows of requests to what is answered: predictions by target, and what was met."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chainrule.data import Met, Table
from chainrule.model import Model, Predictions
from chainrule.model.written import rounded
from chainrule.web.prediction.rows import RequestError, Row, Wrong

SOURCE = "the request"
"""What errors and notes call the rows; never the name of a file."""


def answer_rows(model: Model, requests: Sequence[list[Row]]) -> list[Row | Exception]:
    """What is answered to each request; the rows of all are predicted together.

    {"predictions": [{target: {"value": ..., "probabilities": {class: ...}}}], "notes": [...]};
    a RequestError where a cell cannot be read.
    """
    rows = [row for request in requests for row in request]
    names = [record.name for record in model.preparation.inputs]
    table = Table.of({name: [row[name] for row in rows] for name in names}, SOURCE)
    predictions = model.predict(table)
    told = _by_row(model, predictions)
    answers: list[Row | Exception] = []
    end = 0
    for request in requests:
        start, end = end, end + len(request)
        met = predictions.met
        if met.columns and len(requests) > 1:
            _, met = model.preparation.apply(_part(table, start, end))
        wrong = mistakes(met)
        if wrong:
            answers.append(RequestError("some values cannot be used", wrong))
        else:
            answers.append({"predictions": told[start:end], "notes": met.text().splitlines()})
    return answers


def mistakes(met: Met) -> list[Wrong]:
    """Cells that are not what their column holds, by line, such as a date that is none."""
    return [
        Wrong(f"cannot be read as the column's kind: {cell.text[:40]!r}", cell.line, column.name)
        for column in met.columns
        for cell in column.bad
    ]


def _part(table: Table, start: int, end: int) -> Table:
    """The rows of one request, counted from 1."""
    part = table.take(np.arange(start, end))
    return Table(part.columns, np.arange(1, end - start + 1), SOURCE)


def _by_row(model: Model, predictions: Predictions) -> list[Row]:
    """For each row what is predicted, by target."""
    found: list[Row] = [{} for _ in range(len(predictions))]
    for target in model.preparation.targets:
        prediction = predictions[target.name]
        values = rounded(target, prediction.values).tolist()
        for row, value in zip(found, values, strict=True):
            row[target.name] = {"value": value}
        if prediction.probabilities is not None:
            for row, chances in zip(found, prediction.probabilities.tolist(), strict=True):
                named = zip(target.choices, chances, strict=True)
                row[target.name]["probabilities"] = {name: round(p, 6) for name, p in named}
    return found

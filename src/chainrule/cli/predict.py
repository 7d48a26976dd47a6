"""`chainrule predict`: a file of rows in, the same rows with predictions out."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from chainrule.cli.options import json_option, quiet_option, reading_options
from chainrule.cli.text import as_json as json_text
from chainrule.cli.text import note, out
from chainrule.data import Table, Target
from chainrule.data.clean import rejected_notes
from chainrule.data.report import counted
from chainrule.model import Model, Predictions, load
from chainrule.model.files import write_whole

Columns = dict[str, list[Any]]


@click.command("predict")
@click.argument("model")
@click.argument("data")
@click.option(
    "-o", "--output", metavar="FILE", help="Where to write; standard output if not given."
)
@reading_options
@json_option("Write JSON Lines instead of CSV.")
@quiet_option
def command(
    model: str,
    data: str,
    output: str | None,
    as_json: bool,
    quiet: bool,
    **reading: Any,
) -> None:
    """Predict the rows of DATA with MODEL, the folder of a run or of a model.

    Columns are matched by name, in any order. Every row of DATA is written in its order, with the
    prediction and, for a category or labels, each probability after its own columns.
    """
    found = load(model)
    table = found.read(data, **reading)
    predictions = found.predict(table)
    columns = {**_own(found, table, as_json), **_predicted(found, table, predictions, as_json)}
    text = _as_lines(columns) if as_json else _as_csv(columns)
    if output is None:
        out(text.removesuffix("\n"))
    else:
        write_whole(Path(output), text)
    if not quiet:
        for line in [*map(str, rejected_notes(table)), *predictions.met.text().splitlines()]:
            note(line)
        where = f" in {output}" if output else ""
        note(f"{counted(len(predictions), 'prediction')}{where}")


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
    plain = all(value is None or type(value) in (int, float) for value in values)
    return values if plain else list(cells)


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
    if target.kind == "scaled":  # float32 inside: further digits would mean nothing
        digits = 6 - math.floor(math.log10(target.std))
        return {target.name: np.round(values, digits).tolist()}
    if target.kind == "yes-no":
        cells = target.cells(values)
        return {name: _typed(column) if typed else column for name, column in cells.items()}
    if target.kind == "labels":
        return {target.name: [held if typed else target.text(held) for held in values.tolist()]}
    return {target.name: _typed(values) if typed else values.tolist()}


def _free(name: str, table: Table) -> str:
    while name in table.columns:
        name += "_"
    return name


def _as_csv(columns: Columns) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()


def _as_lines(columns: Columns) -> str:
    """A JSON object per row."""
    rows = zip(*columns.values(), strict=True)
    return "".join(
        json_text(dict(zip(columns, row, strict=True)), indent=None) + "\n" for row in rows
    )

"""`chainrule predict`: a file of rows in, the same rows with predictions out."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path
from typing import Any

import click

from chainrule.cli.text import note, out
from chainrule.data import Table, read_table
from chainrule.errors import DataError
from chainrule.model import Model, Predictions, load


@click.command("predict")
@click.argument("model")
@click.argument("data")
@click.option("-o", "--output", metavar="FILE", help="Where to write; standard output if not given.")
@click.option("--names", metavar="A,B,...", help="Column names, for a file without a header.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON Lines instead of CSV.")
@click.option("--quiet", is_flag=True, help="Do not say what was met in the data.")
def command(
    model: str, data: str, output: str | None, names: str | None, as_json: bool, quiet: bool
) -> None:
    """Predict the rows of DATA with MODEL, the folder of a run or of a model.

    Columns are matched by name, in any order. Every row of DATA is written in its order, with the
    prediction and, for a category, the probability of each class after its own columns.
    """
    found = load(model)
    table = read_table(data, names.split(",") if names else None)
    predictions = found.predict(table)
    text = as_lines(found, table, predictions) if as_json else as_csv(found, table, predictions)
    if output is None:
        out(text.rstrip("\n"))
    else:
        write_whole(Path(output), text)
    if not quiet:
        if met := predictions.met.text():
            note(met)
        where = f" to {output}" if output else ""
        note(f"{len(predictions.values):,} predictions{where}")


def columns(model: Model, table: Table, predictions: Predictions) -> dict[str, list[Any]]:
    """The file's own columns, then the prediction and the probabilities."""
    cells = {name: [_text(c) for c in table.column(name).cells] for name in table.names}
    found: dict[str, list[Any]] = dict(cells)
    target = model.preparation.target.name
    found[_free(f"predicted {target}", found)] = predictions.values.tolist()
    if predictions.probabilities is not None:
        for name, column in zip(model.classes, predictions.probabilities.T, strict=True):
            found[_free(f"probability of {name}", found)] = [round(float(p), 6) for p in column]
    return found


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell)


def _free(name: str, taken: dict[str, Any]) -> str:
    """A column name that the file does not use itself."""
    while name in taken:
        name += "_"
    return name


def as_csv(model: Model, table: Table, predictions: Predictions) -> str:
    """The rows with predictions as CSV."""
    found = columns(model, table, predictions)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(found)
    writer.writerows(zip(*found.values(), strict=True))
    return text.getvalue()


def as_lines(model: Model, table: Table, predictions: Predictions) -> str:
    """The rows with predictions as JSON Lines."""
    found = columns(model, table, predictions)
    rows = zip(*found.values(), strict=True)
    return "".join(
        json.dumps(dict(zip(found, row, strict=True)), ensure_ascii=False) + "\n" for row in rows
    )


def write_whole(path: Path, text: str) -> None:
    """Write a file; whole, or not at all."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    except OSError as problem:
        temporary.unlink(missing_ok=True)
        raise DataError(f"{path} cannot be written: {problem.strerror}") from None



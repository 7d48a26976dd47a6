"""`chainrule predict`: a file of rows in, the same rows with predictions out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from chainrule.cli.options import json_option, quiet_option, reading_options
from chainrule.cli.text import note, out
from chainrule.data.clean import rejected_notes
from chainrule.data.report import counted
from chainrule.data.sources.content import ENDINGS
from chainrule.data.sources.jsonl import LINES
from chainrule.data.table import Rejected
from chainrule.errors import SettingError
from chainrule.model import load
from chainrule.model.files import file_whole
from chainrule.model.written import as_csv, as_lines, with_predictions

OTHERS = (".json", ".parquet", ".xlsx", ".xls", ".ods", ".npy", ".npz", *ENDINGS, ".zip")
"""A CSV text under such a name would be no such file."""


@click.command("predict")
@click.argument("model")
@click.argument("data")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Where to write: .csv, or .jsonl as JSON Lines; standard output if not given.",
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
    """Predict the rows of DATA with MODEL, the folder of a run or of a model, or a zip of it.

    Columns are matched by name, in any order. Every row of DATA is written in its order, with the
    prediction and, for a category or labels, each probability after its own columns. A long CSV
    file is read, predicted and written block by block: it need not fit into memory.
    """
    as_json = as_json or _by_ending(output)
    found = load(model)
    rows, met = 0, None
    rejected: list[Rejected] = []
    with _sink(output) as write:
        for table in found.blocks(data, **reading):
            predictions = found.predict(table)
            columns = with_predictions(found, table, predictions, typed=as_json)
            write(as_lines(columns) if as_json else as_csv(columns, header=not rows))
            met = predictions.met if met is None else met.joined(predictions.met)
            rows, rejected = rows + len(table), [*rejected, *table.rejected]
    if not quiet and met is not None:
        told = rejected_notes(replace(table, rejected=tuple(rejected)))
        for line in [*map(str, told), *met.text().splitlines()]:
            note(line)
        where = f" in {output}" if output else ""
        note(f"{counted(rows, 'prediction')}{where}")


def _by_ending(output: str | None) -> bool:
    """Whether a file is to be JSON Lines; SettingError for the ending of what is not written."""
    ending = Path(output or "").suffix.lower()
    if ending in OTHERS:
        raise SettingError(
            "predictions are written as CSV or JSON Lines",
            got=output,
            hint="a name that ends in .csv or .jsonl",
        )
    return ending in LINES


@contextmanager
def _sink(output: str | None) -> Iterator[Callable[[str], object]]:
    """What takes text after text: a file, which is there when all is, or standard output."""
    if output is None:
        yield lambda text: out(text.removesuffix("\n"))
        return
    with file_whole(Path(output)) as path, path.open("w", encoding="utf-8", newline="") as file:
        yield file.write

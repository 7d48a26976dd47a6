"""`chainrule explain`: a step of a training opened, a prediction explained, the rows that cost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from textwrap import fill
from typing import Any

import click
import numpy as np

from chainrule.cli.options import json_option, reading_options
from chainrule.cli.text import note, out, table
from chainrule.data import Part, Table, prepare_more
from chainrule.data.preparation import Inputs
from chainrule.data.report import on_lines
from chainrule.errors import DataError, SettingError, nearest
from chainrule.explain.attribution import explain_row, typical
from chainrule.explain.explained import Explained
from chainrule.explain.plain import number, plain
from chainrule.explain.rows import importances, worst_rows
from chainrule.model import Model
from chainrule.model.store import load
from chainrule.train import Run
from chainrule.train.report.written import all_pictures

MOST_COLUMNS = 20


@click.command("explain")
@click.argument("thing", metavar="RUN|MODEL")
@click.option("--step", type=click.IntRange(min=1), metavar="N", help="The step to open.")
@click.option("--row", type=int, metavar="LINE", help="The row, by its line in the file.")
@click.option("--layer", default="", metavar="NAME", help="The layer of a step to tell in full.")
@click.option("--data", metavar="FILE", help="Rows to explain predictions of.")
@click.option("--worst-rows", "worst", is_flag=True, help="The rows that cost most, by line.")
@click.option("--picture", metavar="NAME", help="A picture of RUN; list: which.")
@click.option("-o", "--output", metavar="FILE", help="Write it: .svg, .png, .csv or .txt.")
@click.option("--importance", is_flag=True, help="What each column is worth to the model.")
@reading_options
@json_option("Print all of it as JSON.")
def command(
    thing: str,
    step: int | None,
    row: int | None,
    layer: str,
    data: str | None,
    worst: bool,
    picture: str | None,
    output: str | None,
    importance: bool,
    as_json: bool,
    **reading: Any,
) -> None:
    """Show how a training, or a prediction, came about.

    \b
      --step N                 a step of RUN: forward, loss, backward, update
      --data FILE --row LINE   a prediction: which columns moved it, how far
      --worst-rows             the rows that cost most (FILE's, or validation)
      --importance             what the loss grows by without each column
      --picture NAME           a picture of RUN, curves right here

    A step is gone back to as it was trained, from the nearest state that the run kept, and then
    interpreted; how far the two are apart is said at the end.
    """
    if worst or importance:
        model = load(thing)
        part = _judged(thing, model, data, reading)
        found: Sequence[Any] = worst_rows(model, part) if worst else importances(model, part)
        out(_json(found) if as_json else (_worst_text if worst else _importance_text)(found, part))
    elif picture is not None:
        _picture(Run(Path(thing)), picture, output)
    elif data is not None:
        if row is None:
            raise click.UsageError("which row? --row LINE, its line in the file")
        model = load(thing)
        explained = _explained(model, model.read(data, **reading), row)
        out(_json(explained) if as_json else "\n\n".join(map(str, explained)))
    else:
        _step(Run(Path(thing)), step, row, layer, as_json)


def _step(run: Run, step: int | None, row: int | None, layer: str, as_json: bool) -> None:
    if step is None:
        steps = run.replay.steps
        raise click.UsageError(
            f"explain what? --step 1 to --step {steps}, the last; or a prediction: --data FILE "
            "--row LINE; or --worst-rows; or --importance"
        )
    if not run.keeps_rows:
        note(f"reading {run.summary().data} again: its rows are too many to be kept in the run")
    opened = run.step(step, row, layer)
    out(opened.to_json(whole=bool(layer)) if as_json else str(opened))


def _picture(run: Run, name: str, output: str | None) -> None:
    pictures = {picture.name: picture for picture in all_pictures(run)}
    if name == "list":
        out(table([[name, picture.title] for name, picture in pictures.items()], left=2))
        return
    if name not in pictures:
        close = nearest(name, pictures)
        hint = f"did you mean {close}?" if close else "--picture list"
        raise SettingError("the run has no such picture", got=name, hint=hint)
    picture, drawn = pictures[name], pictures[name].text()
    if output is not None:
        picture.save(output)
        note(f"{picture.title}: {output}")
    elif drawn:
        out(f"{picture.title}\n\n{drawn}\n\n{fill(picture.about, 80)}")
    else:
        hint = f"chainrule explain {run.path} --picture {name} -o {name}.svg"
        raise SettingError(f"{name} cannot be drawn with characters", hint=hint)


def _explained(model: Model, rows: Table, line: int) -> list[Explained]:
    """What the model says of the row of a line, explained against the average row of the table."""
    inputs, _ = model.preparation.apply(rows)
    at = np.flatnonzero(rows.lines == line)
    if not len(at):
        raise DataError(
            f"{rows.source} has no row on line {line}", expected=on_lines(rows.lines.tolist())
        )
    one = Inputs(inputs.numbers[at[:1]], inputs.codes[at[:1]])
    compared = f"The average row of {rows.source}"
    return [
        replace(found, line=line, source=rows.source, compared=compared)
        for found in explain_row(model, one, typical(inputs))
    ]


def _judged(thing: str, model: Model, data: str | None, reading: dict[str, Any]) -> Part:
    """The rows of a file whose target is known, or those that a run was validated on."""
    if data is None:
        return Run(Path(thing)).replay.prepared.validation
    return prepare_more(model.preparation, model.read(data, **reading))[0]


def _worst_text(rows: Sequence[Any], part: Part) -> str:
    header = ["line", "said", "is", "loss", "share of all"]
    lines = [[str(r.line), r.said, r.true, number(r.loss), f"{r.share:.1%}"] for r in rows]
    return "\n".join(
        [f"The rows of {part.source} that cost most, of {len(part):,}:", table([header, *lines])]
    )


def _importance_text(found: Sequence[Any], part: Part) -> str:
    header = ["column", "loss grows by", "±"]
    lines = [[one.column, number(one.growth), number(one.spread)] for one in found[:MOST_COLUMNS]]
    more = len(found) - len(lines)
    about = f"Without a column (shuffled among {len(part):,} rows of {part.source}):"
    rest = [f"  and {more} columns of less"] if more > 0 else []
    return "\n".join([about, table([header, *lines]), *rest])


def _json(found: Sequence[Any]) -> str:
    return json.dumps(plain(found), ensure_ascii=False, allow_nan=False, indent=1)

"""`chainrule runs`: the trainings done here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from chainrule.cli.inspect_data import decisions_text
from chainrule.cli.options import json_option
from chainrule.cli.text import all_scores, duration, number, out, table
from chainrule.cli.text import as_json as json_text
from chainrule.data.report import counted
from chainrule.errors import ArtefactError
from chainrule.explain import curve
from chainrule.train import EpochResult, Run
from chainrule.train.metrics import main_metric
from chainrule.train.run import DATA, SETTINGS, runs_in


@click.group("runs")
def command() -> None:
    """List the trainings done here, or show one."""


@command.command("list")
@click.argument("folder", default="runs")
@json_option("Print the list as JSON.")
def list_runs(folder: str, as_json: bool) -> None:
    """List the runs in FOLDER (runs, if not given), the newest last."""
    found = list(runs_in(folder))
    if as_json:
        out(json_text([_listed(run) for run in found]))
    elif not found:
        out(f"There are no runs in {folder}; chainrule train DATA --target COLUMN makes one.")
    else:
        header = ["run", "target", "score", "baseline", "epochs", "state"]
        out(table([header, *map(_row, found)], indent="", left=2))


@command.command("show", short_help="Show one run: scores, course, settings.")
@click.argument("run")
@json_option("Print all that is known as JSON.")
def show(run: str, as_json: bool) -> None:
    """Show one run: its scores, its course, and the settings that do it again."""
    found = Run(Path(run))
    out(json_text(run_facts(found)) if as_json else describe(found))


def run_facts(run: Run) -> dict[str, Any]:
    """All that is known of a run, as data."""
    epochs = [result.model_dump() for result in run.epochs()]
    columns = [column.model_dump() for column in run.columns()]
    return {
        "run": str(run.path),
        **run.summary().model_dump(),
        "columns": columns,
        "course": epochs,
    }


def describe(run: Run) -> str:
    """A run in words, with its loss curves."""
    facts = run.summary()
    rows = ", ".join(f"{count:,} {part}" for part, count in facts.rows.items())
    what = "prediction" if facts.task == "mixed" else facts.task
    lines = [
        f"{run.path}: {what} of {facts.target} from {facts.data}, {facts.state}",
        f"  began {facts.began}; rows: {rows}; {facts.parameters:,} parameters",
    ]
    if facts.epochs is not None and facts.seconds is not None:
        took = f"{counted(facts.epochs, 'epoch')} in {duration(facts.seconds)}"
        lines += [f"  {took}: {facts.stopped}; best epoch {facts.best_epoch}"]
        lines += [f"  the updates ran {facts.ran}"] if facts.ran else []
        lines += [""]
        lines += [all_scores(facts.scores, facts.baseline, facts.task, facts.details)]
    elif facts.stopped:
        lines += [f"  {facts.stopped}"]
    if epochs := run.epochs():
        lines += ["", loss_curves(epochs)]
    if columns := run.columns():
        about = f"Columns of the training rows (cells by line in {run.path / DATA}):"
        lines += ["", about, decisions_text(columns, facts.rows["train"])]
    lines += ["", f"Settings ({run.path / SETTINGS}):"]
    return "\n".join([*lines, *(f"  {line}" for line in run.settings_text().splitlines())])


def loss_curves(epochs: Sequence[EpochResult]) -> str:
    """The losses over the epochs, on a logarithmic axis."""
    losses = {
        "training loss": [result.train_loss for result in epochs],
        "validation loss": [result.validation_loss for result in epochs],
    }
    return curve(losses, x_name="epoch", log=True)


def _row(run: Run) -> list[str]:
    """A line of the list; a run that cannot be read is listed as such."""
    try:
        facts = run.summary()
    except ArtefactError:
        return [str(run.path), "", "", "", "", "unreadable"]
    main = main_metric(facts.task, facts.scores)
    scored = main in facts.scores
    return [
        str(run.path),
        facts.target,
        f"{main.replace('_', ' ')} {number(facts.scores[main])}" if scored else "",
        number(facts.baseline.get(main)) if scored else "",
        "" if facts.epochs is None else str(facts.epochs),
        facts.state,
    ]


def _listed(run: Run) -> dict[str, Any]:
    """A run of the list as data."""
    try:
        return {"run": str(run.path), **run.summary().model_dump()}
    except ArtefactError:
        return {"run": str(run.path), "state": "unreadable"}

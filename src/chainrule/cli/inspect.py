"""`chainrule inspect`: what a table, a model or a run holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from chainrule.cli.inspect_data import inspection_facts, inspection_text
from chainrule.cli.options import column_options, json_option, reading_options
from chainrule.cli.runs import describe, run_facts
from chainrule.cli.text import all_scores, out, table
from chainrule.cli.text import as_json as json_text
from chainrule.data import inspect_table, on_disk, prepare, read_table
from chainrule.data.aims import inputs_only
from chainrule.data.findings import refuse_findings
from chainrule.model import Model, load
from chainrule.model.card import NOUNS
from chainrule.model.package import MANIFEST, is_package
from chainrule.train.run import MODEL, SUMMARY, Run


@click.command("inspect")
@click.argument("thing", metavar="DATA|MODEL|RUN")
@click.option("--target", metavar="COLUMN", help="Of a table: show how it would be prepared.")
@column_options
@reading_options
@json_option("Print all of it as JSON.")
def command(
    thing: str,
    target: str | None,
    types: dict[str, str] | None,
    drop: list[str] | None,
    missing: dict[str, str] | None,
    strict: bool | None,
    as_json: bool,
    **reading: Any,
) -> None:
    """Show what a table, a model or a run holds, without changing anything.

    Of a table: the type of each column and why, what is missing, and what looks wrong, by line.
    """
    path = on_disk(thing)
    if path is not None and (path / SUMMARY).is_file():
        run = Run(path)
        out(json_text(run_facts(run)) if as_json else describe(run))
    elif path is not None and _is_model(path):
        model = load(path)
        out(json_text(_model_facts(model)) if as_json else _model_text(model))
    else:
        data = read_table(thing, **reading)
        columns: dict[str, Any] = {"types": types, "drop": drop or (), "missing": missing}
        found = inspect_table(data, **{**columns, "types": inputs_only(types or {})})
        report = None if target is None else prepare(data, target, **columns).report
        show = inspection_facts if as_json else inspection_text
        out(json_text(show(found, report)) if as_json else str(show(found, report)))
        if strict:
            refuse_findings(found.source, found.notes if report is None else report.notes)


def _is_model(path: Path) -> bool:
    """Whether this is to be read as a model: not a table in a file, nor a folder per class."""
    if path.is_file():
        return is_package(path)
    return (path / MANIFEST).is_file() or (path / MODEL).is_dir() or not any(path.glob("*/*"))


def _model_text(model: Model) -> str:
    """What the model predicts, how well, and from what."""
    card, weights = model.card, model.weights()
    shapes = [[name, str(list(array.shape))] for name, array in weights.items()]
    targets = model.preparation.targets
    lines = [f"A model of {model.preparation.predicted} ({model.task})"]
    for target in targets:
        of = f" of {target.name}" if len(targets) > 1 else ""
        if target.choices:
            lines.append(f"  {NOUNS[target.task]}{of}: {', '.join(target.choices)}")
    if card.data:
        lines.append(f"  trained on {card.data} by chainrule {card.chainrule}, {card.date}")
    if card.scores:
        lines += [
            "",
            "On its test rows:",
            all_scores(card.scores, card.baseline, model.task, card.details),
        ]
    lines += ["", f"Inputs ({len(model.preparation.inputs)}):"]
    lines += [f"  {record.name}: {record.treatment()}" for record in model.preparation.inputs]
    count = sum(array.size for array in weights.values())
    return "\n".join([*lines, "", f"Parameters ({count:,}):", table(shapes)])


def _choices(model: Model) -> dict[str, Any]:
    """The classes of the only target, or the task and the choices of each."""
    targets = model.preparation.targets
    if len(targets) == 1:
        return {"classes": model.classes}
    return {"targets": {t.name: {"task": t.task, "choices": t.choices} for t in targets}}


def _model_facts(model: Model) -> dict[str, Any]:
    return {
        "task": model.task,
        "target": model.preparation.predicted,
        **_choices(model),
        "inputs": {record.name: record.treatment() for record in model.preparation.inputs},
        "parameters": {name: list(array.shape) for name, array in model.weights().items()},
        "card": model.card.model_dump(),
    }

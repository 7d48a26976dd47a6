"""`chainrule evaluate`: a model's scores on rows whose answer is known."""

from __future__ import annotations

import json

import click

from chainrule.cli.text import note, out, scores, trivial
from chainrule.data import prepare_more, read_table
from chainrule.model import load
from chainrule.train.table import evaluate, trivial_scores


@click.command("evaluate")
@click.argument("model")
@click.argument("data")
@click.option("--names", metavar="A,B,...", help="Column names, for a file without a header.")
@click.option("--json", "as_json", is_flag=True, help="Print the scores as JSON.")
def command(model: str, data: str, names: str | None, as_json: bool) -> None:
    """Score MODEL on DATA, which has the target column, beside the trivial prediction."""
    found = load(model)
    part, report = prepare_more(
        found.preparation, read_table(data, names.split(",") if names else None)
    )
    measured, baseline = evaluate(found, part), trivial_scores(found, part)
    if as_json:
        out(json.dumps({"rows": len(part), "scores": measured, "baseline": baseline}, indent=1))
        return
    if report.notes:
        note(report.text())
    out(f"On {len(part):,} rows of {data}:")
    out(scores(measured, baseline, trivial(found.task)))

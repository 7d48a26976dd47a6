"""`chainrule evaluate`: a model's scores on rows whose answer is known."""

from __future__ import annotations

from typing import Any

import click

from chainrule.cli.options import json_option, quiet_option, reading_options
from chainrule.cli.text import all_scores, note, out
from chainrule.cli.text import as_json as json_text
from chainrule.data import prepare_more
from chainrule.model import load
from chainrule.train.scoring import judge


@click.command("evaluate")
@click.argument("model")
@click.argument("data")
@reading_options
@json_option("Print the scores as JSON.")
@quiet_option
def command(model: str, data: str, as_json: bool, quiet: bool, **reading: Any) -> None:
    """Score MODEL on DATA, which has the target column, beside the trivial answer.

    MODEL is the folder of a run, or of a model.
    """
    found = load(model)
    part, report = prepare_more(found.preparation, found.read(data, **reading))
    judged = judge(found, part)
    if report.notes and not quiet:
        note(report.text())
    if as_json:
        details = [detail.model_dump() for detail in judged.details]
        scores = {"rows": len(part), "scores": judged.scores, "baseline": judged.baseline}
        out(json_text({**scores, **({"details": details} if details else {})}))
    else:
        out(f"On {len(part):,} rows of {data}:")
        out(all_scores(judged.scores, judged.baseline, found.task, judged.details))

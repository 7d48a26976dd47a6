"""`chainrule explain`: a step of a training opened."""

from __future__ import annotations

from pathlib import Path

import click

from chainrule.cli.options import json_option
from chainrule.cli.text import out
from chainrule.train import Run


@click.command("explain")
@click.argument("run")
@click.option("--step", type=click.IntRange(min=1), metavar="N", help="The step to open.")
@click.option("--row", type=int, metavar="LINE", help="The row to show, by its line in the file.")
@click.option("--layer", default="", metavar="NAME", help="The layer to tell in full.")
@json_option("Print all of it as JSON, with every number of the layer in full.")
def command(run: str, step: int | None, row: int | None, layer: str, as_json: bool) -> None:
    """Open a step of RUN: what it computed forward, its loss, backward, its update.

    The step is gone back to as it was trained, from the nearest state that the run kept, and then
    interpreted; how far the two are apart is said at the end.
    """
    found = Run(Path(run))
    if step is None:
        steps = found.replay.steps
        raise click.UsageError(f"which step? --step 1 to --step {steps}, the last")
    opened = found.step(step, row, layer)
    out(opened.to_json(whole=bool(layer)) if as_json else str(opened))

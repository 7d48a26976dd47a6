"""`chainrule train`: from a table to a trained model, its score, and what to do next."""

from __future__ import annotations

import json
from typing import Any

import click

from chainrule.cli.options import setting_options
from chainrule.cli.progress import Progress
from chainrule.cli.text import duration, note, out, scores, trivial
from chainrule.train.settings import Settings, gather
from chainrule.train.table import Trained, train_table

_OPTIONS = [name for name in Settings.model_fields if name != "data"]


@click.command("train")
@click.argument("data", required=False)
@setting_options(_OPTIONS)
@click.option("--config", metavar="FILE", help="A TOML file of settings; flags go over it.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--quiet", is_flag=True, help="No progress and no advice.")
def command(data: str | None, config: str | None, as_json: bool, quiet: bool, **flags: Any) -> int:
    """Train a network on DATA: a CSV file, or a built-in table (digits, diabetes, courier, spirals).

    Everything that is not given is chosen from the task and the size of the data, and is written
    into the folder of the run.
    """
    settings = gather({"data": data, **flags}, config)
    if not settings.data:
        raise click.UsageError("which table? chainrule train DATA --target COLUMN")
    progress = Progress(quiet or as_json)
    try:
        trained = train_table(settings, progress)
    finally:
        progress.close()
    if as_json:
        out(json.dumps(summary(trained), indent=1))
    else:
        tell(trained, quiet)
    return 130 if trained.history.interrupted else 0


def summary(trained: Trained) -> dict[str, Any]:
    """The result as data."""
    return {"run": str(trained.run.path), **trained.run.summary()}


def tell(trained: Trained, quiet: bool = False) -> None:
    """The result in words."""
    out(trained.prepared.report.text())
    out()
    out(how_it_learned(trained))
    out()
    rows = len(trained.prepared.test)
    out(f"On {rows:,} test rows that it never saw:")
    out(scores(trained.scores, trained.baseline, trivial(trained.model.task)))
    out()
    out(f"The run is in {trained.run.path}")
    if not quiet:
        note(f"Next: chainrule predict {trained.run.path} NEW.csv -o predictions.csv")


def how_it_learned(trained: Trained) -> str:
    """The network, its epochs and why it stopped, in a few lines."""
    history, settings = trained.history, trained.settings
    layers = [str(len(trained.prepared.preparation.features)), *map(str, settings.layers or [])]
    outputs = len(trained.model.classes) or 1
    first, best = history.epochs[0], history.best
    return "\n".join(
        [
            f"Network {' → '.join(layers)} → {outputs}: {trained.parameters:,} parameters, "
            f"{settings.optimizer}, batches of {settings.batch_size}, seed {settings.seed}",
            f"{len(history.epochs)} epochs, {history.epochs[-1].steps:,} updates "
            f"in {duration(trained.seconds)}: {history.stopped}",
            f"Validation loss {first.validation_loss:.4f} after the first epoch, "
            f"{best.validation_loss:.4f} after epoch {history.best_epoch}, whose weights were kept",
        ]
    )

"""`chainrule demo`: a first training, and how to read it."""

from __future__ import annotations

import tempfile
from typing import Any

import click
import numpy as np

from chainrule.cli.progress import Progress
from chainrule.cli.text import out, scores, trivial
from chainrule.cli.train import how_it_learned
from chainrule.data import Table, read_table
from chainrule.explain import curve
from chainrule.train.settings import checked
from chainrule.train.table import Trained, train_table

_SHADES = " ░▒▓█"


@click.command("demo")
@click.option("--seed", type=int, default=0, help="Fixes split, initial weights and order.")
@click.option("--output", metavar="DIR", help="Keep the run in this folder.")
def command(seed: int, output: str | None) -> None:
    """Train on the built-in digits, show how it learned, its score, and some predictions."""
    with tempfile.TemporaryDirectory() as folder:
        settings = checked({"data": "digits", "seed": seed, "output": output or f"{folder}/run"})
        progress = Progress()
        try:
            trained = train_table(settings, progress)
        finally:
            progress.close()
        tell(trained)
    if output:
        out(f"\nThe run is in {output}")


def tell(trained: Trained) -> None:
    """The demonstration in words."""
    sizes = [len(getattr(trained.prepared, part)) for part in ("train", "validation", "test")]
    out("The data: 1,797 real handwritten digits, 8x8 pixels each, split into")
    out(f"{sizes[0]:,} rows to learn from, {sizes[1]} to decide when to stop, {sizes[2]} to test on.")
    out()
    out("How it learned: each batch of rows goes through four steps,")
    out("  forward (predict), loss (how wrong), backward (who is to blame), update (do better).")
    out()
    events = trained.history.epochs
    losses = {
        "training loss": [event.train_loss for event in events],
        "validation loss": [event.validation_loss for event in events],
    }
    out(curve(losses, x_name="epoch", log=True))
    out()
    out(how_it_learned(trained))
    out()
    out(f"On {sizes[2]} test digits that it never saw:")
    out(scores(trained.scores, trained.baseline, trivial(trained.model.task)))
    out()
    out("Some predictions with frozen weights, forward only:")
    out(_pictures(trained))
    out()
    out("Next: chainrule train YOUR.csv --target COLUMN")


def _pictures(trained: Trained, count: int = 4) -> str:
    """Test digits as pictures, with what the model says."""
    table = read_table("digits")
    places = {int(line): row for row, line in enumerate(table.lines)}
    rows = np.array([places[int(line)] for line in trained.prepared.test.lines[:count]])
    shown = table.take(rows)
    found = trained.model.predict(shown)
    assert found.probabilities is not None
    pictures = [_picture(shown, i) for i in range(count)]
    lines = ["    ".join(f"  {part[i]}" for part in pictures) for i in range(8)]
    said = [
        f"{value} ({probability:.0%}), is {true}"
        for value, probability, true in zip(
            found.values, found.probabilities.max(axis=1), _cells(shown, "digit"), strict=True
        )
    ]
    return "\n".join([*lines, "    ".join(f"  {text:<16}" for text in said).rstrip()])


def _picture(table: Table, row: int) -> list[str]:
    """One digit as eight lines of shades."""
    pixels = [int(float(_cells(table, name)[row])) for name in table.names[:64]]
    shades = [_SHADES[min(4, value * 5 // 17)] * 2 for value in pixels]
    return ["".join(shades[i : i + 8]) for i in range(0, 64, 8)]


def _cells(table: Table, name: str) -> Any:
    return table.column(name).cells

"""`chainrule demo`: a first training, and how to read it."""

from __future__ import annotations

import tempfile

import click
import numpy as np

from chainrule.cli.options import quiet_option
from chainrule.cli.progress import Progress
from chainrule.cli.runs import loss_curves
from chainrule.cli.text import note, out
from chainrule.cli.train import told
from chainrule.data import Table, read_table
from chainrule.train import Settings, Trained, train_table

_SHADES = " ░▒▓█"
_SIDE = 8  # pixels
_SHOWN = 4  # digits


@click.command("demo")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    metavar="N",
    default=0,
    show_default=True,
    help="Fixes split, initial weights and order.",
)
@click.option("--output", metavar="DIR", help="Keep the run in this folder.")
@quiet_option
@click.pass_context
def command(ctx: click.Context, /, seed: int, output: str | None, quiet: bool) -> None:
    """Train on the built-in digits, show how it learned, its score, and some predictions."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data="digits", seed=seed, output=output or f"{folder}/run")
        with Progress(quiet) as progress:
            trained = train_table(settings, progress)
    out(_told(trained))
    if output is not None:
        out(f"\nThe run is in {output}")
    if not quiet:
        note("Next: chainrule train YOUR.csv --target COLUMN")
    ctx.exit(130 if trained.history.interrupted else 0)


def _told(trained: Trained) -> str:
    """The demonstration in words."""
    parts = trained.prepared
    train, validation, test = map(len, (parts.train, parts.validation, parts.test))
    return f"""\
The data: {train + validation + test:,} real handwritten digits, 8x8 pixels each, split into
{train:,} rows to learn from, {validation} to decide when to stop, {test} to test on.

How it learned: each batch of rows goes through four steps,
  forward (predict), loss (how wrong), backward (who is to blame), update (do better).

{loss_curves(trained.history.epochs)}

{told(trained)}

Some of them, as the model sees them (weights frozen, forward only):
{_pictures(trained)}"""


def _pictures(trained: Trained) -> str:
    """The first test digits as pictures, with what the model says."""
    table = read_table("digits")
    rows = np.flatnonzero(np.isin(table.lines, trained.prepared.test.lines[:_SHOWN]))
    shown = table.take(rows)
    found = trained.model.predict(shown)
    pictures = [_picture(shown, i) for i in range(len(shown))]
    true = shown.column("digit").cells
    lines = ["    ".join(picture[i] for picture in pictures) for i in range(_SIDE)]
    said = [f"{value}, is {answer}" for value, answer in zip(found.values, true, strict=True)]
    lines.append("    ".join(text.center(2 * _SIDE) for text in said))
    return "\n".join(f"  {line}".rstrip() for line in lines)


def _picture(table: Table, row: int) -> list[str]:
    """One digit as eight lines of shades; a pixel is 0 to 16."""
    pixels = [table.column(f"p{place:02}").numbers[row] for place in range(_SIDE * _SIDE)]
    shades = [_SHADES[min(4, int(value * 5 / 17))] * 2 for value in pixels]
    return ["".join(shades[i : i + _SIDE]) for i in range(0, _SIDE * _SIDE, _SIDE)]

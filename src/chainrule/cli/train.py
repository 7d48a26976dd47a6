"""`chainrule train`: from a table to a trained model, its score, and what to do next."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import click

from chainrule.cli.options import json_option, quiet_option, setting_options
from chainrule.cli.progress import Progress
from chainrule.cli.text import all_scores, duration, note, number, out
from chainrule.cli.text import as_json as json_text
from chainrule.data.report import counted
from chainrule.errors import FindingsError
from chainrule.explain.plain import plain
from chainrule.train import Settings, Trained, gather, train_table


@click.command("train")
@click.argument("data", required=False)
@setting_options
@click.option("--config", metavar="FILE", help="A TOML file of settings; flags go over it.")
@click.option("--ui", "page", is_flag=True, help="Show it live as a local page; see chainrule ui.")
@json_option("Print the result as JSON.")
@quiet_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    data: str | None,
    config: str | None,
    page: bool,
    as_json: bool,
    quiet: bool,
    **flags: Any,
) -> None:
    """Train a network on DATA: a CSV file, or digits, diabetes, courier or spirals (built in).

    Everything that is not given is chosen from the task and the size of the data, and is written
    into the folder of the run. Settings may also come from a file (--config) and from the
    environment (CHAINRULE_EPOCHS=20); flags go over both.
    """
    settings = gather({"data": data, **flags}, config)
    if not settings.data:
        raise click.UsageError("which table? chainrule train DATA --target COLUMN")
    with _page(settings, quiet) if page else nullcontext():
        with Progress(quiet) as progress:
            trained = train_table(settings, progress)
        if as_json:
            out(json_text(_facts(trained)))
        else:
            out(trained.prepared.report.text())
            out()
            out(told(trained))
            out(f"\nThe run is in {trained.run.path}")
        advise(trained, quiet, progress.found)
    if settings.strict and trained.findings and not trained.history.interrupted:
        names = ", ".join(finding.name for finding in trained.findings)
        raise FindingsError(f"something looks wrong with the training: {names}")
    ctx.exit(130 if trained.history.interrupted else 0)


def _page(settings: Settings, quiet: bool) -> AbstractContextManager[None]:
    """The page of the folder that the run will lie in."""
    from chainrule.cli.ui import page_beside

    folder = Path(settings.output).parent if settings.output else Path("runs")
    return page_beside(folder, quiet)


def _facts(trained: Trained) -> dict[str, Any]:
    search = trained.rate_search
    found = {} if search is None else {"rate_search": search.model_dump()}
    facts = {"run": str(trained.run.path), **trained.run.summary().model_dump(), **found}
    return {**facts, "findings": plain(trained.findings)}


def told(trained: Trained) -> str:
    """How the network learned, and its scores, in words."""
    rows = len(trained.prepared.test)
    search = trained.rate_search
    return "\n".join(
        [
            *([] if search is None else [str(search), ""]),
            how_it_learned(trained),
            "",
            f"On {rows:,} test rows that it never saw:",
            all_scores(trained.scores, trained.baseline, trained.model.task, trained.details),
        ]
    )


def how_it_learned(trained: Trained) -> str:
    """The network, its epochs and why it stopped, in a few lines."""
    history, settings = trained.history, trained.settings
    last, best = history.epochs[-1], history.best
    epochs = counted(last.epoch, "epoch")
    return "\n".join(
        [
            f"Network {trained.network.summary}: "
            f"{trained.network.size:,} parameters, "
            f"{settings.optimizer}, batches of {settings.batch_size}, seed {settings.seed}",
            f"{epochs}, {last.steps:,} updates in {duration(trained.seconds)}: {history.stopped}",
            f"The updates ran {history.ran}",
            f"Validation loss {number(history.epochs[0].validation_loss)} after the first epoch, "
            f"{number(best.validation_loss)} after epoch {best.epoch}, whose weights were kept",
        ]
    )


def advise(trained: Trained, quiet: bool, said: Collection[str] = ()) -> None:
    """What to do next; that the training was interrupted is said in any case.

    Findings whose names were `said` before are not said again.
    """
    if trained.history.interrupted:
        best = trained.history.best.epoch
        note(
            f"interrupted: the weights of epoch {best}, the best so far, are in {trained.run.path}"
        )
    for finding in [] if quiet else trained.findings:
        if finding.name in said:
            continue
        what = f"{finding.name.capitalize()}. {finding.what}"
        note(f"{what}: chainrule diagnose {trained.run.path}")
    if not quiet:
        note(f"Next: chainrule predict {trained.run.path} NEW.csv -o predictions.csv")

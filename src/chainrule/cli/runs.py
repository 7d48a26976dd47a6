"""`chainrule runs`: the trainings done here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from chainrule.cli.text import duration, number, out, scores, table, trivial
from chainrule.explain import curve
from chainrule.train.metrics import MAIN
from chainrule.train.run import Run, runs_in


@click.group("runs")
def command() -> None:
    """List the trainings done here, or show one."""


@command.command("list")
@click.argument("folder", default="runs")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def list_runs(folder: str, as_json: bool) -> None:
    """List the runs in FOLDER (runs, if not given), the newest last."""
    found = [(run, run.summary()) for run in runs_in(folder)]
    if as_json:
        out(json.dumps([{"run": str(run.path), **facts} for run, facts in found], indent=1))
    elif not found:
        out(f"There are no runs in {folder}; chainrule train DATA --target COLUMN makes one.")
    else:
        header = ["run", "target", "score", "trivial", "epochs", "state"]
        out(table([header, *(_row(run, facts) for run, facts in found)], indent=""))


def _row(run: Run, facts: dict[str, Any]) -> list[str]:
    main = MAIN.get(facts.get("task", ""), "")
    measured = facts.get("scores", {}).get(main)
    baseline = facts.get("baseline", {}).get(main)
    return [
        str(run.path),
        str(facts.get("target", "")),
        f"{main} {number(measured)}" if measured is not None else "",
        number(baseline) if baseline is not None else "",
        str(facts.get("epochs", "")),
        str(facts.get("state", "")),
    ]


@command.command("show")
@click.argument("run")
@click.option("--json", "as_json", is_flag=True, help="Print all that is known as JSON.")
def show(run: str, as_json: bool) -> None:
    """Show one run: its scores, its course, and the settings that do it again."""
    found = Run(Path(run))
    facts = found.summary()
    if as_json:
        out(json.dumps({**facts, "events": found.events()}, indent=1))
        return
    out(describe(found, facts))


def describe(run: Run, facts: dict[str, Any]) -> str:
    """A run in words, with its loss curves."""
    rows = ", ".join(f"{count:,} {part}" for part, count in facts["rows"].items())
    parts = [
        f"{run.path}: {facts['task']} of {facts['target']} from {facts['data']}, {facts['state']}",
        f"  began {facts['began']}; rows: {rows}; {facts['parameters']:,} parameters",
    ]
    if "scores" in facts:
        epochs = f"{facts['epochs']} epochs in {duration(facts['seconds'])}"
        parts.append(f"  {epochs}: {facts['stopped']}; best epoch {facts['best_epoch']}")
        parts += ["", scores(facts["scores"], facts["baseline"], trivial(facts["task"]))]
    if events := [event for event in run.events() if event.get("event") == "epoch"]:
        losses = {
            "training loss": [event["train_loss"] for event in events],
            "validation loss": [event["validation_loss"] for event in events],
        }
        parts += ["", curve(losses, x_name="epoch")]
    parts += ["", f"Settings ({run.path}/settings.toml):"]
    parts += [f"  {line}" for line in run.settings_text().splitlines()]
    return "\n".join(parts)

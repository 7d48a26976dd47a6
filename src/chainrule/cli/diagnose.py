"""`chainrule diagnose`: what is wrong with a training, or with data, and what helps."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import click

from chainrule.cli.options import json_option, reading_options
from chainrule.cli.text import out
from chainrule.data import on_disk
from chainrule.data.report import counted
from chainrule.errors import DataError, FindingsError
from chainrule.explain import Finding
from chainrule.explain.plain import plain
from chainrule.train import Run
from chainrule.train.diagnosis import diagnose_data
from chainrule.train.preparing import prepared_for
from chainrule.train.report import write_findings
from chainrule.train.run import SUMMARY
from chainrule.train.settings import checked


@click.command("diagnose")
@click.argument("thing", metavar="RUN|DATA")
@click.option("--target", metavar="COLUMN", help="Of a table: the column to predict.")
@click.option("--try/--no-try", "trying", default=True, help="Try remedies that are settings.")
@click.option("--strict", is_flag=True, help="End with exit code 10 if there are findings.")
@reading_options
@json_option("Print the findings as JSON.")
def command(
    thing: str, target: str | None, trying: bool, strict: bool, as_json: bool, **reading: Any
) -> None:
    """Say what is wrong with RUN, or with the table DATA, and what to do about it.

    Each finding comes with its evidence. Where a setting may help, it is tried: the first steps
    of the run again, from the same first weights. What is only weakly shown is not said.
    """
    path = on_disk(thing)
    if path is not None and path.is_dir() and ((path / SUMMARY).is_file() or target is None):
        found = Run(path).diagnose(trying)
        with suppress(DataError):  # a run that may only be read can be diagnosed all the same
            write_findings(Run(path), found)
    else:
        given = {name: value for name, value in reading.items() if value is not None}
        settings = checked({"data": thing, "target": target or "", **given})
        found = diagnose_data(prepared_for(settings))
    out(_json(found) if as_json else findings_text(thing, found))
    if strict and found:
        raise FindingsError(f"{thing} has {counted(len(found), 'finding')}")


def findings_text(thing: str, found: list[Finding]) -> str:
    """The findings as numbered paragraphs."""
    if not found:
        return f"{thing}: nothing looks wrong."
    numbered = [f"{place}. {finding}" for place, finding in enumerate(found, 1)]
    return "\n\n".join([f"{thing}: {counted(len(found), 'finding')}", *numbered])


def _json(found: list[Finding]) -> str:
    return json.dumps(plain(found), ensure_ascii=False, allow_nan=False, indent=1)

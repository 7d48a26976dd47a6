"""The card of a model: where it comes from and what it is worth, for programs and for people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from chainrule.data import Preparation
from chainrule.version import __version__

Scores = dict[str, float | None]
"""Metrics by name; None where one is not defined for the rows at hand."""


class Card(BaseModel):
    """Where a model comes from and what it is worth.

    `trivial`: the answer that needs no model, one number per output: the mean of the training
    target, or the share of each class. `scores` are those of the test rows, `baseline` those of
    the trivial answer on the same rows. `units` are those of the columns whose names tell one.

    >>> Card(trivial=[0.25, 0.75], data="coins.csv").data
    'coins.csv'
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    trivial: list[float]
    chainrule: str = __version__
    data: str = ""
    date: str = ""  # of the training, YYYY-MM-DD
    rows: dict[str, int] = {}  # by part: train, validation, test
    scores: Scores = {}
    baseline: Scores = {}
    settings: dict[str, Any] = {}
    units: dict[str, str] = {}
    versions: dict[str, str] = {}  # of what trained it


def units_of(names: Iterable[str]) -> dict[str, str]:
    """The units that names of columns end with, in brackets, by name.

    >>> units_of(["load (kg)", "price [EUR]", "port"])
    {'load (kg)': 'kg', 'price [EUR]': 'EUR'}
    """
    found = ((name, _UNIT.search(name)) for name in names)
    return {name: (unit[1] or unit[2]).strip() for name, unit in found if unit}


_UNIT = re.compile(r"\S\s*(?:\[([^][]+)\]|\(([^()]+)\))$")


def card_text(preparation: Preparation, card: Card) -> str:
    """The card as Markdown: what the model is, how good, from what, and how to use it."""
    target = preparation.target
    lines = [f"# A model of `{target.name}`", "", _what(preparation, card), ""]
    if card.data:
        lines += [f"Trained by chainrule {card.chainrule} on {card.data}, {card.date}.", ""]
    if card.scores:
        lines += [*_score_table(card.scores, card.baseline, card.rows.get("test")), ""]
    lines += ["## Inputs"]
    lines += [f"- `{record.name}`: {record.treatment()}" for record in preparation.inputs]
    if preparation.left_out:
        lines += ["", "Not used:"]
        lines += [f"- `{name}`: {why}" for name, why in preparation.left_out.items()]
    lines += ["", "## Use", "", "    chainrule predict THIS_FOLDER ROWS.csv -o predictions.csv"]
    lines += ["", "The rows need the columns above, in any order. Numbers far outside of what"]
    lines += ["the training rows held, and categories that they did not have, are guesses.", ""]
    return "\n".join(lines)


def _what(preparation: Preparation, card: Card) -> str:
    target = preparation.target
    if target.kind == "scaled":
        unit = card.units.get(target.name)
        return f"It predicts a number, in {unit}." if unit else "It predicts a number."
    names = ", ".join(f"`{name}`" for name in target.classes[:10])
    more = f" and {len(target.classes) - 10} more" if len(target.classes) > 10 else ""
    return f"It predicts one of {len(target.classes)} classes: {names}{more}."


def _score_table(scores: Scores, baseline: Scores, rows: int | None) -> list[str]:
    """The scores beside the baseline's, as a Markdown table."""
    where = f"on {rows:,} test rows" if rows else "on the test rows"
    return [
        f"| {where} | this model | baseline |",
        "|---|---|---|",
        *(
            f"| {name} | {_number(value)} | {_of(baseline, name)} |"
            for name, value in scores.items()
        ),
    ]


def _of(scores: Mapping[str, float | None], name: str) -> str:
    return _number(scores[name]) if name in scores else ""


def _number(value: float | None) -> str:
    return "not defined" if value is None or value != value else f"{value:.6g}"

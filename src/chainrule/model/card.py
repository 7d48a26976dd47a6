"""The card of a model: where it comes from and what it is worth, for programs and for people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from chainrule.data import Preparation, Target
from chainrule.version import __version__

NOUNS = {"classification": "classes", "multi-label": "labels"}
"""What the choices of a task are called."""

Scores = dict[str, float | None]
"""Metrics by name; None where one is not defined for the rows at hand."""


LABEL = "label"
"""The task of a single label among several."""


class Detail(BaseModel):
    """The scores of one of several targets, or of one label, beside those of the trivial answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    of: str  # the target's name, or the label's
    task: str
    scores: Mapping[str, float | None]
    baseline: Mapping[str, float | None]


def no_details(details: list[Detail]) -> bool:
    """Whether there is nothing to save: models of one number or class have no details."""
    return not details


class Card(BaseModel):
    """Where a model comes from and what it is worth.

    `trivial`: the answer that needs no model, one number per output: the mean of the training
    target, or the share of each class. `scores` are those of the test rows, `baseline` those of
    the trivial answer on the same rows; of several targets, or of labels, they are those of all
    together, and `details` has those of each. `units` are those of the columns whose names tell
    one.

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
    details: list[Detail] = Field(default=[], exclude_if=no_details)
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
    names = ", ".join(f"`{target.name}`" for target in preparation.targets)
    whats = [_what(target, card) for target in preparation.targets]
    if len(whats) > 1:
        whats = [f"- `{t.name}`: {w}" for t, w in zip(preparation.targets, whats, strict=True)]
    lines = [f"# A model of {names}", "", *whats, ""]
    if card.data:
        lines += [f"Trained by chainrule {card.chainrule} on {card.data}, {card.date}.", ""]
    if card.scores:
        where = (
            f"on {card.rows['test']:,} test rows" if card.rows.get("test") else "on the test rows"
        )
        for detail in (found for found in card.details if found.task != LABEL):
            title = f"{detail.of}, {where}"
            lines += [*_score_table(title, detail.scores, detail.baseline), ""]
        title = f"all together, {where}" if card.details else where
        lines += [*_score_table(title, card.scores, card.baseline), ""]
    lines += ["## Inputs"]
    lines += [f"- `{record.name}`: {record.treatment()}" for record in preparation.inputs]
    if preparation.left_out:
        lines += ["", "Not used:"]
        lines += [f"- `{name}`: {why}" for name, why in preparation.left_out.items()]
    lines += ["", "## Use", "", "    chainrule predict THIS_FOLDER ROWS.csv -o predictions.csv"]
    lines += ["", "The rows need the columns above, in any order. Numbers far outside of what"]
    lines += ["the training rows held, and categories that they did not have, are guesses.", ""]
    return "\n".join(lines)


def _what(target: Target, card: Card) -> str:
    """What is predicted, in words."""
    if target.task == "regression":
        unit = card.units.get(target.name)
        return f"It predicts a number, in {unit}." if unit else "It predicts a number."
    count = len(target.choices)
    names = ", ".join(f"`{name}`" for name in target.choices[:10])
    more = f" and {count - 10} more" if count > 10 else ""
    kind = "one" if target.task == "classification" else "any number"
    return f"It predicts {kind} of {count} {NOUNS[target.task]}: {names}{more}."


def _score_table(
    title: str, scores: Mapping[str, float | None], baseline: Mapping[str, float | None]
) -> list[str]:
    """The scores beside the baseline's, as a Markdown table."""
    return [
        f"| {title} | this model | baseline |",
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

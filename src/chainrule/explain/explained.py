"""An explained prediction: what each column did to it, as a record and as text."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.explain.plain import Shown, number

MOST = 10
"""So many columns are told one by one."""


@dataclass(frozen=True)
class Contribution(Shown):
    """What one column did to an output, in the output's units.

    `value` is the row's cell, `reference` that of the row it is compared with. `integrated`: by
    integrated gradients, whose sum over columns is the whole difference; `gradient_input`: the
    gradient at the row times the difference of the inputs, as if the network were linear.
    """

    column: str
    value: str
    reference: str
    integrated: float
    gradient_input: float


@dataclass(frozen=True)
class Explained(Shown):
    """Why a model says what it says of one target of one row.

    `output` is a number in the target's units, or the probability of `said`; `reference` is the
    same for the row it is compared with. `gap`: what the contributions do not account for.
    """

    target: str
    said: str
    probability: bool
    output: float
    reference: float
    contributions: list[Contribution]
    gap: float
    line: int | None = None
    source: str = ""
    compared: str = ""

    def __str__(self) -> str:
        return explained_text(self)


def explained_text(found: Explained) -> str:
    """What was predicted, what the compared row gives, and what each column did."""
    where = f"The row of line {found.line} of {found.source}: " if found.line is not None else ""
    said = f"{found.target} {found.said}"
    if found.probability:
        said += f" with probability {found.output:.4f}"
    compared = found.compared or "The row it is compared with"
    shown = found.contributions[:MOST]
    rest = found.contributions[MOST:]
    rows = [["column", "value", "compared", "moved it by", "gradient x input"]]
    for one in shown:
        both = [_signed(one.integrated), _signed(one.gradient_input)]
        rows.append([one.column, one.value, one.reference, *both])
    if rest:
        sums = [sum(one.integrated for one in rest), sum(one.gradient_input for one in rest)]
        rows.append([f"{len(rest)} others", "", "", *map(_signed, sums)])
    whole = found.output - found.reference
    rows.append(["together", "", "", _signed(whole - found.gap), ""])
    lines = [
        f"{where}{said}",
        f"{compared} gives {number(found.reference)}; the difference, {_signed(whole)}, comes from",
        *_table(rows),
    ]
    if abs(found.gap) > 0.05 * abs(whole) + 1e-6:
        lines.append(f"  {_signed(found.gap)} is not accounted for")
    return "\n".join(lines)


def _signed(value: float) -> str:
    text = number(value)
    return text if text.startswith("-") or text == "0" else f"+{text}"


def _table(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  " + "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
        for row in rows
    ]

"""Explained predictions as text, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.explain.plain import number

if TYPE_CHECKING:  # which imports this file to be told
    from chainrule.explain.attribution import Explained

MOST = 10
"""So many columns are told one by one."""


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

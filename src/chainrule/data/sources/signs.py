"""Numbers with a currency or percent sign, without it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from chainrule.data.column import Cells, Column, is_missing
from chainrule.data.report import Note, named
from chainrule.data.sources.decimals import ENOUGH, SAMPLE, reads_as_number

SIGNS = "$€£¥₹%"
SIGNED = "signs"
"""What the note of a change is about."""

_SIGN = re.compile(f"[{SIGNS}]")
_SIGNED = re.compile(
    rf"(?P<open>\()?(?P<minus>[+-]?)\s?(?:[$€£¥₹]\s?(?P<after>[+-]?[\d.,].*?)|(?P<before>\d.*?)\s?[{SIGNS}])"
    r"(?(open)\))"
)


def without_signs(columns: Sequence[Column]) -> tuple[list[Column], list[Note]]:
    """The columns with $1,200 as 1,200, 12% as 12 and ($5) as -5, and a note of what changed.

    A column is changed where most of its cells are numbers, all that have a sign have the same
    one, and for percent all have it: 12% beside 0.12 stays as it is.

    >>> columns, notes = without_signs([Column.of(["price", "$1,200.50", "-$3", "7"])])
    >>> columns[0].cells.tolist(), str(notes[0])
    (['price', '1,200.50', '-3', '7'], 'numbers of column 1 are read without their sign: $')
    """
    made, changed = list(columns), {}
    for place, column in enumerate(columns):
        sign = _sign_of(column)
        if sign is not None:
            cells: Cells = column.of_values(lambda text: unsigned(text) or text, object)
            made[place] = Column(cells)
            changed[place + 1] = sign
    if not changed:
        return made, []
    word = "column" if len(changed) == 1 else "columns"
    signs = " ".join(dict.fromkeys(changed.values()))
    text = f"numbers of {word} {named(map(str, changed))} are read without their sign: {signs}"
    return made, [Note(about=SIGNED, text=text)]


def _sign_of(column: Column) -> str | None:
    """The sign that all signed numbers of a column have; None if it is no column of such."""
    start = slice(1, SAMPLE + 1) if len(column) > 1 else slice(1)  # below a header
    sample = [text for text in column.at(start).tolist() if not is_missing(text)]
    if not any(_SIGN.search(text) for text in sample):
        return None
    signed = [text for text in sample if unsigned(text) is not None]
    numbers = len(signed) + sum(map(reads_as_number, sample))
    signs = {_SIGN.findall(text or "")[0] for text in column.values if unsigned(text) is not None}
    if numbers < ENOUGH * len(sample) or len(signs) != 1:
        return None
    return None if signs == {"%"} and len(signed) < numbers else signs.pop()


def unsigned(text: str | None) -> str | None:
    """A number without the sign it has, as it is written; None if it is no number with one.

    >>> [unsigned(text) for text in ["$1,200", "1.200 €", "-$5", "($5.00)", "5", "$x"]]
    ['1,200', '1.200', '-5', '-5.00', None, None]
    """
    found = None if text is None else _SIGNED.fullmatch(text)
    if found is None:
        return None
    number = found["after"] or found["before"]
    if not reads_as_number(number):
        return None
    negative = (found["minus"] == "-") != (found["open"] is not None)
    return f"-{number}" if negative else number

"""The vote of a column's cells on what the column holds."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from chainrule.data.arrays import ArrayColumn
from chainrule.data.boolean import YES_NO
from chainrule.data.column import Column, are_whole
from chainrule.data.dates import day_form
from chainrule.data.identifiers import names_rows, why_number_id
from chainrule.data.labels import present_texts, text_counts
from chainrule.data.markers import LEAST_OFTEN, lone_texts
from chainrule.data.report import counted, quoted

Kind = Literal[
    "numeric",
    "integer-category",
    "category",
    "boolean",
    "date",
    "text",
    "id",
    "array",
    "constant",
    "empty",
]

NUMERIC_SHARE = 0.95
"""A column is numeric when at least this share of its non-missing cells are numbers."""

ONE_BAD = 9
"""One bad cell is a bad cell beside this many numbers, though that is less than the share."""

MOST_CODES = 12
"""Whole numbers with at most this many values, all of them frequent, are codes of categories."""

FREQUENT = 0.02
"""The share of the rows that each code of a category has at least."""

LEAST_WORDS = 3
LEAST_TEXTS = 20
TEXT_SHARE = 0.3
"""Free text: at least three words a cell, and mostly different from row to row."""

_LEADING_ZERO = re.compile(r"0\d+", re.A)


@dataclass(frozen=True)
class Vote:
    """What a column holds, and why; `advice` says what the cells cannot decide, and what would.

    `form` is how dates are written.
    """

    kind: Kind
    reason: str
    form: str | None = None
    advice: str | None = None


def vote(name: str, column: Column) -> Vote:
    """What the cells of a column say that it holds.

    >>> vote("age", Column.of([31, 45, 18, 77])).kind, vote("sex", Column.of(["f", "m"])).kind
    ('numeric', 'category')
    """
    if isinstance(column, ArrayColumn):
        return Vote("array", f"an array of shape {column.array.shape[1:]} a row")
    if column.missing.all():
        return Vote("empty", "every cell is missing")
    return _of_numbers(name, column) if numeric_vote(column) else _of_texts(name, column)


def numeric_vote(column: Column) -> bool:
    """Whether the cells that are not missing are numbers: 95% of them, or all but one of ten.

    A few more may be bad if they are one or two texts again and again, which look like markers of
    missing cells.
    """
    present = len(column) - int(np.count_nonzero(column.missing))
    numbers = int(np.count_nonzero(~np.isnan(column.numbers)))
    if numbers == 0:
        return False
    if numbers >= NUMERIC_SHARE * present or (present - numbers == 1 and numbers >= ONE_BAD):
        return True
    return 2 * numbers > present and bool(lone_texts(column))


def _of_numbers(name: str, column: Column) -> Vote:
    """The kind of a column of numbers."""
    numbers = column.numbers[~np.isnan(column.numbers)]
    low, high = float(numbers.min()), float(numbers.max())
    known, bad = len(numbers), len(column.bad)
    if low == high and known == len(column):
        return Vote("constant", "every cell has the same value")
    if low == high and not bad:
        return Vote("category", "one value or missing")
    whole = are_whole(numbers)
    if bad:
        return _with_bad_cells(name, column, known, bad)
    if whole and low >= 0 and _codes_with_zeros(column):
        if names_rows(column):
            return Vote("id", "codes that hardly ever come up twice")
        return Vote("category", "codes: digits with leading zeros")
    if whole and low == 0 and high == 1:
        return Vote("boolean", "only 0 and 1")
    why = why_number_id(name, column) if whole and known == len(column) else None
    if why is not None:
        return Vote("id", why)
    if whole and low in (0, 1) and high - low < MOST_CODES and _all_frequent(numbers):
        values = counted(int(high - low) + 1, "value")
        return Vote("integer-category", f"whole numbers, {values}, each of them frequent")
    return Vote("numeric", "every cell is a number")


def _with_bad_cells(name: str, column: Column, known: int, bad: int) -> Vote:
    """A column of numbers with some cells that are none."""
    markers = lone_texts(column) if bad >= LEAST_OFTEN else {}
    flags = " ".join(f"--missing {name}={text}" for text in markers)
    advice = f"{quoted(markers)} may mean missing; if so, {flags}" if markers else None
    return Vote("numeric", f"{known:,} of {known + bad:,} cells are numbers", advice=advice)


def _all_frequent(numbers: NDArray[np.float64]) -> bool:
    """Whether small whole numbers use every value between the ends, and each often."""
    counts = np.bincount((numbers - numbers.min()).astype(np.int64))
    return len(counts) > 2 and bool((counts >= max(3, FREQUENT * len(numbers))).all())


def _codes_with_zeros(column: Column) -> bool:
    """Whether numbers are codes: digits only, all equally many, and some begin with a zero."""
    if column.from_numbers:
        return False
    known = np.flatnonzero(~column.missing)
    some = [str(text) for text in column.at(known[:: max(1, len(known) // 1000)])]
    plain = all(text.isdigit() and len(text) == len(some[0]) for text in some)
    return plain and any(_LEADING_ZERO.fullmatch(text) for text in some)


def _of_texts(name: str, column: Column) -> Vote:
    """The kind of a column of texts."""
    form, other = day_form(column)
    if form is not None:
        advice = None
        if other is not None:
            advice = (
                f"no cell shows whether day or month stands first; read as {form}: "
                f"--type {name}=date:{form} or --type {name}=date:{other}"
            )
        return Vote("date", f"dates such as {_example(column)}", form=form, advice=advice)
    if column.hashes is not None:
        return _of_many_texts(name, column)
    texts = present_texts(column)
    if len(texts) == 1:
        whole = not column.missing.any()
        reason = "every cell has the same value" if whole else "one value or missing"
        return Vote("constant" if whole else "category", reason)
    if {text.lower() for text in texts} in ({*pair} for pair in YES_NO.items()):
        return Vote("boolean", f"only {quoted(texts)}")
    if is_free_text(column):
        return Vote("text", f"texts of {_words(texts):.0f} words on average")
    return _of_names(name, column, len(texts))


def _of_many_texts(name: str, column: Column) -> Vote:
    """The kind of a column of texts that are too many to be held."""
    if is_free_text(column):
        some = column.at(np.flatnonzero(~column.missing)[:: max(1, len(column) // 1000)])
        return Vote("text", f"texts of {_words(some.tolist()):.0f} words on average")
    return _of_names(name, column, len(text_counts(column)))


def _of_names(name: str, column: Column, values: int) -> Vote:
    """The kind of a column of so many different texts that are no sentences."""
    if names_rows(column):
        words = f"hardly any of its {values:,} values comes up often enough to learn from"
        return Vote("id", words)
    return Vote("category", f"text with {counted(values, 'value')}", advice=_mixed(name, column))


def is_free_text(column: Column) -> bool:
    """Whether cells are sentences rather than names: of several words, and mostly different."""
    if len(column.bad) == 0:
        return False
    present = np.flatnonzero(~column.missing)
    some = column.at(present[:: max(1, len(present) // 1000)]).tolist()
    texts = dict.fromkeys(some)
    many = len(texts) >= max(LEAST_TEXTS, TEXT_SHARE * len(some))
    return many and _words(texts) >= LEAST_WORDS


def _words(texts: Collection[str]) -> float:
    """The words of a text on average, over some of them."""
    some = list(texts)[:: max(1, len(texts) // 1000)]
    return sum(len(text.split()) for text in some) / len(some)


def _example(column: Column) -> str:
    return str(column.at(np.flatnonzero(~column.missing)[:1])[0])


def _mixed(name: str, column: Column) -> str | None:
    """What to say where most of the cells are numbers, but too many are not."""
    present = len(column) - int(np.count_nonzero(column.missing))
    numbers = int(np.count_nonzero(~np.isnan(column.numbers)))
    if 2 * numbers <= present:
        return None
    return f"{numbers:,} of {present:,} cells are numbers; if all should be, --type {name}=numeric"

"""Columns that name or number rows, from which nothing can be learned about other rows."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from chainrule.data.column import Column, count_different
from chainrule.data.labels import labels, min_count, text_counts

COVERED = 0.1
"""A text column is id-like when its frequent categories cover less than this share of its rows."""

FEWEST = 10
"""Fewer rows do not show that a column is id-like."""

_CALLED_ID = re.compile(r"(?:^|[\W_])(?i:id|uuid|guid|key|no|nr|number|index)$|[a-z](?:Id|ID)$")


def why_number_id(name: str, column: Column) -> str | None:
    """Why a column of whole numbers, none of them missing or bad, is id-like; None if it is not."""
    numbers = column.numbers
    if len(numbers) < FEWEST:
        return None
    if counts_up(column):
        return "it numbers the rows"
    if _CALLED_ID.search(name) and count_different(numbers.copy()) == len(numbers):
        return "whole numbers, all different, and it is called an id"
    return None


def counts_up(column: Column) -> bool:
    """Whether whole numbers only number the rows: they rise from about 0, row by row.

    Each is larger than the one before, and at least half of the numbers from 0 to the last are
    there (the others belong to rows that are not for training). Years do not pass for that.
    """
    numbers = column.numbers
    rising = bool((np.diff(numbers) > 0).all()) and numbers[0] >= 0
    return rising and len(numbers) >= 0.5 * (numbers[-1] + 1)


def names_rows(column: Column) -> bool:
    """Whether a text column names single rows: frequent categories cover under a tenth of it.

    A column that is often missing stays: whether it is there may tell something.
    """
    if len(column) < FEWEST:
        return False
    if column.hashes is not None:
        counts, missing = text_counts(column), int(np.count_nonzero(column.missing))
        return _hardly_any_often(counts, missing, len(column))
    codes, named = labels(column)
    counts = np.bincount(codes, minlength=len(named))
    known = np.array([name is not None for name in named])
    return _hardly_any_often(counts[known], int(counts[~known].sum()), len(column))


def _hardly_any_often(present: NDArray[np.int64], missing: int, rows: int) -> bool:
    """Whether few of the rows hold one of the categories that come up often."""
    least = min_count(rows)
    frequent = present[present >= least].sum()
    return bool(frequent < COVERED * present.sum() and missing < least)

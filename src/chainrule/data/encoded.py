"""Rows as a network sees them: in memory, or piece by piece on disk where they are too many."""

from __future__ import annotations

import numpy as np

from chainrule.data.disk import Growing
from chainrule.data.met import Met
from chainrule.data.preparation import Inputs, Preparation
from chainrule.data.room import fits, rows_at_once
from chainrule.data.table import Table


def encoded(preparation: Preparation, table: Table) -> tuple[Inputs, Met]:
    """What `preparation.apply` gives; arrays that would take too much memory are on disk."""
    if fits(preparation.row_bytes * len(table)):
        return preparation.apply(table)
    met: Met | None = None
    at_once = rows_at_once(preparation.row_bytes)
    with (
        Growing(len(preparation.features), np.float32) as numbers,
        Growing(preparation.slots, np.int64) as codes,
    ):
        for start in range(0, len(table), at_once):
            rows = np.arange(start, min(start + at_once, len(table)))
            inputs, found = preparation.apply(table.take(rows))
            numbers.add(inputs.numbers)
            codes.add(inputs.codes)
            met = found if met is None else met.joined(found)
        assert met is not None  # an empty table fits
        return Inputs(numbers.whole(), codes.whole()), met

"""Rows as a network sees them: in memory, or piece by piece on disk where they are too many."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chainrule.data.disk import Growing
from chainrule.data.met import Met
from chainrule.data.preparation import Inputs, Preparation
from chainrule.data.room import fits, rows_at_once
from chainrule.data.table import Table


def encoded(preparation: Preparation, tables: Sequence[Table]) -> list[tuple[Inputs, Met]]:
    """What `preparation.apply_all` gives; arrays that would take too much memory are on disk."""
    fitting = [fits(preparation.row_bytes * len(table)) for table in tables]
    together = [table for table, is_small in zip(tables, fitting, strict=True) if is_small]
    made = iter(preparation.apply_all(together))
    return [
        next(made) if is_small else _on_disk(preparation, table)
        for table, is_small in zip(tables, fitting, strict=True)
    ]


def _on_disk(preparation: Preparation, table: Table) -> tuple[Inputs, Met]:
    """What `preparation.apply` gives, written piece by piece."""
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

"""Rows as a network sees them: in memory, or piece by piece on disk where they are too many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from chainrule.data.disk import Growing
from chainrule.data.met import Met
from chainrule.data.preparation import Inputs, Preparation
from chainrule.data.room import fits, rows_at_once
from chainrule.data.store import READ
from chainrule.data.stored_column import give_back
from chainrule.data.table import Table


def encoded(preparation: Preparation, tables: Sequence[Table]) -> list[tuple[Inputs, Met]]:
    """What `preparation.apply_all` gives; arrays that would take too much memory are on disk."""
    give_back(column for table in tables for column in table.columns.values())
    fitting = [fits(preparation.row_bytes * len(table)) for table in tables]
    together = [table for table, is_small in zip(tables, fitting, strict=True) if is_small]
    made = iter(preparation.apply_all(together))
    return [
        next(made) if is_small else _on_disk(preparation, table)
        for table, is_small in zip(tables, fitting, strict=True)
    ]


def pieces(table: Table, at_once: int) -> Iterator[Table]:
    """A table piece by piece, so many rows each; a piece keeps what is read for parts of it."""
    for start in range(0, len(table), at_once):
        yield table.take(np.arange(start, min(start + at_once, len(table))))


def _on_disk(preparation: Preparation, table: Table) -> tuple[Inputs, Met]:
    """What `preparation.apply` gives, written piece by piece; cells are read some pieces ahead."""
    met: Met | None = None
    read = rows_at_once(READ * len(table.columns))
    made = rows_at_once(preparation.row_bytes)
    with (
        Growing(len(preparation.features), np.float32) as numbers,
        Growing(preparation.slots, np.int64) as codes,
    ):
        for piece in (piece for block in pieces(table, read) for piece in pieces(block, made)):
            inputs, found = preparation.apply(piece)
            numbers.add(inputs.numbers)
            codes.add(inputs.codes)
            met = found if met is None else met.joined(found)
        assert met is not None  # an empty table fits
        return Inputs(numbers.whole(), codes.whole()), met

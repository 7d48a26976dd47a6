"""Records applied to the columns of tables: a column at a time, some rows at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data.column import Column
from chainrule.data.columns import bad_cells
from chainrule.data.labels import holding
from chainrule.data.met import MOST_TEXTS, MetColumn
from chainrule.data.records import Dense, Encoding
from chainrule.data.report import listed
from chainrule.data.side_by_side import side_by_side
from chainrule.data.table import Table

AT_ONCE = 65_536
"""So many rows of a column are encoded at a time."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a network sees of each row.

    `numbers` float32 [n, features]: scaled numbers and one-hot slots; `codes` int64 [n, slots]: for
    each category or token of a text the row of its column's table of learned vectors.
    """

    numbers: NDArray[np.float32]
    codes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.numbers)


def apply_records(
    records: Sequence[Encoding], tables: Sequence[Table]
) -> list[tuple[Inputs, list[MetColumn]]]:
    """What records make of the columns that they are for, and what was met, for each table.

    All tables are done with a column before the next one is read.
    """
    kinds = ["numbers" if isinstance(r, Dense) else "codes" for r in records]
    total, places = dict.fromkeys(("numbers", "codes"), 0), []
    for record, kind in zip(records, kinds, strict=True):
        width = len(record.features) if isinstance(record, Dense) else record.slots
        places.append(slice(total[kind], total[kind] + width))
        total[kind] += width
    made: list[Inputs] = []
    for table in tables:
        numbers = np.empty((len(table), total["numbers"]), np.float32)
        made.append(Inputs(numbers, np.empty((len(table), total["codes"]), np.int64)))

    def applied(number: int) -> list[list[MetColumn]]:
        record, met = records[number], []
        for table, inputs in zip(tables, made, strict=True):
            column = table.column(record.name)
            _fill(getattr(inputs, kinds[number])[:, places[number]], record, column)
            met.append(_met(record, column, table))
            column.let_go()
        return met

    found = side_by_side(applied, range(len(records)), max(map(len, tables), default=0))
    met = [[one for some in found for one in some[number]] for number in range(len(tables))]
    return list(zip(made, met, strict=True))


def _fill(whole: NDArray[Any], record: Encoding, column: Column) -> None:
    """Put what a record makes of a column into [n, width], piece by piece."""
    if len(column) <= AT_ONCE:
        whole[:] = record.apply(column)
        return
    for start in range(0, len(column), AT_ONCE):
        rows = np.arange(start, min(start + AT_ONCE, len(column)))
        whole[start : start + AT_ONCE] = record.apply(column.take(rows))


def _met(record: Encoding, column: Column, table: Table) -> list[MetColumn]:
    """What one column held that is worth saying, if anything."""
    unseen = record.unseen(column)
    found = MetColumn(
        name=record.name,
        missing=int(np.count_nonzero(column.missing)),
        unseen=unseen,
        unseen_lines=listed(table.lines[holding(column, unseen)[:MOST_TEXTS]]),
        bad=bad_cells(table, record.name, record.kind, getattr(record, "form", None)),
    )
    return [found] if found.missing or found.unseen or found.bad else []

"""From which rows what was learned: so that no leak has to be taken on trust."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from chainrule.data.preparation import Preparation
from chainrule.data.report import Record
from chainrule.data.table import Table
from chainrule.data.weights import Weighing

AT_ONCE = 50_000
"""So many runs are Python's integers, of 32 bytes each, at a time."""


class Seen(Record):
    """The lines of each part's rows, and for each statistic the rows that it was learned from.

    `sources`: the file of each part; `lines`: those of its rows, as `runs` writes them. Statistics
    of "train" saw those lines and no others. "all" are decisions about rows, not numbers that a
    network gets: every row of the table, before it was split.
    """

    sources: dict[str, str]
    lines: dict[str, str]
    statistics: dict[str, str]

    def to_json(self) -> str:
        """All of it as JSON."""
        return self.model_dump_json()


def rows_seen(preparation: Preparation, tables: Mapping[str, Table], weighing: Weighing) -> Seen:
    """What was learned by fitting on `tables["train"]`."""
    learned = [f"column {name}: left out" for name in preparation.left_out]
    learned += [f"column {record.name}: {record.treatment()}" for record in preparation.inputs]
    learned += [f"target {target.name}: {target.kind}" for target in preparation.targets]
    learned += ["weights of the rows"] if weighing.asked else []
    decided = ["which task", "which rows repeat others", "which rows have no target"]
    return Seen(
        sources={part: table.source for part, table in tables.items()},
        lines={part: runs(table.lines) for part, table in tables.items()},
        statistics={**dict.fromkeys(decided, "all"), **dict.fromkeys(learned, "train")},
    )


def runs(lines: NDArray[np.int64]) -> str:
    """Rising numbers as a text: runs of neighbours by the first and the last of each.

    A table of millions has millions of runs: as a text they take a tenth of what numbers would.

    >>> runs(np.array([2, 3, 4, 7, 9, 10]))
    '2-4,7,9-10'
    """
    if len(lines) == 0:
        return ""
    ends = np.flatnonzero(np.diff(lines) != 1)
    first, last = np.append(-1, ends) + 1, np.append(ends, len(lines) - 1)
    pieces = range(0, len(first), AT_ONCE)
    return ",".join(
        _pairs(lines[first[start : start + AT_ONCE]], lines[last[start : start + AT_ONCE]])
        for start in pieces
    )


def _pairs(first: NDArray[np.int64], last: NDArray[np.int64]) -> str:
    """Some runs, by the first and the last of each."""
    ends = zip(first.tolist(), last.tolist(), strict=True)
    return ",".join([f"{low}-{high}" if low < high else str(low) for low, high in ends])

"""What each column was taken for, why, and what became of it: kept with the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from chainrule.data.columns import ColumnKind, column_kind
from chainrule.data.report import Note, Report
from chainrule.data.table import Table

TARGET = "the target"


class Decision(ColumnKind):
    """The kind of a column, as the training rows voted or as it was asked for, and its `use`."""

    use: str


class DataReport(Report):
    """The notes about a table that was made ready, and the decision on each of its columns."""

    columns: list[Decision] = []  # noqa: RUF012 (pydantic copies it)


def decisions(
    train: Table, kinds: Mapping[str, ColumnKind], uses: Iterable[Note]
) -> list[Decision]:
    """The decision on every column of the training rows, in the order of the file.

    `kinds` are the votes on those that could have been inputs, `uses` what became of them.

    >>> train = Table.of({"kg": [1, 2.5, 4, 8], "price": [3, 1, 4, 1]})
    >>> uses = [Note(about="column", text="scaled", column="kg")]
    >>> [(found.name, found.kind, found.use) for found in decisions(train, {}, uses)]
    [('kg', 'numeric', 'scaled'), ('price', 'numeric', 'the target')]
    """
    use_of = {note.column: note.text for note in uses}
    return [
        Decision(
            **(kinds.get(name) or column_kind(train, name)).model_dump(),
            use=use_of.get(name, TARGET),
        )
        for name in train.names
    ]

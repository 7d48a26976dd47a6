"""What each column was taken for, why, and what became of it: kept with the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from chainrule.data.columns import ColumnKind, column_kind
from chainrule.data.report import Note, Report
from chainrule.data.table import Table
from chainrule.markup import notebook, table, tag

TARGET = "the target"


class Decision(ColumnKind):
    """The kind of a column, as the training rows voted or as it was asked for, and its `use`."""

    use: str


class DataReport(Report):
    """The notes about a table that was made ready, and the decision on each of its columns."""

    columns: list[Decision] = []  # noqa: RUF012 (pydantic copies it)

    def _repr_html_(self) -> str:
        notes = [note for note in self.notes if note.about != "column"]
        columns = [[column.name, column.kind, column.use] for column in self.columns]
        shown = table(["column", "taken for", "what became of it"], columns, left=3)
        folded = tag("details", tag("summary", f"{len(columns)} columns"), shown)
        return notebook(
            tag("b", self.source),
            *(tag("p", tag("b", "! ") if note.finding else "", str(note)) for note in notes),
            *([folded] if columns else []),
        )


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

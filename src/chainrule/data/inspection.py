"""What a table holds and what is wrong with it, before any training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from chainrule.data.clean import drop_empty, drop_headers, rejected_notes
from chainrule.data.columns import ColumnKind, column_kinds
from chainrule.data.duplicates import drop_duplicates
from chainrule.data.findings import column_findings
from chainrule.data.markers import marked
from chainrule.data.near_duplicates import near_duplicates
from chainrule.data.report import Note, Record
from chainrule.data.table import Table


class Inspection(Record):
    """The columns of a table, each with its kind and why, and what was found, line by line.

    `rows` are those that were read, `usable` those that are left once repeated headers, empty rows
    and duplicates are gone.
    """

    source: str
    rows: int
    usable: int
    columns: list[ColumnKind]
    notes: list[Note]

    @property
    def findings(self) -> list[Note]:
        """The notes about what looks wrong."""
        return [note for note in self.notes if note.finding]


def inspect_table(
    table: Table,
    *,
    types: Mapping[str, str] | None = None,
    drop: Iterable[str] = (),
    missing: Mapping[str, str] | None = None,
) -> Inspection:
    """Look at a whole table; nothing is learned from it, and it is not changed.

    `types` gives columns a kind, `missing` more markers of missing cells, `drop` names columns
    that are not looked at.

    >>> found = inspect_table(Table.of({"age": [*range(20, 40), "x"], "sex": ["f", "m", "f"] * 7}))
    >>> [kind.kind for kind in found.columns], [str(note) for note in found.findings]
    (['numeric', 'category'], ["age: 'x' is no number; taken as missing (line 21)"])
    """
    rows, notes = clean_rows(table.without([table.name_of(name) for name in drop]))
    rows = marked(rows, missing or {})
    rows, found = drop_duplicates(rows)
    notes += found
    kinds = column_kinds(rows, types)
    names = [name for name, kind in kinds.items() if kind.kind == "id"]
    notes += near_duplicates(rows, names)[1]
    notes += column_findings(table=rows, kinds=kinds)
    return Inspection(
        source=table.source,
        rows=len(table),
        usable=len(rows),
        columns=list(kinds.values()),
        notes=notes,
    )


def odd_values(rows: Table, types: Mapping[str, str]) -> tuple[list[str], list[Note]]:
    """The id-like columns among some that are to be inputs, and what looks wrong in the columns.

    Bad cells are not told here: they are when a column is applied, part by part.
    """
    known = {name: kind for name, kind in types.items() if name in rows.columns}
    kinds = column_kinds(rows, known)
    notes = column_findings(
        rows, {n: kind.model_copy(update={"bad": []}) for n, kind in kinds.items()}
    )
    return [name for name, kind in kinds.items() if kind.kind == "id"], notes


def clean_rows(table: Table) -> tuple[Table, list[Note]]:
    """The table without repeated headers and empty rows; notes of these and of rejected lines."""
    rows, headers = drop_headers(table)
    rows, empty = drop_empty(rows)
    return rows, [*rejected_notes(table), *headers, *empty]

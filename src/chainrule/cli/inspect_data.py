"""What `chainrule inspect` shows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chainrule.cli.text import table
from chainrule.data import Inspection, Note, Report
from chainrule.data.columns import ColumnKind
from chainrule.data.decisions import Decision
from chainrule.data.report import counted

HEADER = ["column", "type", "missing", "values", "why"]


def inspection_text(found: Inspection, prepared: Report | None = None) -> str:
    """Each column with its type and why, then what was found, or how it would be prepared."""
    size = f"{counted(found.rows, 'row')}, {counted(len(found.columns), 'column')}"
    if found.usable < found.rows:
        size += f" ({found.usable:,} rows usable)"
    shown = [f"{found.source}: {size}", "", columns_text(found.columns, found.rows)]
    if prepared is not None:
        return "\n".join([*shown, "", "Prepared for training:", _body(prepared.notes)])
    wrong, said = found.findings, [note for note in found.notes if not note.finding]
    if said:
        shown += ["", "Noted:", _body(said)]
    title = f"Findings ({len(wrong)}):" if wrong else "Nothing looks wrong."
    return "\n".join([*shown, "", title, *([_body(wrong)] if wrong else [])])


def inspection_facts(found: Inspection, prepared: Report | None = None) -> Mapping[str, Any]:
    """The same as JSON; with all line numbers."""
    facts = found.model_dump()
    if prepared is not None:
        facts["notes"] = prepared.model_dump()["notes"]
    return facts


def columns_text(kinds: Iterable[ColumnKind], rows: int) -> str:
    """Each column of so many rows with its type, what is missing, and why it is of that type."""
    return table([HEADER, *(_row(kind, rows) for kind in kinds)], left=len(HEADER))


def decisions_text(columns: Iterable[Decision], rows: int) -> str:
    """The same of the columns of a run, with what became of each."""
    found = [[*_row(column, rows), column.use.partition(":")[0]] for column in columns]
    return table([[*HEADER, "used as"], *found], left=len(HEADER) + 1)


def _row(kind: ColumnKind, rows: int) -> list[str]:
    """What the table of columns says of one."""
    share = f"{kind.missing:,} ({kind.missing / rows:.0%})" if kind.missing else ""
    others = [text for text in kind.markers if text]
    why = f"{kind.reason}; missing is {', '.join(others[:3])}" if others else kind.reason
    return [kind.name, kind.kind, share, f"{kind.distinct:,}", why]


def _body(notes: Sequence[Note]) -> str:
    """Notes as indented lines."""
    return Report(source="", notes=list(notes)).text().removeprefix("\n")

"""What `chainrule inspect` shows of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chainrule.cli.text import table
from chainrule.data import Inspection, Note, Report
from chainrule.data.columns import ColumnKind
from chainrule.data.report import counted


def inspection_text(found: Inspection, prepared: Report | None = None) -> str:
    """Each column with its type and why, then what was found, or how it would be prepared."""
    size = f"{counted(found.rows, 'row')}, {counted(len(found.columns), 'column')}"
    if found.usable < found.rows:
        size += f" ({found.usable:,} rows usable)"
    rows = [["column", "type", "missing", "values", "why"]]
    rows += [_row(kind, found.rows) for kind in found.columns]
    shown = [f"{found.source}: {size}", "", table(rows, left=5)]
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


def _row(kind: ColumnKind, rows: int) -> list[str]:
    """What the table of columns says of one."""
    share = f"{kind.missing:,} ({kind.missing / rows:.0%})" if kind.missing else ""
    others = [text for text in kind.markers if text]
    why = f"{kind.reason}; missing is {', '.join(others[:3])}" if others else kind.reason
    return [kind.name, kind.kind, share, f"{kind.distinct:,}", why]


def _body(notes: Sequence[Note]) -> str:
    """Notes as indented lines."""
    return Report(source="", notes=list(notes)).text().removeprefix("\n")

"""What means missing in a target of classes: "none" may be one, a text among numbers is none."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from chainrule.data.column import MISSING, Column
from chainrule.data.lists import list_separator
from chainrule.data.markers import LEAST_OFTEN, markers_met
from chainrule.data.report import Note, counted, quoted
from chainrule.data.table import Table
from chainrule.data.tasks import choose_task
from chainrule.data.votes import numeric_vote, vote

NONE, MINUS, PLUS = "none", "-", "+"


def class_markers(
    table: Table, targets: Iterable[str], free: Collection[str]
) -> tuple[dict[str, str], list[Note]]:
    """The markers, for `marked`, of targets whose classes are called like one; and notes.

    As an input, a cell that says "none" is a category of its own either way; as an answer it would
    be left out. The other way round, the few texts among classes that are numbers are bad cells,
    in targets that are `free`: whose task was not asked for.

    >>> table = Table.of({"pain": ["none", "mild", "strong", ""] * 3})
    >>> markers, notes = class_markers(table, ["pain"], ["pain"])
    >>> table.column("pain").marked(markers["pain"].split("|")).missing[:4].tolist()
    [False, False, False, True]
    >>> print(notes[0])
    'none' is a class of pain, in 3 rows; if it means missing, --missing pain=none
    """
    markers: dict[str, str] = {}
    notes = []
    for name in targets:
        column = table.columns[name]
        if (
            name in free
            and numeric_vote(column)
            and choose_task(table, name)[0] == "classification"
        ):
            bad = {str(text) for text in column.at(column.bad).tolist()}
            markers |= {name: "|".join(bad)} if bad else {}
        found = _classes(column)
        if found:
            markers[name] = "|".join(sorted(MISSING - {text.lower() for text in found}))
            rows = sum(found.values())
            text = (
                f"{quoted(found)} is a class of {name}, in {counted(rows, 'row')}; "
                f"if it means missing, --missing {name}={next(iter(found))}"
            )
            notes.append(Note(about="target", text=text, column=name, count=rows))
    return markers, notes


def _classes(column: Column) -> dict[str, int]:
    """The texts of a column of classes that are classes themselves, with their counts.

    Beside numbers, beside yes and no, and in lists they are what they are elsewhere.
    """
    met = markers_met(column)
    like = {text: count for text, count in met.items() if text.lower() in (NONE, MINUS)}
    if sum(like.values()) < LEAST_OFTEN or column.missing.all() or numeric_vote(column):
        return {}
    if vote("", column).kind == "boolean" or list_separator(column) is not None:
        return {}
    signs = bool(column.same_as(PLUS).any())
    return {text: count for text, count in like.items() if text != MINUS or signs}

"""What looks wrong in the columns of a table, and the flag that would say otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from chainrule.data.column import Column, is_huge, number_text
from chainrule.data.columns import ColumnKind
from chainrule.data.labels import present_texts
from chainrule.data.markers import plain_stand_in
from chainrule.data.outliers import far_values, impossible_values
from chainrule.data.report import Note, counted, listed, quoted
from chainrule.data.table import Table
from chainrule.errors import FindingsError

MOST_SPELLINGS = 1000
"""A column with more values than this is not searched for the same value written differently."""


def column_findings(table: Table, kinds: Mapping[str, ColumnKind]) -> list[Note]:
    """Bad cells, doubtful types, likely markers, impossible and far values of the columns.

    Nothing is changed by them. `kinds` may leave out columns.

    >>> from chainrule.data.columns import column_kinds
    >>> table = Table.of({"age": [*range(40), "old", 300]})
    >>> [str(note) for note in column_findings(table, column_kinds(table))]
    ["age: 'old' is no number; taken as missing (line 41)", 'age: 300 cannot be (line 42)']
    """
    notes: list[Note] = []
    for name, kind in kinds.items():
        column = table.columns[name]
        notes += _bad(kind)
        notes += _doubts(kind)
        if kind.kind in ("numeric", "integer-category"):
            notes += _numbers(table, name, column)
        if kind.kind == "category":  # of booleans the case of letters says nothing
            notes += _spellings(table, name, column)
    return notes


def _bad(kind: ColumnKind) -> list[Note]:
    """The cells that are not what their column holds."""
    what = "date" if kind.kind == "date" else "number"
    huge = {cell.text for cell in kind.bad if kind.kind == "numeric" and is_huge(cell.text)}
    notes = []
    for are_huge, one, many, fate in (
        (False, f"is no {what}", f"are no {what}s", "taken as missing"),
        (True, "is infinite or beyond 1e150", "are infinite or beyond 1e150", "train refuses it"),
    ):
        cells = [cell for cell in kind.bad if (cell.text in huge) == are_huge]
        texts = list(dict.fromkeys(cell.text for cell in cells))
        if texts:
            text = f"{quoted(texts)} {one if len(texts) == 1 else many}; {fate}"
            notes.append(_note(kind.name, text, [cell.line for cell in cells]))
    return notes


def _doubts(kind: ColumnKind) -> list[Note]:
    """What the vote could not decide."""
    return [] if kind.advice is None or kind.asked else [_note(kind.name, kind.advice, [])]


def _numbers(table: Table, name: str, column: Column) -> list[Note]:
    """Markers, impossible values and far ones among numbers; each number is told once."""
    numbers, notes = column.numbers.copy(), []
    stand_in = plain_stand_in(column)
    if stand_in is not None:
        rows = np.flatnonzero(numbers == float(stand_in[0]))
        flag = f"--missing {name}={stand_in[0]}"
        text = f"{stand_in[0]} may mean missing, far from all others; if so, {flag}"
        notes.append(_note(name, text, table.lines[rows]))
        numbers[rows] = np.nan
    wrong = impossible_values(name, numbers)
    if len(wrong):
        notes.append(_note(name, f"{_values(numbers[wrong])} cannot be", table.lines[wrong]))
        numbers[wrong] = np.nan
    far = far_values(numbers)
    if len(far):
        text = f"{_values(numbers[far])} far from all others; kept, and clipped when scaled"
        notes.append(_note(name, text, table.lines[far]))
    return notes


def _spellings(table: Table, name: str, column: Column) -> list[Note]:
    """Values that differ only in letter case or spaces; the lines of all but the most frequent."""
    texts = present_texts(column) if column.hashes is None else {}
    if len(texts) > MOST_SPELLINGS:
        return []
    alike: dict[str, list[str]] = {}
    for text in texts:
        alike.setdefault(" ".join(text.casefold().split()), []).append(text)
    notes = []
    for spelled in alike.values():
        if len(spelled) > 1:
            text = f"{quoted(spelled)} differ only in letter case or spaces; kept apart"
            usual = max(spelled, key=texts.__getitem__)
            others = {other for other in spelled if other != usual}
            rows = column.of_values(others.__contains__, np.bool_)
            notes.append(_note(name, text, table.lines[rows]))
    return notes


def _values(numbers: NDArray[np.float64]) -> str:
    """The different ones of some numbers, the first few."""
    texts = [number_text(number) for number in np.unique(numbers).tolist()]
    more = f" and {len(texts) - 5:,} more" if len(texts) > 5 else ""
    return ", ".join(texts[:5]) + more


def _note(name: str, text: str, lines: Iterable[int]) -> Note:
    """A finding about a column."""
    plain = listed(np.asarray(list(lines), dtype=np.int64))
    return Note(
        about="column",
        text=text,
        column=name,
        count=len(plain),
        lines=plain,
        finding=True,
    )


def refuse_findings(source: str, notes: Iterable[Note]) -> None:
    """FindingsError if there is any finding among some notes, naming the first ones.

    >>> refuse_findings("t.csv", [Note(about="split", text="rows: 5 train")])
    """
    found = [str(note) for note in notes if note.finding]
    if not found:
        return
    more = f"; and {len(found) - 5} more" if len(found) > 5 else ""
    raise FindingsError(
        f"{source} has {counted(len(found), 'finding')}, and --strict refuses them",
        got="; ".join(found[:5]) + more,
        hint="mend the data, or leave --strict out",
    )

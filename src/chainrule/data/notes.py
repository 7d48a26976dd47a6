"""What is said about the rows and columns of a table that was made ready."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from chainrule.data.duplicates import also_in
from chainrule.data.met import Met
from chainrule.data.near_duplicates import near_rows_in
from chainrule.data.preparation import Preparation
from chainrule.data.report import Note, counted, listed, named, quoted
from chainrule.data.split import rare_classes
from chainrule.data.table import Table
from chainrule.data.target import ClassTarget


def rare_note(rows: Table, target: str, classes: NDArray[np.int64]) -> list[Note]:
    """A note about the classes that only train, as they are too rare to be measured."""
    rare = rare_classes(classes)
    if not rare:
        return []
    lines = rows.lines[np.isin(classes, rare)].tolist()
    classes_and_none = [*ClassTarget.fit(rows, target).classes, "missing"]
    names = quoted(classes_and_none[code] for code in rare)
    text = f"{names}: fewer than 3 rows, used for training only"
    return [Note(about="target", text=text, column=target, count=len(lines), lines=lines)]


def shared_notes(table: Table, train: Table, apart: Collection[str]) -> list[Note]:
    """Notes about given rows that are also training rows, or are in all but some columns."""
    shared = also_in(table, train)
    notes = near_rows_in(table.take(~shared), train, apart)
    if shared.any():
        lines = listed(table.lines[shared])
        text = f"{counted(len(lines), 'row')} of {table.source} also among the training rows; kept"
        about = {"about": "duplicates", "count": len(lines), "lines": lines, "finding": True}
        notes.insert(0, Note.model_validate({"text": text, **about}))
    return notes


def column_notes(preparation: Preparation, train: Table, asked: Collection[str]) -> list[Note]:
    """What became of each column, and why."""
    notes = [
        Note(about="column", text=f"left out: {why}", column=name)
        for name, why in preparation.left_out.items()
    ]
    for record in preparation.inputs:
        why = " (asked for)" if record.name in asked else ""
        notes.append(Note(about="column", text=record.treatment() + why, column=record.name))
    return notes


def met_notes(part: str, met: Met) -> list[Note]:
    """The cells of a part that are missing, as one note, and those bad or unseen, one by one."""
    missing = {column.name: column.missing for column in met.columns if column.missing}
    notes = []
    if missing:
        count = sum(missing.values())
        where = named((f"{name} {cells:,}" for name, cells in missing.items()), limit=5)
        text = f"{part}: {counted(count, 'missing value')}: {where}"
        notes.append(Note(about="cells", text=text, count=count))
    for column in met.columns:
        for text, count, lines, wrong in column.strange():
            about = {"about": "cells", "column": column.name, "count": count, "lines": lines}
            notes.append(
                Note.model_validate({"text": f"{part}: {text}", **about, "finding": wrong})
            )
    return notes

"""Splits that a source brings: which names mean training, validation and test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from chainrule.data.report import Note, counted, named
from chainrule.data.table import Table
from chainrule.errors import DataError

_WORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing"),
}


def part_of(name: str) -> str | None:
    """The part that a name stands for, or None.

    >>> part_of("dev"), part_of("cats")
    ('validation', None)
    """
    return next((part for part, words in _WORDS.items() if name.lower() in words), None)


def with_parts(tables: Mapping[str, Table]) -> Table:
    """The training table, with the others as its given parts.

    A single table is taken whatever it is called. Tables whose names are no parts are left out,
    which a note says; DataError if none is for training, or two are the same part.
    """
    if len(tables) == 1:
        return next(iter(tables.values()))
    known = {name: part for name in tables if (part := part_of(name)) is not None}
    if len(set(known.values())) < len(known) or "train" not in known.values():
        raise DataError(
            "these parts are no split", expected="train, validation, test", got=", ".join(tables)
        )
    parts = {part: tables[name] for name, part in known.items()}
    others = [name for name in tables if name not in known]
    notes = []
    if others:
        text = f"{counted(len(others), 'part')} left out: {named(others)}"
        notes.append(Note(about="split", text=text, count=len(others)))
    train = parts.pop("train")
    return replace(train, given=parts, notes=(*train.notes, *notes))

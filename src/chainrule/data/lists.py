"""Cells that hold several labels: JSON lists, or texts with a separator between the labels."""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray

from chainrule.data.column import Column
from chainrule.data.labels import present_labels

JSON = "json"
"""Stands for a separator where cells are lists as JSON writes them."""

SEPARATORS = ("|", ";", ",")

SEPARATED = 0.05
"""The share of the cells with a separator from which on it is one, not a slip."""

MOST_LABELS = 500

MOST_WORDS = 4
"""Labels are names; what has more words between separators is prose."""


def list_separator(column: Column) -> str | None:
    """What separates the labels in a column's cells, "json" for JSON lists; None if they are none.

    Cells are lists if they hold one label here and two there, and the same few labels come
    together in ever other ways: fewer labels than different cells.

    >>> list_separator(Column.of(["action|comedy", "comedy", "drama|action", "drama"]))
    '|'
    >>> list_separator(Column.of(["Springfield, MA", "Boston, MA", "Springfield, IL"])) is None
    True
    """
    texts = present_labels(column)
    if texts and all(text.startswith("[") and _from_json(text) is not None for text in texts):
        return JSON
    for separator in SEPARATORS:
        cells = sum(rows for text, rows in texts.items() if separator in text)
        if cells and cells >= SEPARATED * sum(texts.values()) and _recombine(texts, separator):
            return separator
    return None


def _recombine(texts: dict[str, int], separator: str) -> bool:
    """Whether texts, with their counts, are different selections of the same few names."""
    lists = [(pieces(text, separator), rows) for text, rows in texts.items()]
    sizes = {len(some) for some, _ in lists}
    names = {name for some, _ in lists for name in some}
    told = sum(len(some) * rows for some, rows in lists)
    if len(sizes) < 2 or not 2 <= len(names) <= MOST_LABELS or told < 2 * len(names):
        return False
    return len(names) < len(lists) and all(len(name.split()) <= MOST_WORDS for name in names)


def pieces(text: str, separator: str) -> list[str]:
    """The labels of one cell, each once.

    >>> pieces("action| comedy|action", "|"), pieces('["a", "b"]', JSON), pieces("[]", JSON)
    (['action', 'comedy'], ['a', 'b'], [])
    """
    found = _from_json(text) if separator == JSON else text.split(separator)
    parts = [text] if found is None else found
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


def _from_json(text: str) -> list[str] | None:
    """The items of a JSON list as texts; None if the text is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    plain = isinstance(found, list) and all(isinstance(i, str | int | float) for i in found)
    return (
        [item if isinstance(item, str) else json.dumps(item) for item in found] if plain else None
    )


def label_counts(column: Column, separator: str) -> dict[str, int]:
    """How many cells hold each label."""
    counts: dict[str, int] = {}
    for text, rows in present_labels(column).items():
        for label in pieces(text, separator):
            counts[label] = counts.get(label, 0) + rows
    return counts


def held(column: Column, labels: list[str], separator: str) -> NDArray[np.float32]:
    """1 where a cell holds a label, else 0, NaN where it is missing; float32 [n, labels]."""
    rows = np.full((len(column.values) + 1, len(labels)), np.nan, dtype=np.float32)
    for place, text in enumerate(column.values):
        if text is not None and not column.means_missing(text):
            found = set(pieces(text, separator))
            rows[place] = [label in found for label in labels]
    return rows[column.codes]

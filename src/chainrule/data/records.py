"""The choice of a record for each input column: by its kind, its size, or as it was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from chainrule.data.array_input import ArrayInput
from chainrule.data.arrays import ArrayColumn
from chainrule.data.boolean import Boolean
from chainrule.data.column import Column
from chainrule.data.dates import Dates
from chainrule.data.embedding import Embedding
from chainrule.data.hashed import Hashed
from chainrule.data.numeric import SCALINGS, Numeric
from chainrule.data.one_hot import OneHot
from chainrule.data.spectrogram import Spectrogram
from chainrule.data.text import Text
from chainrule.errors import SettingError, nearest

MOST_ONE_HOT = 20
"""A column with more categories than this is learned as an embedding."""

MOST_EMBEDDED = 10_000
"""A column with more categories than this is hashed into buckets."""

Dense = Numeric | Boolean | OneHot | Dates | ArrayInput | Spectrogram
"""The records that make numbers."""

Coded = Embedding | Hashed | Text
"""The records that make codes, each with a table of learned vectors."""

Encoding = Annotated[Dense | Coded, Field(discriminator="kind")]

KINDS = {
    **dict.fromkeys(SCALINGS, "numeric"),
    **dict.fromkeys(("one-hot", "embedding", "hash"), "category"),
    **dict.fromkeys(("bag", "sequence"), "text"),
}
"""The encodings that can be asked for, and the kind of column that each is for."""


def encode(
    name: str,
    column: Column,
    kind: str,
    bins: int,
    asked: str | None = None,
    form: str | None = None,
) -> Encoding:
    """The record for a column of training rows: by its kind, its size, or as it was `asked` for.

    `form` is how its dates are written.
    """
    if isinstance(column, ArrayColumn):
        return (ArrayInput if column.rate is None else Spectrogram).fit(name, column)
    if kind == "numeric":
        return Numeric.fit(name, column, bins, asked)
    if kind == "date" and form is not None:
        return Dates.fit(name, column, form)
    if kind == "boolean" and asked is None:
        return Boolean.fit(name, column)
    if kind == "text":
        return Text.fit(name, column, "sequence" if asked == "sequence" else "bag")
    return _categories(name, column, asked)


def _categories(name: str, column: Column, asked: str | None) -> OneHot | Embedding | Hashed:
    """The record for a column of categories: few, many, or very many."""
    if asked == "hash":
        return Hashed.fit(name, column)
    one_hot = OneHot.fit(name, column)
    count = len(one_hot.categories)
    if asked == "one-hot" or (asked is None and count <= MOST_ONE_HOT):
        return one_hot
    if asked is None and count > MOST_EMBEDDED:
        return Hashed.fit(name, column)
    return Embedding.fit(name, column)


def kinds_of_encodings(encodings: Mapping[str, str]) -> dict[str, str]:
    """The kinds of columns that encodings ask for; SettingError for one that does not exist.

    >>> kinds_of_encodings({"age": "quantile", "note": "bag"})
    {'age': 'numeric', 'note': 'text'}
    """
    for name, asked in encodings.items():
        if asked not in KINDS:
            close = nearest(asked, KINDS)
            raise SettingError(
                f"column {name!r} cannot be encoded as {asked!r}",
                expected=", ".join(KINDS),
                hint=f"did you mean {close!r}?" if close else None,
            )
    return {name: KINDS[asked] for name, asked in encodings.items()}

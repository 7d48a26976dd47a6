"""A table as it was read: named columns of raw cells, each row with its line in the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data.arrays import ArrayColumn
from chainrule.data.column import Column
from chainrule.data.layout import Familiar, Layout
from chainrule.data.report import Note, named
from chainrule.errors import DataError, nearest


@dataclass(frozen=True)
class Rejected:
    """A line of a file that could not be read as a row."""

    line: int
    text: str
    reason: str


@dataclass(frozen=True, eq=False)
class Table:
    """Ordered, named columns of equal length.

    `lines` int64 [n] (of a large file int32) are the 1-based lines of the file on which the rows
    begin; `named` is False where the file has no header and the columns are called column1,
    column2, ... A source that brings its own split gives the training rows, and the others as
    `given["validation"]` and `given["test"]`. `notes` say what had to be decided to read it,
    `layout` how it is written.

    >>> table = Table.of({"city": ["Oslo", "Rome"], "rain": [763, "?"]})
    >>> table
    Table(2 rows; city, rain)
    >>> table.column("-1").cells.tolist()
    ['763', '?']
    """

    columns: Mapping[str, Column]
    lines: NDArray[np.int64]
    source: str = "the table"
    named: bool = True
    rejected: tuple[Rejected, ...] = ()
    notes: tuple[Note, ...] = ()
    given: Mapping[str, Table] = field(default_factory=dict)
    layout: Layout = field(default_factory=Layout)

    @classmethod
    def of(cls, columns: Mapping[str, Iterable[Any]], source: str = "the table") -> Table:
        """A table of values by column name; lines count from 1. DataError if lengths differ."""
        made = {str(name): Column.of(values) for name, values in columns.items()}
        sizes = {name: len(column) for name, column in made.items()}
        if len(set(sizes.values())) > 1:
            raise DataError(
                f"the columns of {source} differ in length",
                got=", ".join(f"{name}: {size}" for name, size in sizes.items()),
            )
        rows = next(iter(sizes.values()), 0)
        return cls(made, np.arange(1, rows + 1, dtype=np.int64), source)

    @property
    def names(self) -> list[str]:
        """The names of the columns, in the order of the file."""
        return list(self.columns)

    @property
    def familiar(self) -> Familiar:
        """What other tables of its kind are expected to be like."""
        arrays = {n: c.array for n, c in self.columns.items() if isinstance(c, ArrayColumn)}
        shapes = {name: array.shape[1:] for name, array in arrays.items()}
        return Familiar(tuple(self.columns), self.layout, shapes)

    def __len__(self) -> int:
        return len(self.lines)

    def __repr__(self) -> str:
        return f"Table({len(self)} rows; {', '.join(self.names)})"

    def name_of(self, key: str | int) -> str:
        """The name of a column given by name, or by position: 1 is the first, -1 the last."""
        if str(key) in self.columns:
            return str(key)
        place = _position(key)
        if place is not None and 1 <= abs(place) <= len(self.columns):
            return self.names[place - 1 if place > 0 else place]
        raise DataError(
            f"{self.source} has no column {str(key)!r}",
            expected=named(self.names),
            hint=self._hint(str(key), place),
        )

    def _hint(self, key: str, place: int | None) -> str | None:
        """What to try when a column is not there."""
        if place is not None:
            return f"positions run from 1 to {len(self.columns)}, or from -1 (the last) backwards"
        close = nearest(key, self.names)
        if close is not None:
            return f"did you mean {close!r}?"
        return None if self.named else "the file has no header: give the names of its columns"

    def column(self, key: str | int) -> Column:
        """The column of that name or position; DataError with the nearest name if there is none."""
        return self.columns[self.name_of(key)]

    def take(self, rows: NDArray[Any]) -> Table:
        """Some of the rows (places, int64, or a mask, bool), with their lines."""
        taken = {name: column.take(rows) for name, column in self.columns.items()}
        return replace(self, columns=taken, lines=self.lines[rows])

    def select(self, names: Iterable[str]) -> Table:
        """Some of the columns, in the order asked for."""
        return replace(self, columns={name: self.column(name) for name in names})

    def without(self, names: Iterable[str]) -> Table:
        """All columns but these."""
        gone = set(names)
        return self.select([name for name in self.names if name not in gone])

    def renamed(self, names: Iterable[str]) -> Table:
        """The same columns under other names, position by position; in the given parts too."""
        wanted = list(names)
        pairs = zip(wanted, self.columns.values(), strict=True)
        given = {part: table.renamed(wanted) for part, table in self.given.items()}
        return replace(self, columns=dict(pairs), named=True, given=given)


def _position(key: str | int) -> int | None:
    """A key as a position, or None if it is a name."""
    try:
        return int(key)
    except ValueError:
        return None

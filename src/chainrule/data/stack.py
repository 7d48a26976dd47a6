"""Pieces of a table, one below the other: in memory, or on disk where they are long together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data.arrays import ArrayColumn, below
from chainrule.data.column import Cells, Column
from chainrule.data.lines import small
from chainrule.data.room import rows_at_once
from chainrule.data.scan import SAMPLE, exactly, is_long
from chainrule.data.store import Store, kept_on_disk, literal
from chainrule.data.stored_column import stored_columns

TEXT = 64
"""Bytes that a text of one cell takes in memory, about."""


class Stack:
    """Columns by name that grow piece by piece; one that a piece lacks is empty there.

    `size`: the bytes of text that all pieces are made from. If that is much, the cells go to disk
    with each piece, and from there to a `Store`; arrays, and numbers that were given as such, are
    held in memory all the same.

    >>> stack = Stack(size=100)
    >>> stack.add({"a": Column.of(["1"])}, np.array([1]))
    >>> stack.add({"a": Column.of(["2"]), "b": Column.of(["x"])}, np.array([3]))
    >>> {name: column.cells.tolist() for name, column in stack.columns().items()}
    {'a': ['1', '2'], 'b': [None, 'x']}
    >>> stack.lines.tolist()
    [1, 3]
    """

    def __init__(self, size: int) -> None:
        self._store = Store.new() if is_long(size) else None
        self._places: dict[str, int] = {}
        self._lines: list[NDArray[Any]] = []
        self._pieces: list[Mapping[str, Column]] = []
        self._files: list[Path] = []

    def __len__(self) -> int:
        return sum(map(len, self._lines))

    @property
    def lines(self) -> NDArray[Any]:
        """The line of each row, int64 [rows], or int32 if they are on disk and not very many."""
        return np.concatenate(self._lines)

    def add(self, columns: Mapping[str, Column], lines: NDArray[np.int64]) -> None:
        """Put a piece below the others; `lines` int64 [rows] are those of its rows."""
        if not self._lines and not all(map(_are_texts, columns.values())):
            self._store = None
        for name in columns:
            self._places.setdefault(name, len(self._places))
        self._lines.append(lines if self._store is None else small(lines))
        if self._store is None:
            self._pieces.append(columns)
            return
        step = rows_at_once(TEXT * len(columns))
        for start in range(0, len(lines), step):
            some = slice(start, start + step)
            cells = {f"c{self._places[name]}": column.at(some) for name, column in columns.items()}
            self._write(self._store, cells, len(lines[some]))

    def _write(self, store: Store, cells: Mapping[str, Cells], rows: int) -> None:
        """Put some rows into a file of their own."""
        path = store.folder / f"piece{len(self._files)}.parquet"
        texts = "".join(f", {name}::varchar as {name}" for name in cells)
        with kept_on_disk(), store.connection.cursor() as cursor:
            cursor.register("piece", {"row": np.arange(rows), **cells})  # rows may have no cells
            cursor.execute(f"copy (select row{texts} from piece) to {literal(str(path))}")
        self._files.append(path)

    def columns(self) -> dict[str, Column]:
        """All columns, in the order in which they came up."""
        if self._store is not None:
            return dict(zip(self._places, self._stored(self._store), strict=True))
        pieces = list(zip(self._pieces, map(len, self._lines), strict=True))
        return {
            name: below([piece[name] if name in piece else _empty(rows) for piece, rows in pieces])
            for name in self._places
        }

    def _stored(self, store: Store) -> Sequence[Column]:
        """All columns on disk, once the files of the pieces have become one."""
        if self._places:
            names = ", ".join(f"c{place}" for place in self._places.values())
            source = f"select {names} from read_parquet(?, union_by_name = true)"
            settings = [[exactly(file) for file in self._files]]
            with kept_on_disk():
                store.fill(f"{source} limit {SAMPLE}", source, settings, len(self._places))
        for file in self._files:
            file.unlink()
        return stored_columns(store)


def _are_texts(column: Column) -> bool:
    return not column.from_numbers and not isinstance(column, ArrayColumn)


def _empty(rows: int) -> Column:
    return Column(np.full(rows, None, dtype=object))

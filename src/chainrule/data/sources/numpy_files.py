"""NumPy's files: an array (.npy) or several by name (.npz)."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data.arrays import ArrayColumn
from chainrule.data.column import Column
from chainrule.data.sources.content import Content
from chainrule.data.sources.parts import part_of, with_parts
from chainrule.data.sources.reading import Reading, decoding
from chainrule.data.sources.titles import renamed, titles
from chainrule.data.table import Table
from chainrule.errors import DataError

Arrays = dict[str, NDArray[Any]]


def from_numpy(content: Content, reading: Reading) -> Table:
    """A table from a .npy or .npz file; nothing in it is executed.

    An array of one axis is a column, of two axes a column for each of its own, of more a column of
    arrays; a structured array a column for each field. Arrays named x_train, x_test and so on are
    given parts.
    """
    with decoding(content.name, "a NumPy file"):
        found = np.load(io.BytesIO(content.raw), allow_pickle=False)
        if isinstance(found, np.ndarray):
            return renamed(from_array(found, content.name), reading)
        with found:
            arrays = {name: np.asarray(found[name]) for name in found.files}
        return renamed(_by_part(arrays, content.name), reading)


def from_array(array: NDArray[Any], source: str) -> Table:
    """A table from one array; its columns have names only if it is structured."""
    if array.dtype.names:
        return _table({name: array[name] for name in array.dtype.names}, source)
    if array.ndim <= 2:
        array = np.atleast_1d(array)
        array = array[:, None] if array.ndim == 1 else array
        names = titles(None, array.shape[1], source)
        table = _table(dict(zip(names, array.T, strict=True)), source)
    else:
        table = _table({"column1": array}, source)
    return Table(table.columns, table.lines, source, named=False)


def _by_part(arrays: Arrays, source: str) -> Table:
    """A table from arrays by name, the parts apart if every name ends in one."""
    parts: dict[str, Arrays] = {}
    for name, array in arrays.items():
        stem, _, ending = name.rpartition("_")
        if not stem or part_of(ending) is None:
            return _table(arrays, source)
        parts.setdefault(ending, {})[stem] = array
    if not parts:
        raise DataError(f"{source} is empty")
    return with_parts({part: _table(found, f"{source} ({part})") for part, found in parts.items()})


def _table(arrays: Mapping[str, NDArray[Any]], source: str) -> Table:
    """Arrays side by side, whose first axis is the rows; DataError if they differ in length."""
    columns: dict[str, Column] = {}
    for name, array in arrays.items():
        if array.ndim > 2:
            columns[name] = ArrayColumn(array)
        elif array.ndim == 2 and array.shape[1] != 1:
            columns |= {f"{name}{n}": Column.of(row) for n, row in enumerate(array.T, start=1)}
        else:
            columns[name] = Column.of(array.reshape(-1))
    sizes = {name: len(column) for name, column in columns.items()}
    if len(set(sizes.values())) > 1:
        raise DataError(
            f"the arrays of {source} differ in length",
            got=", ".join(f"{name}: {size}" for name, size in sizes.items()),
        )
    rows = next(iter(sizes.values()), 0)
    if rows == 0:
        raise DataError(f"{source} has no rows")
    return Table(columns, np.arange(1, rows + 1, dtype=np.int64), source)

"""What is in memory already: rows, columns, arrays, data frames, and Hugging Face's datasets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from chainrule.data.column import Column
from chainrule.data.sources.hub import from_dataset, is_dataset
from chainrule.data.sources.jsonl import by_column
from chainrule.data.sources.numpy_files import from_array
from chainrule.data.sources.reading import Reading
from chainrule.data.sources.titles import checked
from chainrule.data.table import Table
from chainrule.errors import DataError


def from_memory(source: Any, reading: Reading) -> Table:
    """A table from rows, columns, an array, a frame or a dataset; DataError if it has no rows."""
    table = _found(source, reading)
    if len(table) == 0:
        raise DataError("the table has no rows")
    if reading.names is None:
        return table
    return table.renamed(checked(reading.names, len(table.columns), "it"))


def _found(source: Any, reading: Reading) -> Table:
    if isinstance(source, Table):
        return source
    if is_dataset(source):
        return from_dataset(source, "the dataset", from_frame, reading.like.shapes)
    if isinstance(source, Mapping):
        return Table.of(source)
    if isinstance(source, np.ndarray):
        return from_array(source, "the array")
    if isinstance(source, list | tuple) and all(isinstance(row, Mapping) for row in source):
        return Table.of(by_column(source))
    return from_frame(source, "the table")


def from_frame(frame: Any, source: str) -> Table:
    """A table from any data frame that narwhals knows."""
    import narwhals as nw

    try:
        native = nw.from_native(frame)
    except TypeError:
        raise DataError(
            "this cannot be read as a table",
            expected="a path, a dict of columns, a list of dicts, an array or a data frame",
            got=type(frame).__name__,
        ) from None
    eager = native.collect() if isinstance(native, nw.LazyFrame) else native
    columns = {str(series.name): _from_series(series) for series in eager.iter_columns()}
    return Table(columns, np.arange(1, len(eager) + 1, dtype=np.int64), source)


def _from_series(series: Any) -> Column:
    """A frame's column: numbers as they are, spans of time in seconds, else text, nulls missing."""
    import narwhals as nw

    if series.dtype == nw.Duration:
        series = series.dt.total_microseconds() / 1e6
    if series.dtype.is_numeric():
        return Column(numbers=np.array(series.cast(nw.Float64).to_numpy(), dtype=np.float64))
    nulls = series.is_null().to_list()
    pairs = zip(series.to_list(), nulls, strict=True)
    return Column.of([None if null else value for value, null in pairs])

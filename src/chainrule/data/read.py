"""Reading a table from a file, a built-in name, or rows and frames in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.resources import as_file
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.data.builtin import BUILTIN, Builtin, resource
from chainrule.data.column import Column, number_of
from chainrule.data.scan import Scan, scan
from chainrule.data.table import Table
from chainrule.errors import DataError, nearest


def read_table(source: Any, names: Sequence[str] | None = None) -> Table:
    """A table from a CSV or TSV file (also .gz), a built-in name, or data in memory.

    In memory: a dict of columns, a list of dicts, or a pandas, polars or pyarrow frame. `names`
    are for a file without a header: one for each column, in order. DataError if there is no such
    file, if it is empty or has only a header, or if `names` are not one for each column.

    >>> read_table([{"x": 1, "y": "a"}, {"x": 2, "y": "b"}])
    Table(2 rows; x, y)
    >>> read_table("courier")
    Table(200 rows; kilograms, charge)
    """
    if isinstance(source, str | Path):
        return _from_path(str(source), names)
    table = _from_memory(source)
    if len(table) == 0:
        raise DataError("the table has no rows")
    return table if names is None else table.renamed(_checked(names, len(table.columns), "it"))


def _from_path(name: str, names: Sequence[str] | None) -> Table:
    """A file, or the built-in table of that name where there is no such file."""
    path = Path(name)
    if path.is_file():
        return _from_file(path, name, names)
    if name in BUILTIN:
        return _from_builtin(BUILTIN[name])
    if path.is_dir():
        raise DataError(f"{name} is a folder", expected="a file")
    raise DataError(f"there is no file {name}", hint=_close_file(path))


def _close_file(path: Path) -> str:
    """What a file name that does not exist was probably meant to be."""
    try:
        beside = [file.name for file in path.parent.iterdir() if file.is_file()]
    except OSError:
        beside = []
    close = nearest(path.name, [*BUILTIN, *beside])
    if close is None:
        return f"a path to a CSV file, or a built-in table: {', '.join(BUILTIN)}"
    return f"did you mean {close if close in BUILTIN else path.parent / close}?"


def _from_builtin(builtin: Builtin) -> Table:
    """A built-in table, from its file or its recipe."""
    if builtin.recipe is not None:
        return builtin.recipe()
    assert builtin.file is not None
    with as_file(resource(builtin.file)) as path:
        return _from_file(path, builtin.name, None)


def _from_file(path: Path, source: str, names: Sequence[str] | None) -> Table:
    """A table from a file; its first row is the header unless it plainly is data."""
    if path.stat().st_size == 0:
        raise DataError(f"{source} is empty")
    found = scan(path)
    rows = len(found.lines)
    if rows <= len(found.rejected):
        raise _unreadable(source, found)
    first = [column.cells[0] for column in found.columns]
    if not any(first) and not any(column.cells.any() for column in found.columns):
        raise DataError(f"{source} is empty")
    header = _is_header(first) if names is None else first == list(names)
    if header and rows == 1:
        raise DataError(f"{source} has a header but no rows", got=", ".join(map(str, first)))
    named = header or names is not None
    titles = _titles(first if header and names is None else names, len(first), source)
    body = slice(1, None) if header else slice(None)
    columns = dict(
        zip(titles, (Column(column.cells[body]) for column in found.columns), strict=True)
    )
    return Table(columns, found.lines[body], source, named, found.rejected)


def _unreadable(source: str, found: Scan) -> DataError:
    """What to say of a file most of whose lines are no rows."""
    if not found.rejected:
        return DataError(f"{source} is empty")
    first = found.rejected[0]
    return DataError(
        f"{source} is not a table: {len(found.rejected)} of its lines do not fit the others",
        got=f"line {first.line}: {first.reason}",
    )


def _is_header(first: list[str | None]) -> bool:
    """Whether a file's first row names its columns.

    It does unless one of its cells is a number or `?`. A row that counts
    0, 1, 2, ... (pandas writes such headers) names them too.

    >>> _is_header(["age", "sex"]), _is_header(["M", "0.455"]), _is_header([None, "0", "1"])
    (True, False, True)
    """
    counted = first[1:] if first[0] is None else first
    if len(counted) > 1 and counted in (_count(0, len(counted)), _count(1, len(counted))):
        return True
    return not any(cell == "?" or np.isfinite(number_of(cell)) for cell in first)


def _count(start: int, length: int) -> list[str | None]:
    """Whole numbers as texts, counting up."""
    return [str(number) for number in range(start, start + length)]


def _titles(names: Sequence[str | None] | None, width: int, source: str) -> list[str]:
    """A name for every column: as given, or column1, column2, ... where there is none."""
    filled = [
        name or f"column{place}" for place, name in enumerate(names or [None] * width, start=1)
    ]
    return _checked(filled, width, source)


def _checked(names: Sequence[str], width: int, source: str) -> list[str]:
    """Names that are one for each column and all different, or a DataError."""
    if len(names) != width:
        raise DataError(
            f"the number of names and the columns of {source} differ",
            expected=f"{width} names",
            got=f"{len(names)}: {', '.join(names)}",
        )
    twice = [name for place, name in enumerate(names) if name in names[:place]]
    if twice:
        places = [str(place) for place, name in enumerate(names, 1) if name == twice[0]]
        raise DataError(
            f"{source} has two columns called {twice[0]!r}",
            got=f"columns {' and '.join(places)}",
            hint="give every column a name of its own; a file without a header needs names",
        )
    return list(names)


def _from_memory(source: Any) -> Table:
    """A table from rows, columns or a frame."""
    if isinstance(source, Table):
        return source
    if isinstance(source, Mapping):
        return Table.of(source)
    if isinstance(source, list | tuple) and all(isinstance(row, Mapping) for row in source):
        return Table.of(_by_column(source))
    return _from_frame(source)


def _by_column(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Rows as columns; a key that a row lacks is a missing cell."""
    names: Iterable[str] = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def _from_frame(frame: Any) -> Table:
    """A table from any data frame that narwhals knows."""
    import narwhals as nw

    try:
        native = nw.from_native(frame)
    except TypeError:
        raise DataError(
            "this cannot be read as a table",
            expected="a path, a dict of columns, a list of dicts, or a data frame",
            got=type(frame).__name__,
        ) from None
    eager = native.collect() if isinstance(native, nw.LazyFrame) else native
    columns = {str(name): _from_series(eager[name]) for name in eager.columns}
    return replace(Table.of({"": range(len(eager))}), columns=columns)


def _from_series(series: Any) -> Column:
    """A frame's column: numbers as they are, all else as text, nulls as missing."""
    import narwhals as nw

    if series.dtype.is_numeric():
        return Column(numbers=np.array(series.cast(nw.Float64).to_numpy(), dtype=np.float64))
    nulls = series.is_null().to_list()
    pairs = zip(series.to_list(), nulls, strict=True)
    return Column.of([None if null else value for value, null in pairs])

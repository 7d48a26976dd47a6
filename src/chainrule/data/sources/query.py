"""Parquet files, and SQL over files, through duckdb: typed columns, no lines but row numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from chainrule.data.cast import in_order
from chainrule.data.column import Column
from chainrule.data.lines import every_place
from chainrule.data.room import fits
from chainrule.data.scan import SAMPLE, connected, exactly
from chainrule.data.sources.content import Content
from chainrule.data.sources.reading import Reading
from chainrule.data.sources.titles import checked, renamed
from chainrule.data.store import Store, literal
from chainrule.data.stored_column import stored_columns
from chainrule.data.table import Table
from chainrule.errors import DataError

if TYPE_CHECKING:
    import duckdb

_WHOLE = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?")
_NUMBER = re.compile(rf"{_WHOLE.pattern}|FLOAT|DOUBLE|DECIMAL.*")
EXACT = 2**53
"""Whole numbers from here on are kept as text: float64 would make some of them equal."""


BLANKS = "e' \\t\\n\\r'"
"""What is no part of a cell at its ends, as SQL writes it."""


def is_query(source: str) -> bool:
    """Whether a source is SQL rather than the name of a file.

    >>> is_query("select * from 'houses/*.parquet'"), is_query("selected.csv")
    (True, False)
    """
    return re.match(r"\s*(select|with|from)\s", source, re.IGNORECASE) is not None


def from_query(query: str, reading: Reading) -> Table:
    """The rows that a SQL query gives; DataError if it is none, fails, or does more than select."""
    import duckdb

    try:
        kinds = [statement.type for statement in duckdb.extract_statements(query)]
    except duckdb.Error as problem:
        raise _failed("the query", problem) from None
    if kinds != [duckdb.StatementType.SELECT]:
        raise DataError("the query is not one select", got=query.strip()[:80])
    return renamed(_rows(query.strip().rstrip(";"), "the query"), reading)


def from_parquet(content: Content, reading: Reading) -> Table:
    """A table from a Parquet file."""
    with content.on_disk() as path:
        query = f"select * from read_parquet({literal(exactly(path))})"
        return renamed(_rows(query, content.name), reading)


def _rows(query: str, source: str) -> Table:
    import duckdb

    with connected() as connection:
        try:
            relation = connection.sql(query)
            if _fits(connection, query, len(relation.columns)):
                return _table(connection, relation, source)
            return _stored(query, relation, source)
        except duckdb.Error as problem:
            raise _failed(source, problem) from None


def _fits(connection: duckdb.DuckDBPyConnection, query: str, width: int) -> bool:
    """Whether the rows of a query are to be in memory."""
    ((rows,),) = connection.execute(f"select count(*) from ({query})").fetchall()
    return fits(8 * width * int(rows))


def _stored(query: str, relation: duckdb.DuckDBPyRelation, source: str) -> Table:
    """All rows, on disk as those of a large CSV file are."""
    names = _names(relation, source)
    cells = [
        f"nullif(trim({_text(_quoted(name), str(kind))}, {BLANKS}), '') as c{i}"
        for i, (name, kind) in enumerate(zip(names, relation.types, strict=True))
    ]
    texts, store = f"select {', '.join(cells)} from ({query})", Store.new()
    store.fill(f"{texts} limit {SAMPLE}", texts, [], len(names))
    columns = dict(zip(names, stored_columns(store), strict=True))
    return Table(columns, every_place(store.rows) + 1, source)


def _names(relation: duckdb.DuckDBPyRelation, source: str) -> list[str]:
    return checked([str(name) for name in relation.columns], len(relation.columns), source)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _failed(source: str, problem: Exception) -> DataError:
    words = str(problem).strip().splitlines()[0]
    return DataError(f"{source} cannot be read as a table", got=words)


def _table(
    connection: duckdb.DuckDBPyConnection, relation: duckdb.DuckDBPyRelation, source: str
) -> Table:
    """All rows: numbers as float64, all else as text."""
    names = _names(relation, source)
    relation.create("held")
    types = [str(kind) for kind in relation.types]
    quoted = [_quoted(name) for name in names]
    wide = _too_wide(connection, quoted, types)
    numeric = [
        bool(_NUMBER.fullmatch(kind)) and name not in wide
        for name, kind in zip(quoted, types, strict=True)
    ]
    casts = [
        f"cast({_plain(name, kind)} as {'double' if number else 'varchar'}) as c{place}"
        for place, (name, kind, number) in enumerate(zip(quoted, types, numeric, strict=True))
    ]
    found = connection.execute(f"select rowid, {', '.join(casts)} from held").fetchnumpy()
    places, *ordered = found.values()
    columns = {}
    for name, number, cells in zip(names, numeric, in_order(places, ordered), strict=True):
        if number:
            columns[name] = Column(numbers=np.ma.filled(cells, np.nan))
        else:
            columns[name] = Column.of(cells.tolist())  # None where masked
    rows = len(next(iter(columns.values())))
    if rows == 0:
        raise DataError(f"{source} has no rows")
    return Table(columns, np.arange(1, rows + 1, dtype=np.int64), source)


def _text(name: str, kind: str) -> str:
    """A column as text; of numbers that are not whole, what float64 makes of them."""
    broken = _NUMBER.fullmatch(kind) and not _WHOLE.fullmatch(kind)
    return (
        f"cast({name}::double as varchar)" if broken else f"cast({_plain(name, kind)} as varchar)"
    )


def _plain(name: str, kind: str) -> str:
    """A column as its cells are read: lists as JSON."""
    return f"to_json({name})" if kind.endswith("]") else name


def _too_wide(
    connection: duckdb.DuckDBPyConnection, quoted: list[str], types: list[str]
) -> set[str]:
    """The columns of whole numbers that float64 does not hold exactly."""
    whole = [name for name, kind in zip(quoted, types, strict=True) if _WHOLE.fullmatch(kind)]
    if not whole:
        return set()
    tests = ", ".join(f"coalesce(bool_or({n} >= {EXACT} or {n} <= -{EXACT}), false)" for n in whole)
    row = connection.execute(f"select {tests} from held").fetchone()
    assert row is not None
    return {name for name, beyond in zip(whole, row, strict=True) if beyond}

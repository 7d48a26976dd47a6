"""CSV files through duckdb: how a file is laid out, its cells as text, the lines that fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from chainrule.data.cast import plain
from chainrule.data.column import Column
from chainrule.data.lines import Span, Text, line_ends, row_lines
from chainrule.data.report import counted
from chainrule.data.room import allowance
from chainrule.data.store import Store, kept_on_disk
from chainrule.data.stored_column import stored_columns
from chainrule.data.table import Rejected
from chainrule.errors import DataError

if TYPE_CHECKING:
    import duckdb

WHOLE = 16_000_000
"""Up to this many bytes duckdb looks at the whole file to learn its layout; beyond, at a part."""


STORED = 32_000_000
"""Text of so many bytes and more is kept on disk as columns, not in memory as texts, which take
about eight times as much."""

SAMPLE = 2000
"""So many rows tell which columns are kept as numbers."""


BUFFER = 4_000_000
"""Bytes of a file that duckdb reads at a time, twice its longest line: of its own 32 MB several
stay in memory."""


@dataclass(frozen=True)
class Dialect:
    """How a file is laid out."""

    delimiter: str
    quote: str
    escape: str
    width: int


@dataclass(frozen=True)
class Scan:
    """All rows of a file, a header included, and the lines that could not be read as rows."""

    columns: Sequence[Column]
    lines: NDArray[np.int64]
    rejected: tuple[Rejected, ...]
    delimiter: str


def scan(path: Path, text: Text, source: str, delimiter: str | None) -> Scan:
    """Read every row of a CSV file as text; DataError if it cannot be read at all.

    `text` is all that the file holds, `source` what people call it; the delimiter is found out
    where it is None.
    """
    import duckdb

    stored = is_long(len(text))
    try:
        if not stored:
            with connected() as connection:
                dialect = _sniff(connection, path, delimiter)
                columns: Sequence[Column] = _fetch(connection, path, dialect)
                failed = _failed(connection)
        else:
            store = Store.new()
            dialect = _sniff(store.connection, path, delimiter)
            columns = _stored(store, path, dialect)
            failed = _failed(store.connection)
    except duckdb.Error as error:
        raise DataError(
            f"{source} cannot be read as a table of text",
            expected="a CSV or TSV file",
            got=str(error).strip().splitlines()[0],
        ) from None
    rejected, spans = _rejected(text, failed)
    lines = row_lines(text, len(columns[0]), spans, lambda: _breaks(columns))
    if not stored:
        lines = lines.astype(np.int64)  # as other tables in memory have them
    return Scan(columns, lines, rejected, dialect.delimiter)


def is_long(size: int) -> bool:
    """Whether what is made from so many bytes of text is kept on disk.

    >>> is_long(1_000), is_long(10**9)
    (False, True)
    """
    return size >= min(STORED, allowance() // 8)


def connected() -> duckdb.DuckDBPyConnection:
    """A database in memory that installs nothing, and draws no progress among the results."""
    import duckdb

    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    connection.execute("set enable_progress_bar = false")
    return connection


def _sniff(connection: duckdb.DuckDBPyConnection, path: Path, delimiter: str | None) -> Dialect:
    """Ask duckdb how the file is laid out, tolerating lines that do not fit."""
    sample = -1 if path.stat().st_size <= WHOLE else 20480
    known = "" if delimiter is None else "delim = ?, "
    found = connection.execute(
        f"select Delimiter, Quote, Escape, len(Columns) from sniff_csv(?, {known}"
        "all_varchar = true, ignore_errors = true, comment = '', skip = 0, sample_size = ?)",
        [exactly(path), *([] if delimiter is None else [delimiter]), sample],
    ).fetchone()
    assert found is not None
    between, quote, escape = ("" if part == "(empty)" else part for part in found[:3])
    return Dialect(between, quote, escape or quote, found[3])


_STRIPPED = (
    "case when text < '!' or suffix(text, ' ') or suffix(text, e'\\t') "
    "then nullif(trim(text, e' \\t'), '') else text end"
)
"""SQL: a `text` without blanks around it, null if nothing is left; trim alone takes far longer."""


def _query(dialect: Dialect, failures: str) -> str:
    """SQL: all rows, stripped texts c0, c1, ..., null where empty."""
    names = [f"c{place}" for place in range(dialect.width)]
    cells = ", ".join(f"{_STRIPPED.replace('text', name)} as {name}" for name in names)
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    return (
        f"select {cells} from read_csv(?, auto_detect = false, header = false, skip = 0, "
        f"comment = '', delim = ?, quote = ?, escape = ?, buffer_size = {BUFFER}, "
        f"columns = {{{columns}}}, {failures})"
    )


_KEPT, _PASSED_OVER = "store_rejects = true, rejects_limit = 0", "ignore_errors = true"


def _told(path: Path, dialect: Dialect) -> list[object]:
    """What `_query` is to be told."""
    return [exactly(path), dialect.delimiter, dialect.quote, dialect.escape]


def _fetch(connection: duckdb.DuckDBPyConnection, path: Path, dialect: Dialect) -> list[Column]:
    """All columns as texts in memory."""
    found = connection.execute(_query(dialect, _KEPT), _told(path, dialect)).fetchnumpy()
    return [Column(plain(cells)) for cells in found.values()]


def _stored(store: Store, path: Path, dialect: Dialect) -> Sequence[Column]:
    """All columns as texts on disk."""
    sample = f"{_query(dialect, _PASSED_OVER)} limit {SAMPLE} offset 1"  # the first may be a header
    with kept_on_disk():
        store.fill(sample, _query(dialect, _KEPT), _told(path, dialect), dialect.width)
    return stored_columns(store)


Failed = tuple[int, str, str, str]
"""Byte of the line (from 1), kind of failure, the line, duckdb's words."""


def _failed(connection: duckdb.DuckDBPyConnection) -> list[Failed]:
    """The first failure of each line that duckdb put aside."""
    found = connection.execute(
        "select line_byte_position, first(error_type::varchar order by column_idx), "
        "first(csv_line order by column_idx), first(error_message order by column_idx) "
        "from reject_errors group by line_byte_position order by line_byte_position"
    ).fetchall()
    return [(row[0], row[1], row[2] or "", row[3]) for row in found]


def _rejected(text: Text, failed: list[Failed]) -> tuple[tuple[Rejected, ...], list[Span]]:
    """Failures with their lines in the file, and how many lines each takes."""
    rejected, spans = [], []
    ends = line_ends(text) if failed else np.zeros(0, dtype=np.int64)
    for byte, kind, line, words in failed:
        body = line.lstrip("\r\n")
        before = int(np.searchsorted(ends, byte - 1)) + line[: len(line) - len(body)].count("\n")
        body = body.rstrip("\r\n")
        rejected.append(Rejected(before + 1, body, _reason(kind, words)))
        spans.append((before, 1 + body.count("\n")))
    return tuple(rejected), spans


def _reason(kind: str, words: str) -> str:
    """Why a line is no row, in a few plain words."""
    if kind in ("MISSING COLUMNS", "TOO MANY COLUMNS"):
        expected, found = (int(word) for word in words.split() if word.isdigit())
        return f"{counted(found, 'cell')} where {counted(expected, 'is', 'are')} expected"
    plain = {
        "UNQUOTED VALUE": "a quote that does not close",
        "INVALID ENCODING": "not UTF-8 text",
        "LINE SIZE OVER MAXIMUM": "longer than two million characters",
    }
    return plain.get(kind, words)


def _breaks(columns: Sequence[Column]) -> NDArray[np.int64]:
    """Line breaks inside the cells of each row, int64 [rows]."""
    counts = [column.of_values(_line_breaks, np.int64) for column in columns]
    return np.asarray(np.sum(counts, axis=0), dtype=np.int64)


def _line_breaks(text: str | None) -> int:
    """Line breaks in one cell."""
    return 0 if text is None else text.count("\n")


def exactly(path: Path) -> str:
    """A path in which duckdb sees no pattern."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path))

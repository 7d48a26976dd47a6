"""CSV files and the like, in any layout and encoding."""

from __future__ import annotations

from dataclasses import replace

from chainrule.data.layout import Layout
from chainrule.data.lines import Text, pieces
from chainrule.data.report import Note
from chainrule.data.scan import Scan, scan
from chainrule.data.sources.content import Content
from chainrule.data.sources.decimals import plain_numbers
from chainrule.data.sources.delimiter import delimiter_of
from chainrule.data.sources.encoding import as_utf8
from chainrule.data.sources.reading import Reading
from chainrule.data.sources.titles import titled
from chainrule.data.table import Table
from chainrule.errors import DataError


def from_text(content: Content, reading: Reading) -> Table:
    """A table from delimited text; its first row is the header unless it plainly is data."""
    source = content.name
    if not len(content.text):
        raise DataError(f"{source} is empty")
    like = reading.like.layout
    text, encoding, notes = as_utf8(content.text, reading.encoding, source, like.encoding)
    delimiter, told = reading.delimiter, list[Note]()
    if delimiter is None:
        delimiter, told = delimiter_of(text, content.suffix, source, like.delimiter)
    with content.on_disk(text) as path:
        found = scan(path, text, source, delimiter)
    if len(found.lines) <= len(found.rejected):
        raise _unreadable(source, found)
    if all(column.blank for column in found.columns):
        raise DataError(f"{source} is empty")
    hidden = _holds(text, b",") and (found.delimiter != "," or _holds(text, b'"'))
    likely = like.decimal if found.delimiter in (like.delimiter, "") else None
    columns, decimal, rewritten = plain_numbers(
        found.columns, reading.decimal, source, hidden, likely
    )
    layout = Layout(delimiter=found.delimiter or None, encoding=encoding, decimal=decimal)
    table = titled(columns, found.lines, source, reading, layout)
    return replace(table, rejected=found.rejected, notes=(*notes, *told, *rewritten, *table.notes))


def _holds(text: Text, mark: bytes) -> bool:
    return any(mark in piece for _, piece in pieces(text))


def _unreadable(source: str, found: Scan) -> DataError:
    """What to say of a file most of whose lines are no rows."""
    if not found.rejected:
        return DataError(f"{source} is empty")
    first = found.rejected[0]
    return DataError(
        f"{source} is not a table: {len(found.rejected)} of its lines do not fit the others",
        got=f"line {first.line}: {first.reason}",
    )

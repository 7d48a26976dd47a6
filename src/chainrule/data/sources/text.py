"""CSV files and the like, in any layout and encoding."""

from __future__ import annotations

from dataclasses import replace

from chainrule.data.column import Column
from chainrule.data.layout import Layout
from chainrule.data.lines import Text, pieces
from chainrule.data.report import Note
from chainrule.data.scan import Scan, scan
from chainrule.data.sources.above import cut, lines_above, moved
from chainrule.data.sources.content import Content
from chainrule.data.sources.decimals import plain_numbers
from chainrule.data.sources.delimiter import delimiter_of
from chainrule.data.sources.encoding import as_utf8
from chainrule.data.sources.reading import Reading
from chainrule.data.sources.signs import SIGNED, without_signs
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
    above = lines_above(text, reading.delimiter)
    text, put_aside = cut(text, above)
    delimiter, told = reading.delimiter, list[Note]()
    if delimiter is None:
        delimiter, told = delimiter_of(text, content.suffix, source, like.delimiter)
    with content.on_disk(text) as path:
        found = moved(scan(path, text, source, delimiter), above, put_aside)
    if len(found.lines) <= len(found.rejected):
        raise _unreadable(source, found)
    if all(column.blank for column in found.columns):
        raise DataError(f"{source} is empty")
    columns, decimal, rewritten = _plainly(found, text, reading, source)
    layout = Layout(
        delimiter=found.delimiter or None,
        encoding=encoding,
        decimal=decimal,
        signs=any(note.about == SIGNED for note in rewritten),
    )
    table = titled(columns, found.lines, source, reading, layout)
    return replace(
        table,
        rejected=tuple(sorted((*found.rejected, *table.rejected), key=lambda bad: bad.line)),
        notes=(*notes, *told, *rewritten, *table.notes),
    )


def _plainly(
    found: Scan, text: Text, reading: Reading, source: str
) -> tuple[list[Column], str | None, list[Note]]:
    """The columns with numbers as 1234.5, the decimal that was theirs, and what changed."""
    like, columns, unsigned = reading.like.layout, found.columns, list[Note]()
    if like.signs or not reading.like.columns:
        columns, unsigned = without_signs(columns)
    hidden = _holds(text, b",") and (found.delimiter != "," or _holds(text, b'"'))
    likely = like.decimal if found.delimiter in (like.delimiter, "") else None
    columns, decimal, changed = plain_numbers(columns, reading.decimal, source, hidden, likely)
    return columns, decimal, [*unsigned, *changed]


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

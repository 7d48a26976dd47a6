"""A long file of text as tables of some rows each, so that it need not fit into memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from chainrule.data.read import on_disk, read_table
from chainrule.data.sources.content import PACKED, Content
from chainrule.data.sources.jsonl import looks_like_json
from chainrule.data.sources.reading import Reading
from chainrule.data.sources.text import from_text
from chainrule.data.table import Table

BLOCK = 4_000_000
"""Bytes of text in a block; a file of up to two blocks is read whole."""

_BINARY = (b"PAR1", b"\x93NUMPY", b"PK", b"\xd0\xcf\x11\xe0", *PACKED)


def read_blocks(source: str, block: int = BLOCK, **reading: Any) -> Iterator[Table]:
    """The tables that the rows of `source` make, in order; a single one unless it is a long text.

    `reading` are the arguments of `read_table`. How a long text is written is decided by its first
    block; the lines of all blocks are those of the file.
    """
    path = on_disk(source)
    if path is None or not _is_long_text(path, block):
        yield read_table(source, **reading)
        return
    known: Reading | None = None
    before = 0
    with path.open("rb") as file:
        for raw in _cut(file, block):
            wanted = known or _reading(**reading)
            table = from_text(Content(source, raw=raw), wanted)
            known = known or _continued(wanted, table)
            yield _shifted(table, before)
            before += raw.count(b"\n")


def _is_long_text(path: Path, block: int) -> bool:
    """Whether a file is delimited text, in an encoding whose line ends are bytes, and long."""
    if not path.is_file() or path.stat().st_size <= 2 * block:
        return False
    with path.open("rb") as file:
        head = file.read(4096)
    whole = head.startswith(_BINARY) or b"\0" in head
    return not whole and not looks_like_json(Content(str(path), raw=head))


def _reading(names: Any = None, like: Any = None, **others: Any) -> Reading:
    named = None if names is None else tuple(names)
    return Reading(named, **others) if like is None else Reading(named, **others, like=like)


def _continued(first: Reading, table: Table) -> Reading:
    """How the blocks after the first are read: as that one was, and without a header."""
    layout = table.layout
    return replace(
        first,
        names=tuple(table.names) if table.named else None,
        delimiter=layout.delimiter or first.delimiter,
        encoding=layout.encoding or first.encoding,
        decimal=layout.decimal or first.decimal or first.like.layout.decimal or ".",
        header=False,
    )


def _shifted(table: Table, lines: int) -> Table:
    rejected = tuple(replace(bad, line=bad.line + lines) for bad in table.rejected)
    return replace(table, lines=table.lines + lines, rejected=rejected)


def _cut(file: BinaryIO, block: int) -> Iterator[bytes]:
    """The bytes of a file in pieces that end where a row does: at a line end outside of quotes."""
    rest = b""
    while True:
        read = file.read(block)
        text = rest + read
        if len(read) < block:
            if text.strip():
                yield text
            return
        end = _row_end(text)
        if not end and len(text) > 2 * block:  # quotes that never close are no quotes
            end = text.rfind(b"\n") + 1
        if end:
            yield text[:end]
        rest = text[end:]


def _row_end(text: bytes) -> int:
    """Where the last whole row ends; 0 if there is none."""
    end = text.rfind(b"\n")
    quotes = text.count(b'"', 0, end + 1)
    while end >= 0 and quotes % 2:
        earlier = text.rfind(b"\n", 0, end)
        quotes -= text.count(b'"', earlier + 1, end + 1)
        end = earlier
    return end + 1

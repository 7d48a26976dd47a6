"""JSON Lines, an object a line; and a JSON file that holds rows or columns as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Any

import numpy as np

from chainrule.data.column import Column
from chainrule.data.lines import Text, blocks
from chainrule.data.sources.content import Content
from chainrule.data.sources.encoding import as_utf8
from chainrule.data.sources.reading import Reading, decoding
from chainrule.data.sources.titles import renamed
from chainrule.data.stack import Stack
from chainrule.data.table import Rejected, Table
from chainrule.errors import DataError

LINES = (".jsonl", ".ndjson")
SUFFIXES = (".json", *LINES)


def looks_like_json(content: Content) -> bool:
    """Whether a source is JSON: by its ending, or because its first line is an object."""
    if content.suffix in SUFFIXES:
        return True
    return content.head.lstrip().startswith(b"{") and _is_object(
        content.text[: content.text.find(b"\n") + 1 or None]
    )


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def from_json(content: Content, reading: Reading) -> Table:
    """A table from JSON; the cells of objects in objects are called outer.inner.

    A line that is no object is put aside, with its number. Lists become text.
    """
    text, _, notes = as_utf8(content.text, reading.encoding, content.name)
    first = [line for _, line in islice(chain.from_iterable(_numbered(text)), 3)]
    if not first:
        raise DataError(f"{content.name} is empty")
    whole = first[0].strip() == b"[" or not any(map(_is_object, first))
    if len(first) == 1 and content.suffix not in LINES and not whole:
        whole = _is_whole(json.loads(first[0]))
    if whole:
        return renamed(_whole(text[:], content.name), reading)
    return renamed(replace(_by_line(text, content.name), notes=tuple(notes)), reading)


def _by_line(text: Text, source: str) -> Table:
    """A table of an object a line."""
    stack, rejected = Stack(len(text)), list[Rejected]()
    for lines in _numbered(text):
        rows, places = [], []
        for place, line in lines:
            row = _object(line)
            if isinstance(row, str):
                rejected.append(Rejected(place, line.decode(errors="replace").strip(), row))
            else:
                rows.append(row)
                places.append(place)
        made = {name: Column.of(values) for name, values in by_column(rows).items()}
        stack.add(made, np.array(places, dtype=np.int64))
    if len(stack) <= len(rejected):
        first = rejected[0]
        raise DataError(
            f"{source} is not a table: {len(rejected)} of its lines are no JSON objects",
            got=f"line {first.line}: {first.reason}",
        )
    return _with_columns(Table(stack.columns(), stack.lines, source, True, tuple(rejected)))


def _numbered(text: Text) -> Iterator[list[tuple[int, bytes]]]:
    """The lines that hold something, with their numbers, some at a time."""
    before = 0
    for block in blocks(text):
        lines = enumerate(block.split(b"\n"), start=before + 1)
        yield [(place, line) for place, line in lines if line.strip()]
        before += block.count(b"\n")


def by_column(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Rows as columns; a key that a row lacks is a missing cell."""
    names = dict.fromkeys(str(name) for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def _with_columns(table: Table) -> Table:
    if not table.columns:
        raise DataError(f"{table.source} has rows without any cells")
    return table


def _object(line: bytes) -> dict[str, Any] | str:
    """The cells of one line, or why it is no row."""
    try:
        row = json.loads(line)
    except RecursionError:
        return "nested too deeply"
    except ValueError as problem:
        return f"not JSON: {str(problem).partition(':')[0]}"
    return dict(_flat(row, "")) if isinstance(row, dict) else "no JSON object"


def _flat(row: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """The cells of an object and of the objects in it."""
    for name, value in row.items():
        whole = _printable(prefix + name)
        if isinstance(value, dict):
            yield from _flat(value, f"{whole}.")
        else:
            yield whole, _printable(json.dumps(value) if isinstance(value, list) else value)


def _printable(value: Any) -> Any:
    """A text without halves of characters, which JSON can spell and no file can hold."""
    if isinstance(value, str) and not value.isascii():
        return value.encode(errors="replace").decode()
    return value


def _whole(text: bytes, source: str) -> Table:
    """A table from one JSON value: a list of objects, alone or in an object; an object of lists."""
    with decoding(source, "JSON"):
        found = json.loads(text)
        rows = _rows_in(found)
        if rows is not None:
            columns = by_column([dict(_flat(row, "")) for row in rows])
        elif isinstance(found, dict) and found and len(_lists_in(found)) == len(found):
            columns = {_printable(k): list(map(_cell, v)) for k, v in found.items()}
        else:
            raise DataError(
                f"{source} holds no table", expected="an object a line, or a list of objects"
            )
        table = _with_columns(Table.of(columns, source))
    if len(table) == 0:
        raise DataError(f"{source} has no rows")
    return table


def _is_whole(found: dict[str, Any]) -> bool:
    """Whether a JSON object is a table and no row: of lists as long as each other, or of rows."""
    lists = _lists_in(found)
    columns = bool(found) and len(lists) == len(found) and len(set(map(len, lists))) == 1
    return columns or _rows_in(found) is not None


def _rows_in(found: Any) -> list[dict[str, Any]] | None:
    """The objects that a JSON value lists, itself or in its only list; None if it lists none."""
    if isinstance(found, dict):
        lists = _lists_in(found)
        found = lists[0] if len(lists) == 1 else None
    rows = isinstance(found, list) and found and all(isinstance(row, dict) for row in found)
    return found if rows else None


def _lists_in(found: dict[str, Any]) -> list[list[Any]]:
    """The lists that a JSON object holds."""
    return [value for value in found.values() if isinstance(value, list)]


def _cell(value: Any) -> Any:
    return _printable(json.dumps(value) if isinstance(value, list | dict) else value)

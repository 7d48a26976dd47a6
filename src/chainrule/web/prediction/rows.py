"""From the JSON of a request to rows that a model takes: every field is looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from chainrule.data.column import HUGE
from chainrule.data.records import Encoding
from chainrule.errors import DataError, nearest

Row = dict[str, Any]

FIELDS: dict[str, tuple[str, ...]] = {
    "numeric": ("number", "null"),
    "date": ("string", "null"),
    "text": ("string", "null"),
    "array": ("array", "null"),
}
"""The JSON types of a field by the kind of its column; of all others `CATEGORY`."""

CATEGORY = ("string", "number", "boolean", "null")

TYPES: dict[str, tuple[type, ...]] = {
    "number": (int, float),
    "string": (str,),
    "boolean": (bool,),
    "array": (list,),
    "null": (type(None),),
}

MOST_TOLD = 20
"""A request with more mistakes than this is told of the first ones."""


@dataclass(frozen=True)
class Wrong:
    """One thing that is wrong with a request: in which row (from 1), in which field, and what."""

    message: str
    row: int | None = None
    field: str | None = None

    def as_json(self) -> Row:
        """The parts that are known."""
        return {key: value for key, value in vars(self).items() if value is not None}


class RequestError(DataError):
    """A request that cannot be answered as it is; `wrong` says where."""

    def __init__(self, what: str, wrong: Sequence[Wrong] = (), status: int = 422) -> None:
        super().__init__(what)
        self.wrong, self.status = list(wrong), status


def types_of(record: Encoding) -> tuple[str, ...]:
    """The JSON types that a column's field may have."""
    return FIELDS.get(record.kind, CATEGORY)


def rows_of(raw: bytes, inputs: Sequence[Encoding], most: int) -> list[Row]:
    """The rows of a request's body, {"rows": [{field: value, ...}, ...]}; RequestError if wrong.

    Every input must be there; a value that is not known is null. Other fields are passed over.
    """
    try:
        body = json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise RequestError("the body is not JSON", status=400) from None
    rows = body.get("rows") if isinstance(body, dict) else None
    if not isinstance(rows, list) or not rows or len(body) != 1:
        raise RequestError('the body must be {"rows": [...]}, with a row at least')
    if len(rows) > most:
        raise RequestError(f"{len(rows):,} rows are too many: at most {most:,}", status=413)
    checks = [(record.name, _python_types(record), types_of(record)) for record in inputs]
    wrong: list[Wrong] = []
    for number, row in enumerate(rows, start=1):
        wrong += _mistakes(number, row, checks)
        if len(wrong) >= MOST_TOLD:
            break
    if wrong:
        raise RequestError("some values cannot be used", wrong[:MOST_TOLD])
    return [{name: row[name] for name, _, _ in checks} for row in rows]


def _python_types(record: Encoding) -> tuple[type, ...]:
    return tuple(kind for name in types_of(record) for kind in TYPES[name])


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _mistakes(number: int, row: Any, checks: Sequence[Any]) -> Iterator[Wrong]:
    """What is wrong with a row."""
    if not isinstance(row, dict):
        yield Wrong("a row is an object: a value by the name of each field", number)
        return
    for name, types, words in checks:
        value = row.get(name, _ABSENT)
        if value is _ABSENT:
            yield Wrong(_missing(name, row), number, name)
        elif type(value) not in types:
            got = "an object" if isinstance(value, dict) else json.dumps(value)[:40]
            yield Wrong(f"expected {' or '.join(words)}, got {got}", number, name)
        elif type(value) in (int, float) and not -HUGE <= value <= HUGE:
            yield Wrong("expected a number of at most 1e150 in size", number, name)


def _missing(name: str, row: Row) -> str:
    close = nearest(name, row)
    meant = f"; is {close!r} meant to be it?" if close else ""
    return f"the field is missing; null stands for a value that is not known{meant}"


_ABSENT = object()

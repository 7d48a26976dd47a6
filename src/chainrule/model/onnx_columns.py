"""Each column's record as nodes of ONNX: the same numbers and codes as `apply` gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data import Table
from chainrule.data.array_input import ArrayInput
from chainrule.data.boolean import Boolean
from chainrule.data.categories import Categories
from chainrule.data.column import HUGE, MISSING, Column, number_of
from chainrule.data.embedding import Embedding
from chainrule.data.labels import labels
from chainrule.data.numeric import Numeric
from chainrule.data.one_hot import OneHot
from chainrule.data.scaling import Log, Ranks
from chainrule.model.onnx_graph import ML, Graph, array_of


@dataclass(frozen=True)
class Given:
    """An input of the graph: its name, dtype, the sizes after the rows, and what it takes."""

    name: str
    dtype: str
    sizes: tuple[int, ...]
    takes: str


def given(record: Any) -> Given:
    """The input that a column becomes."""
    if isinstance(record, Numeric):
        return Given(record.name, "float64", (1,), "numbers, NaN where missing")
    if isinstance(record, Boolean | OneHot | Embedding):
        return Given(record.name, "object", (1,), "texts, empty where missing")
    if isinstance(record, ArrayInput):
        return Given(record.name, "float32", tuple(record.shape), "arrays")
    size = len(record.features) if hasattr(record, "features") else record.slots
    dtype = "float32" if hasattr(record, "features") else "int64"
    return Given(record.name, dtype, (size,), "prepared: the standard cannot express this column")


def fed(record: Any, table: Table) -> NDArray[Any]:
    """What to feed the graph for a column of some rows."""
    column = table.column(record.name)
    if isinstance(record, Numeric):
        return column.numbers[:, None]
    if isinstance(record, Boolean | OneHot | Embedding):
        return array_of(_texts(column))
    if isinstance(record, ArrayInput):
        return np.asarray(getattr(column, "array"), dtype=np.float32)  # noqa: B009
    return np.asarray(record.apply(column))


def _texts(column: Column) -> list[str]:
    codes, named = labels(column)
    return [named[code] or "" for code in codes.tolist()]


def write_column(record: Any, to: Graph, x: str, markers: Sequence[str] | None) -> str:
    """Add a column's record to a graph; gives the name of its numbers or codes [n, slots].

    `markers` are the texts that mean "not known", if they are not the usual ones.
    """
    return _write(record, to, x, MISSING if markers is None else markers)


@singledispatch
def _write(record: Any, to: Graph, x: str, markers: Any) -> str:
    return x  # prepared already


@_write.register
def _numeric(record: Numeric, to: Graph, x: str, markers: Any) -> str:
    def number(value: Any) -> str:
        return to.constant(np.asarray(value, dtype=np.float64))

    absent = to("Not", to("LessOrEqual", to("Abs", x), number(HUGE)))  # NaN is not, either
    for marker in sorted(n for n in map(number_of, markers) if n == n):
        absent = to("Or", absent, to("Equal", x, number(marker)))
    filled = to("Where", absent, number(record.fill), x)
    scaled = to(
        "Div", to("Sub", _bent(record, to, filled), number(record.mean)), number(record.std)
    )
    parts = [to("Clip", scaled, number(-record.clip), number(record.clip))]
    if record.edges:
        edges = np.array(record.edges)
        parts.append(_through(to, filled, edges))
    if record.indicator:
        parts.append(to("Cast", absent, to=to.kind("float64")))
    made = parts[0] if len(parts) == 1 else to("Concat", *parts, axis=1)
    return to("Cast", made, to=to.kind("float32"))


def _through(to: Graph, x: str, edges: NDArray[np.float64]) -> str:
    """How far x [n, 1] has come through each of the bins between edges, float64 [n, bins]."""
    low, width = to.constant(edges[None, :-1]), to.constant(np.diff(edges)[None])
    share = to("Div", to("Sub", x, low), width)
    return to("Clip", share, to.constant(np.float64(0)), to.constant(np.float64(1)))


def _bent(record: Numeric, to: Graph, x: str) -> str:
    """The curve of a record at x, float64 [n, 1]."""
    if isinstance(record.curve, Log):
        size = to("Div", to("Abs", x), to.constant(np.float64(record.curve.unit)))
        return to("Mul", to("Sign", x), to("Log", to("Add", size, to.constant(np.float64(1)))))
    if isinstance(record.curve, Ranks):
        values, shares = np.array(record.curve.values), np.array(record.curve.shares)
        if len(values) == 1:
            return to("Add", to("Mul", x, to.constant(np.float64(0))), to.constant(shares))
        steps = to.constant(np.diff(shares)[:, None])
        return to("Add", to("MatMul", _through(to, x, values), steps), to.constant(shares[:1]))
    return x


def _codes(to: Graph, x: str, places: dict[str, int], markers: Any) -> str:
    """The place of each text [n, 1], 0 for missing ones, 1 for unknown ones; int64 [n]."""
    absent = {form: 0 for text in sorted(markers) for form in _forms(text)}
    known = {**absent, "": 0, **places}
    flat = to("Reshape", x, to.integers([-1]))
    return to(
        "LabelEncoder",
        flat,
        domain=ML,
        keys_strings=list(known),
        values_int64s=list(known.values()),
        default_int64=1,
    )


def _forms(text: str) -> set[str]:
    return {text, text.upper(), text.capitalize(), text.title()}


def _picked(to: Graph, codes: str, table: NDArray[Any]) -> str:
    return to("Gather", to.constant(table), codes, axis=0)


def _places(record: Categories) -> dict[str, int]:
    return {name: code for code, name in enumerate(record.categories, start=2)}


@_write.register
def _one_hot(record: OneHot, to: Graph, x: str, markers: Any) -> str:
    return _picked(to, _codes(to, x, _places(record), markers), record.slots())


@_write.register
def _embedding(record: Embedding, to: Graph, x: str, markers: Any) -> str:
    stand_in = np.arange(record.size)
    stand_in[:2] = record.missing_code, record.unseen_code
    return _picked(to, _codes(to, x, _places(record), markers), stand_in[:, None])


@_write.register
def _boolean(record: Boolean, to: Graph, x: str, markers: Any) -> str:
    words = {2: record.no, 3: record.yes}
    places = {form: c for c, word in words.items() for form in {word, *_forms(word.lower())}}
    table = np.array([[record.share, 1], [record.share, 0], [0, 0], [1, 0]], dtype=np.float32)
    codes = _codes(to, x, places, markers)
    return _picked(to, codes, table[:, : len(record.features)])


@_write.register
def _array(record: ArrayInput, to: Graph, x: str, markers: Any) -> str:
    flat = to("Reshape", x, to.integers([0, len(record.features)]))
    centred = to("Sub", flat, to.constant(np.float32(record.mean)))
    return to("Div", centred, to.constant(np.float32(record.std)))

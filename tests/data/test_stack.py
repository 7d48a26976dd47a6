"""A table of several pieces is the same on disk as in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chainrule.data import Table, inspect_table, prepare, read_table
from chainrule.data import scan as scanning
from chainrule.data.column import Column
from chainrule.data.room import LEAST, allowed
from chainrule.data.stack import Stack
from chainrule.data.store import kept_on_disk
from chainrule.data.stored_column import StoredColumn
from chainrule.errors import DataError

ROWS = 400


def rows() -> list[dict[str, Any]]:
    """Orders with cells that are bad, missing or as rarely written, and a row that is repeated."""
    noise = np.random.default_rng(0)
    made = [
        {
            "price": f"{noise.normal(50, 10):.2f}",
            "size": int(noise.integers(1, 10**6)),
            "kind": str(noise.choice(["a", "b", 'ü, "c"'])),
            "day": str(np.datetime64("2020-01-01") + int(noise.integers(0, 900))),
            "code": f"{noise.integers(0, 90):03d}",
            "empty": "",
        }
        for _ in range(ROWS)
    ]
    made[7]["price"], made[30]["price"], made[31]["size"] = "n.d.", "?", "12x"
    made[311] |= {"price": "1e3", "size": "٣", "kind": " a "}
    made[350]["kind"] = "two\nlines"
    return [*made, made[3]]


def written(value: object) -> str:
    return '"' + str(value).replace('"', '""') + '"' if value != "" else ""


def as_csv(some: list[dict[str, Any]], names: list[str], between: str = ",") -> str:
    lines = [names, *([written(row[name]) for name in names] for row in some)]
    return "".join(between.join(cells) + "\n" for cells in lines)


def both(source: Path, **settings: Any) -> tuple[Table, Table]:
    """The table in memory, and on disk, written there some rows at a time."""
    plain = read_table(source, **settings)
    with pytest.MonkeyPatch.context() as patch, allowed(LEAST // 1000):
        patch.setattr(scanning, "STORED", 0)
        patch.setattr("chainrule.data.lines.PIECE", 2000)
        patch.setattr("chainrule.data.stack.rows_at_once", lambda size: 50)
        stored = read_table(source, **settings)
    assert not any(isinstance(column, StoredColumn) for column in plain.columns.values())
    assert all(isinstance(column, StoredColumn) for column in stored.columns.values())
    return plain, stored


def told(table: Table) -> dict[str, Any]:
    """All that a table says."""
    return {
        "cells": {name: column.cells.tolist() for name, column in table.columns.items()},
        "bad": {name: column.bad.tolist() for name, column in table.columns.items()},
        "lines": table.lines.tolist(),
        "rejected": table.rejected,
        "notes": table.notes,
        "layout": table.layout,
        "named": (table.named, table.source),
    }


def are_prepared_alike(plain: Table, stored: Table, target: str) -> None:
    assert inspect_table(stored) == inspect_table(plain)
    ours, theirs = prepare(stored, target), prepare(plain, target)
    assert ours.preparation.to_json() == theirs.preparation.to_json()
    assert ours.report == theirs.report
    for part in ("train", "validation", "test"):
        one, other = getattr(ours, part), getattr(theirs, part)
        np.testing.assert_array_equal(one.numbers, other.numbers)
        np.testing.assert_array_equal(one.targets, other.targets)
        np.testing.assert_array_equal(one.lines, other.lines)


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    """Three files: with other delimiters and orders of columns, lines that are no rows."""
    orders, names = rows(), ["price", "size", "kind", "day", "code", "empty"]
    (tmp_path / "a.csv").write_text(as_csv(orders[:150], names) + "only,two\n")
    (tmp_path / "b.csv").write_text(as_csv(orders[150:300], names[::-1], ";") + "1;2\n")
    (tmp_path / "c.csv").write_text("\n" + as_csv(orders[300:], names, "\t"))
    return tmp_path / "*.csv"


def test_files_are_the_same_table_on_disk(parts: Path) -> None:
    plain, stored = both(parts)
    assert told(stored) == told(plain)
    found = [(bad.line, bad.text) for bad in stored.rejected]
    assert found == [(152, "only,two"), (304, "1;2")]
    are_prepared_alike(plain, stored, "price")


def test_an_object_a_line_is_the_same_table_on_disk(tmp_path: Path) -> None:
    lines = list[str]()
    for place, row in enumerate(rows()):
        nested = {"x": place % 7 / 2, "y": [1, "ü"]} if place % 3 else {}
        cells = {name: value for name, value in row.items() if place % 11 or name == "price"}
        lines.append(json.dumps({**cells, "price": float(place), "at": nested}))
    lines[20:20] = ["", "no", "[1]", "{}"]
    lines[390] = json.dumps({"price": 3, "late": True, "odd": "a\0b'\ud800"})
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    plain, stored = both(tmp_path / "t.jsonl")
    assert told(stored) == told(plain)
    assert [bad.line for bad in stored.rejected] == [22, 23]
    assert stored.names[-4:] == ["at.x", "at.y", "late", "odd"]
    are_prepared_alike(plain, stored, "price")
    assert both(tmp_path / "t.jsonl", names=list("abcdefghij"))[1].names[-1] == "j"


cells = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.dictionaries(st.sampled_from("abc"), cells), min_size=1, max_size=8))
def test_any_objects(tmp_path: Path, objects: list[dict[str, object]]) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in [{"a": 1}, *objects]))
    plain, stored = both(path)
    assert told(stored) == told(plain)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"a.csv": "x,y\n1,p\n", "b.csv": "x,z\n1,p\n"}, "has other columns than"),
        ({"a.csv": "x,y\n1,p\n", "b.csv": ""}, "b.csv is empty"),
        ({"a.jsonl": "{}\n{}\n"}, "without any cells"),
        ({"a.jsonl": '{"a": 1}\nx\ny\n'}, "2 of its lines are no JSON objects"),
    ],
)
def test_what_is_no_table_is_refused_alike(
    files: dict[str, str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=words) as plain:
        read_table(tmp_path / "*")
    monkeypatch.setattr(scanning, "STORED", 0)
    with pytest.raises(DataError) as stored:
        read_table(tmp_path / "*")
    assert str(stored.value) == str(plain.value)


def test_numbers_that_were_given_stay_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "STORED", 0)
    stack = Stack(10**9)
    for start in (0, 2):
        columns = {"x": Column(numbers=np.array([1.5, 2.0]) + start)}
        stack.add(columns, np.arange(start, start + 2))
    assert stack.columns()["x"].from_numbers
    assert stack.columns()["x"].numbers.tolist() == [1.5, 2.0, 3.5, 4.0]


def test_a_text_after_many_empty_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "STORED", 0)
    texts = [None] * 5000
    texts[3333] = "x"  # type: ignore[call-overload]
    stack = Stack(10**9)
    stack.add({"a": Column.of(texts)}, np.arange(5000))
    assert stack.columns()["a"].cells[3330:3335].tolist() == [None, None, None, "x", None]


@pytest.mark.parametrize("words", ["No space left on device", "something else"])
def test_a_disk_that_is_full_is_said(words: str) -> None:
    error = DataError if "No space" in words else duckdb.IOException
    said = "no space is left" if error is DataError else words
    with pytest.raises(error, match=said), kept_on_disk():
        raise duckdb.IOException(f"IO Error: Could not write file: {words}")

"""JSON Lines and JSON: cells, lines, and lines that are no rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chainrule.data import Table, read_table
from chainrule.errors import DataError

Written = Callable[..., Table]


def test_an_object_a_line(written: Written) -> None:
    text = (
        '{"a": 1, "b": {"c": " x ", "d": [1, 2]}}\n\n{"a": null}\nno\n[1]\n{"a": true, "e": 2.50}\n'
    )
    table = written(text, name="t.jsonl")
    assert table.names == ["a", "b.c", "b.d", "e"]
    assert table.lines.tolist() == [1, 3, 6]
    assert [column.cells.tolist() for column in table.columns.values()] == [
        ["1", None, "True"],
        ["x", None, None],
        ["[1, 2]", None, None],
        [None, None, "2.5"],
    ]
    assert [(bad.line, bad.reason) for bad in table.rejected] == [
        (4, "not JSON: Expecting value"),
        (5, "no JSON object"),
    ]


def test_objects_tell_themselves_whatever_the_name(written: Written) -> None:
    assert written('{"a": 1}\n{"a": 2}\n', name="t.csv").names == ["a"]
    assert written('{"a", "b"}\n1,2\n', name="t.csv").lines[-1] == 2
    assert written('{"a": 1}\n', name="t.jsonl", names=["z"]).names == ["z"]


@pytest.mark.parametrize(
    "text",
    [
        '[{"a": 1}, {"a": 2}]',
        '[\n {"a": 1},\n {"a": 2}\n]\n',
        '{\n "a": [1, 2]\n}',
        '{"a": [1, 2], "b": ["x", "y"]}',
        '{"count": 2, "data": [{"a": 1}, {"a": 2}]}',
    ],
)
def test_a_json_file_as_a_whole(written: Written, text: str) -> None:
    assert written(text, name="t.json").column("a").numbers.tolist() == [1, 2]


def test_a_row_of_lists_is_a_row_where_the_name_says_lines(written: Written) -> None:
    assert len(written('{"a": [1, 2], "b": [3, 4]}', name="t.jsonl")) == 1
    assert len(written('{"a": [1, 2], "b": [3]}', name="t.json")) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("{}\n{}\n", "without any cells"),
        ("[]", "holds no table"),
        ("3", "holds no table"),
        ('{"a": []}x', "cannot be read as JSON"),
        ("[" * 100_000, "cannot be read as JSON"),
        ('{"a": 1}\nx\ny\n', "2 of its lines are no JSON objects"),
    ],
)
def test_json_that_is_no_table(written: Written, text: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        written(text, name="t.json")


texts = st.text(st.characters(codec="utf-8"), max_size=6)
scalars = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | texts


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.fixed_dictionaries({"a": scalars, "b c": scalars}), min_size=1, max_size=6))
def test_what_is_written_is_read_back(tmp_path: Path, rows: list[dict[str, object]]) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    table = read_table(path)
    for name in ("a", "b c"):
        given_cells = [row[name] for row in rows]
        expected = [None if v is None else str(v).strip() or None for v in given_cells]
        assert table.column(name).cells.tolist() == expected
    assert table.lines.tolist() == list(range(1, len(rows) + 1))

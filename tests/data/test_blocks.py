"""A long file in blocks: the rows and lines that it has when it is read whole."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chainrule.data import Table, read_table
from chainrule.data.blocks import read_blocks
from chainrule.data.met import MOST_TEXTS, Met, MetColumn


def joined(tables: list[Table]) -> tuple[dict[str, list[object]], list[int]]:
    first = tables[0]
    cells = {
        name: [cell for t in tables for cell in t.column(name).cells.tolist()]
        for name in first.names
    }
    return cells, np.concatenate([t.lines for t in tables]).tolist()


cell = st.text('ab,"\n 1.5é', max_size=6).filter(lambda text: text == text.strip())


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(st.tuples(st.integers(0, 999), cell), min_size=4, max_size=30))
def test_blocks_are_the_whole(tmp_path: Path, rows: list[tuple[int, str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([("place", "note", "kind"), *((*row, "usual") for row in rows)])
    path = tmp_path / "t.csv"
    path.write_text(text.getvalue())
    tables = list(read_blocks(str(path), block=64))
    assert joined(tables) == joined([read_table(path)])
    if len(text.getvalue()) > 400:
        assert len(tables) > 1


@pytest.mark.parametrize("header", [True, False])
def test_the_first_block_tells_how_all_are_written(tmp_path: Path, header: bool) -> None:
    lines = [f"{i},5;Zürich;{i % 7}" for i in range(60)]
    text = "\n".join(["size;city;day", *lines] if header else lines)
    (tmp_path / "t.csv").write_bytes(text.encode("cp1252"))
    source = str(tmp_path / "t.csv")
    tables = list(read_blocks(source, block=200))
    whole = read_table(source)
    assert len(tables) > 3
    assert all(table.named is header for table in tables)
    assert joined(tables) == joined([whole])
    assert tables[-1].column("-1").numbers[-1] == 59 % 7


def test_lines_that_are_no_rows_keep_their_place(tmp_path: Path) -> None:
    lines = ["a,b", *(f"{i},x" for i in range(50)), "1,2,3,4", *(f"{i},y" for i in range(50))]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    tables = list(read_blocks(str(tmp_path / "t.csv"), block=100))
    assert [bad.line for table in tables for bad in table.rejected] == [52]


def test_quotes_that_never_close_do_not_hold_everything_back(tmp_path: Path) -> None:
    lines = ["a,b", *(f'{i},5" pipe' if i == 3 else f"{i},x" for i in range(300))]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    tables = list(read_blocks(str(tmp_path / "t.csv"), block=100))
    assert sum(map(len, tables)) + sum(len(t.rejected) for t in tables) >= 250


def test_what_is_no_long_text_is_one_table(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"a": 1}\n' * 100)
    (tmp_path / "t.csv").write_bytes("a,b\n1,2\n".encode("utf-16") * 50)
    for source in (str(tmp_path / "t.jsonl"), "courier"):
        (table,) = read_blocks(source, block=50)
        assert joined([table]) == joined([read_table(source)])


def test_what_blocks_held_is_counted_together() -> None:
    one = MetColumn(name="a", missing=1, unseen={str(i): 1 for i in range(800)}, bad=[])
    two = MetColumn(name="a", missing=2, unseen={str(i): 2 for i in range(700, 1400)}, bad=[])
    met = Met(rows=5, columns=[one], extra=["x"]).joined(Met(rows=6, columns=[two], extra=["y"]))
    (column,) = met.columns
    assert (met.rows, met.extra, column.missing) == (11, ["x", "y"], 3)
    assert len(column.unseen) == MOST_TEXTS + 1
    assert sum(column.unseen.values()) == 800 + 1400

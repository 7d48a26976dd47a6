"""Parquet files and SQL over files."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest

from chainrule.data import prepare, read_table
from chainrule.data.stored_column import StoredColumn
from chainrule.errors import DataError

MADE = """
select i::integer as id, i / 4 as x, 'c' || i % 2 as c, 9007199254740993 + i as big,
  date '2020-01-30' + i::integer as day, i % 2 = 0 as even,
  case when i = 1 then null else i end as gap, 1.50::decimal(5, 2) as price
from range(3) t(i)
"""


@pytest.fixture
def parquet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    duckdb.sql(MADE).write_parquet("t.parquet")
    return tmp_path / "t.parquet"


def test_a_parquet_file_keeps_its_types(parquet: Path) -> None:
    table = read_table(parquet)
    assert {name: column.cells.tolist() for name, column in table.columns.items()} == {
        "id": ["0", "1", "2"],
        "x": ["0", "0.25", "0.5"],
        "c": ["c0", "c1", "c0"],
        "big": ["9007199254740993", "9007199254740994", "9007199254740995"],
        "day": ["2020-01-30", "2020-01-31", "2020-02-01"],
        "even": ["true", "false", "true"],
        "gap": ["0", None, "2"],
        "price": ["1.5", "1.5", "1.5"],
    }
    assert table.lines.tolist() == [1, 2, 3]
    assert read_table(parquet, names=list("abcdefgh")).names == list("abcdefgh")


def test_a_parquet_file_whatever_its_name(parquet: Path) -> None:
    other = parquet.with_name("it's [1]*.csv")
    parquet.rename(other)
    assert len(read_table(other)) == 3


def test_a_query_over_files(parquet: Path) -> None:
    Path("more.csv").write_text("id,y\n0,5\n2,7\n")
    table = read_table(
        "SELECT c, x, y FROM 't.parquet' JOIN 'more.csv' USING (id) WHERE x >= 0 ORDER BY id;"
    )
    assert table.names == ["c", "x", "y"]
    np.testing.assert_array_equal(table.column("y").numbers, [5, 7])
    assert len(read_table("with a as (from 't.parquet') select * from a")) == 3
    assert read_table("from 't.parquet' select x, x + 1").names == ["x", "(x + 1)"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("select 1 from", "cannot be read"),
        ("select * from 'none.parquet'", "cannot be read"),
        ("select * from 't.parquet' where x > 9", "has no rows"),
        ("select 1; select 2", "is not one select"),
        ("with a as (select 1) insert into b select * from a", "is not one select"),
        ("select '" + "x" * 5000, "cannot be read"),
    ],
)
def test_queries_that_give_no_table(parquet: Path, query: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_table(query)


MIXED = """
select i as number, (i * 7919 % 1009) / 8 as price, ['a', 'b', ' c'][1 + i % 3] as kind,
    if(i % 50 = 7, null, (i * 7919 % 1009)::double) as whole, (i * 31 % 17)::utinyint as small,
    date '2020-01-01' + (i % 90)::int as day, i % 2 = 0 as even, (i % 9 / 10)::float as tenth,
    1.5::decimal(5, 2) + i % 3 as step, if(i % 60 = 3, '?', 'x' || (i % 4)) as code
from range(400) as rows(i)
"""


@pytest.mark.parametrize("by", ["parquet", "query"])
def test_rows_too_many_for_memory_are_prepared_as_others(
    by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mixed.parquet"
    duckdb.sql(MIXED).write_parquet(str(path))
    source = str(path) if by == "parquet" else f"select * from '{path}' order by number"
    plain = read_table(source)
    monkeypatch.setattr("chainrule.data.sources.query.fits", lambda size: False)
    stored = read_table(source)
    assert all(isinstance(column, StoredColumn) for column in stored.columns.values())
    for name in plain.names:
        ours, theirs = stored.column(name), plain.column(name)
        np.testing.assert_array_equal(ours.numbers, theirs.numbers)
        np.testing.assert_array_equal(ours.missing, theirs.missing)
    ours, theirs = prepare(stored, "price"), prepare(plain, "price")
    assert ours.preparation.to_json() == theirs.preparation.to_json()
    np.testing.assert_array_equal(ours.train.numbers, theirs.train.numbers)
    np.testing.assert_array_equal(ours.test.lines, theirs.test.lines)

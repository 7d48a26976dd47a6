"""A column on disk answers as one in memory does, whatever the cells are."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chainrule.data import Table, inspect_table, prepare, read_table
from chainrule.data import scan as scanning
from chainrule.data.room import LEAST, allowed
from chainrule.data.store import scratch
from chainrule.data.stored_column import StoredColumn

TEXTS = st.one_of(
    st.sampled_from(["", "1", "1.0", "1.50", "007", "?", "NA", "n.d.", "1_0", "٣", "-0", "1e3"]),
    st.sampled_from([" 1", "\t2.5 ", "x\t", "  "]),
    st.integers(-(10**20), 10**20).map(str),
    st.floats(allow_nan=False).map(repr),
    st.text("aä \u00e9x", max_size=4),
)

PRICES = st.integers(-(10**17), 10**17).map(lambda cents: f"{cents // 100}.{cents % 100:02d}")


def written(path: Path, columns: list[list[str]]) -> str:
    lines = [",".join(f"c{i}" for i in range(len(columns)))]
    lines += [",".join(row) for row in zip(*columns, strict=True)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def both(source: str, monkeypatch: pytest.MonkeyPatch, header: bool = True) -> tuple[Table, Table]:
    """The table in memory, and on disk."""
    plain = read_table(source, header=header)
    monkeypatch.setattr(scanning, "STORED", 0)
    return plain, read_table(source, header=header)


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(st.tuples(TEXTS, st.floats(-1e6, 1e6).map(str), PRICES), min_size=3, max_size=30)
)
def test_a_stored_column_answers_as_one_in_memory(
    rows: list[tuple[str, str, str]], tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        columns = [list(column) for column in zip(*rows, strict=True)]
        plain, stored = both(written(tmp_path / "t.csv", columns), patch)
    some = np.array([len(rows) - 1, 0, 2])
    for table in (slice(None), some, np.arange(1, len(rows))):
        for name in plain.names:
            ours, theirs = stored.column(name), plain.column(name)
            if not isinstance(table, slice):
                ours, theirs = ours.take(table), theirs.take(table)
            assert ours.cells.tolist() == theirs.cells.tolist()
            np.testing.assert_array_equal(ours.numbers, theirs.numbers)
            np.testing.assert_array_equal(ours.missing, theirs.missing)
            assert [ours.values[c] for c in ours.codes] == theirs.cells.tolist()
            assert ours.at(np.array([1, 0])).tolist() == theirs.cells[[1, 0]].tolist()
            assert len(set(ours.identity.tolist())) == len(set(theirs.identity.tolist()))
            assert ours.same_as("1.50").tolist() == theirs.same_as("1.50").tolist()
            assert ours.blank == theirs.blank


def test_rows_of_rows_in_any_order_and_with_other_markers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, stored = both(mixed_table(tmp_path), monkeypatch, header=False)
    shuffled = np.random.default_rng(0).permutation(len(plain))
    for name in plain.names:
        ours, theirs = stored.column(name).take(shuffled), plain.column(name).take(shuffled)
        ours, theirs = ours.marked(["n.d.", "a"]), theirs.marked(["n.d.", "a"])
        for rows in (np.arange(5, 250), np.arange(200, 3, -7), np.array([20, 3, 5])):
            ours, theirs = ours.take(rows), theirs.take(rows)
            np.testing.assert_array_equal(ours.numbers, theirs.numbers)
            np.testing.assert_array_equal(ours.missing, theirs.missing)
            np.testing.assert_array_equal(ours.bad, theirs.bad)
            assert [ours.values[c] for c in ours.codes] == theirs.cells.tolist()


def mixed_table(path: Path) -> str:
    """Numbers, some of them bad or missing, categories, dates, a repeated row."""
    noise = np.random.default_rng(0)
    size = [f"{x:.2f}" for x in noise.normal(5, 1, 300)]
    size[7], size[20] = "n.d.", ""
    kind = noise.choice(["a", "b", "c"], 300).tolist()
    day = [str(np.datetime64("2020-01-01") + int(d)) for d in noise.integers(0, 900, 300)]
    price = [str(x) for x in noise.integers(0, 10**6, 300)]
    columns = [[*column, column[3]] for column in (size, kind, day, price)]
    return written(path / "mixed.csv", columns)


def test_what_is_found_and_prepared_is_the_same_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, stored = both(mixed_table(tmp_path), monkeypatch)
    assert inspect_table(plain).model_dump() == inspect_table(stored).model_dump()
    ours, theirs = prepare(stored, "c3"), prepare(plain, "c3")
    assert ours.preparation.to_json() == theirs.preparation.to_json()
    assert ours.report == theirs.report
    np.testing.assert_array_equal(ours.train.numbers, theirs.train.numbers)
    np.testing.assert_array_equal(ours.test.lines, theirs.test.lines)


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("odd", [["1.50", "?", "n.d.", "", "007"], []])
def test_texts_after_the_first_rows_of_columns_of_numbers(
    odd: list[str], header: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(0)
    numbers = [[f"{x:.2f}" for x in noise.normal(5, 1, 2300)] for _ in range(3)]
    for row, text in enumerate(odd, start=2100):
        numbers[row % 2][row] = text
    path = tmp_path / "t.csv"
    lines = ["a,b,c"] * header + [",".join(row) for row in zip(*numbers, strict=True)]
    path.write_text("\n".join(lines) + "\n")
    plain = read_table(str(path), header=header)
    monkeypatch.setattr(scanning, "STORED", 0)
    stored = read_table(str(path), header=header)
    for name in plain.names:
        ours, theirs = stored.column(name), plain.column(name)
        assert isinstance(ours, StoredColumn)
        assert ours.store._shared[ours.place].startswith("odd" if odd or header else "null")
        assert ours.cells.tolist() == theirs.cells.tolist()
        np.testing.assert_array_equal(ours.numbers, theirs.numbers)
        np.testing.assert_array_equal(ours.missing, theirs.missing)
    assert prepare(stored, 3).preparation.to_json() == prepare(plain, 3).preparation.to_json()


def test_rows_are_read_piece_by_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = mixed_table(tmp_path)
    plain = prepare(read_table(source), "c3")
    monkeypatch.setattr(scanning, "STORED", 0)
    monkeypatch.setattr("chainrule.data.stored_column.AT_ONCE", 7)
    monkeypatch.setattr("chainrule.data.lines.PIECE", 64)
    monkeypatch.setattr("chainrule.data.encoded.fits", lambda size: False)
    monkeypatch.setattr("chainrule.data.encoded.rows_at_once", lambda size: 2000 // size)
    with allowed(LEAST // 1000):  # nothing is kept for long
        pieces = prepare(read_table(source), "c3")
    assert pieces.preparation.to_json() == plain.preparation.to_json()
    assert pieces.report == plain.report
    np.testing.assert_array_equal(pieces.train.numbers, plain.train.numbers)
    np.testing.assert_array_equal(pieces.test.lines, plain.test.lines)


def test_texts_that_are_too_many_are_not_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(0)
    size = [f"{x:.2f}" for x in noise.normal(5, 1, 400)]
    key = [f"k{x:x}" if x % 200 else "?" for x in noise.permutation(400)]
    user = noise.choice([f"u{x}" for x in range(60)], 400).tolist()
    said = [
        " ".join(noise.choice(["good", "bad", "day", "Night"], 5)) + f" {i % 99}"
        for i in range(400)
    ]
    columns = [[*column, column[3]] for column in (size, key, user, said)]
    plain, stored = both(written(tmp_path / "t.csv", columns), monkeypatch)
    monkeypatch.setattr("chainrule.data.store.MOST_TEXTS", 50)
    monkeypatch.setattr("chainrule.data.stored_column.AT_ONCE", 100)
    ours, theirs = stored.column("c1"), plain.column("c1")
    assert ours.hashes is not None
    assert len(set(ours.hashes.tolist())) == len(set(theirs.cells.tolist()))
    np.testing.assert_array_equal(ours.missing, theirs.missing)
    some = np.arange(50, 120)
    assert len(ours.take(some).values) <= 70
    assert [ours.take(some).values[c] for c in ours.take(some).codes] == theirs.cells[some].tolist()
    found, expected = inspect_table(stored), inspect_table(plain)
    assert [(k.kind, k.distinct, k.missing) for k in found.columns] == [
        (k.kind, k.distinct, k.missing) for k in expected.columns
    ]
    assert found.usable == expected.usable
    prepared = prepare(stored, "c0")
    assert prepared.preparation.left_out["c1"].startswith("hardly any of its")
    assert prepared.preparation.to_json() == prepare(plain, "c0").preparation.to_json()


def test_the_folder_goes_with_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, stored = both(mixed_table(tmp_path), monkeypatch)
    column = stored.column("c0")
    assert isinstance(column, StoredColumn)
    folder = column.store.folder
    assert folder.is_dir()
    del stored, column
    assert not folder.exists()


def test_what_a_killed_process_left_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ended = subprocess.Popen(["true"])
    ended.wait()
    left = tmp_path / f"chainrule-{ended.pid}-x"
    running = tmp_path / f"chainrule-{os.getppid()}-x"
    left.mkdir()
    running.mkdir()
    scratch()
    assert not left.exists()
    assert running.is_dir()

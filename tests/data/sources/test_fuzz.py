"""Damaged and made-up bytes of every kind: a table that can be prepared, or a DataError."""

from __future__ import annotations

import gzip
import io
from contextlib import suppress
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chainrule.data import inspect_table, prepare, read_table
from chainrule.errors import DataError

ROWS = b'a;b;"c"\n1,5;x;3\n2.000,25;"y\ny";4\n' + b"".join(
    f"{row},5;{'uvw'[row % 3]};{row % 7}\n".encode() for row in range(24)
)


def saved(**arrays: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def one(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def workbook() -> bytes:
    openpyxl = pytest.importorskip("openpyxl")
    pytest.importorskip("python_calamine")
    made = openpyxl.Workbook()
    made.active.append(["a", "b"])
    made.active.append([1, "x"])
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


@pytest.fixture(scope="module")
def parquet(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("p") / "t.parquet"
    duckdb.sql("select i, 'x' || i as t from range(9) r(i)").write_parquet(str(path))
    return path.read_bytes()


SAMPLES = {
    "t.csv": lambda: ROWS,
    "t.csv.gz": lambda: gzip.compress(ROWS),
    "t.tsv": lambda: ROWS.decode().encode("utf-16"),
    "t.jsonl": lambda: b'{"a": 1, "b": {"c": "\\u00e9"}}\n{"a": [1, 2.5]}\n{"a": null}\n',
    "t.json": lambda: b'[{"a": 1}, {"a": "x"}]',
    "t.npy": lambda: one(np.arange(6.0).reshape(3, 2)),
    "t.npz": lambda: saved(x=np.arange(3), y=np.array(["a", "b", "c"])),
    "t.xlsx": workbook,
}

often = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
edits = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=12)


def damaged(raw: bytes, changes: list[tuple[int, int]], cut: int) -> bytes:
    """The bytes with some set anew, and without the last few."""
    made = bytearray(raw)
    for place, byte in changes:
        made[place % len(raw)] = byte
    return bytes(made[: len(raw) - cut])


def tried(path: Path, raw: bytes) -> None:
    path.write_bytes(raw)
    with suppress(DataError):
        table = read_table(path)
        assert len(table) > 0
        assert all(len(column) == len(table) for column in table.columns.values())
        assert [kind.name for kind in inspect_table(table).columns] == table.names
        prepare(table, -1)


@pytest.mark.parametrize("name", SAMPLES)
@often
@given(changes=edits, cut=st.integers(0, 3))
def test_damaged_files(tmp_path: Path, name: str, changes: list[tuple[int, int]], cut: int) -> None:
    tried(tmp_path / name, damaged(SAMPLES[name](), changes, cut))


@often
@given(changes=edits, cut=st.integers(0, 3))
def test_damaged_parquet(
    tmp_path: Path, parquet: bytes, changes: list[tuple[int, int]], cut: int
) -> None:
    tried(tmp_path / "t.parquet", damaged(parquet, changes, cut))


STARTS = [b"", b"PAR1", b"PK\x03\x04", b"\x93NUMPY", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xff\xfe"]
STARTS += [b"\xd0\xcf\x11\xe0", b"{", b"[", b"a,b\n", b"\xef\xbb\xbf", b"\x00a\x00,"]


@often
@given(
    start=st.sampled_from(STARTS),
    rest=st.binary(max_size=120),
    suffix=st.sampled_from(["csv", "tsv", "json", "parquet", "npz", "xlsx", "gz", "zst", "txt"]),
)
def test_made_up_files(tmp_path: Path, start: bytes, rest: bytes, suffix: str) -> None:
    tried(tmp_path / f"t.{suffix}", start + rest)


@often
@given(st.text(max_size=30) | st.text("*?[]/.-\0'select from", max_size=20))
def test_made_up_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    if name != "-":
        with suppress(DataError):
            read_table(name)

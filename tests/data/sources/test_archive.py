"""Packed files: bzip2, xz, zip."""

import bz2
import io
import lzma
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

from chainrule.data import read_table
from chainrule.errors import DataError

ROWS = b"a;b\n1;x\n2;y\n"


def zipped(**files):
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("MACOSX", "__MACOSX"), content)
    return raw.getvalue()


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("t.csv.bz2", bz2.compress(ROWS)),
        ("t.csv.xz", lzma.compress(ROWS)),
        ("t.zip", zipped(inside=ROWS)),
        ("t.csv", zipped(folder__inside=ROWS, MACOSX__inside=b"junk")),
    ],
)
def test_packed_tables(tmp_path, name, raw):
    (tmp_path / name).write_bytes(raw)
    assert read_table(tmp_path / name).column("b").cells.tolist() == ["x", "y"]


def test_a_zip_file_of_several_files_is_refused(tmp_path):
    (tmp_path / "t.zip").write_bytes(zipped(a=ROWS, b=ROWS))
    with pytest.raises(DataError, match="holds 2 files") as caught:
        read_table(tmp_path / "t.zip")
    assert "unpack it" in caught.value.hint


@pytest.mark.parametrize("raw", [zipped(a=ROWS)[:-9], b"PK\x03\x04", bz2.compress(ROWS)[:-3]])
def test_damaged_packings(tmp_path, raw):
    pytest.importorskip("python_calamine")
    (tmp_path / "t.zip").write_bytes(raw)
    with pytest.raises(DataError):
        read_table(tmp_path / "t.zip")


def test_arrays_from_standard_input(monkeypatch):
    raw = io.BytesIO()
    np.savez(raw, x_train=np.eye(3), y_train=np.arange(3), x_test=np.eye(3), y_test=np.arange(3))
    stream = SimpleNamespace(buffer=io.BytesIO(raw.getvalue()), isatty=lambda: False)
    monkeypatch.setattr("sys.stdin", stream)
    table = read_table("-")
    assert (len(table), len(table.given["test"])) == (3, 3)

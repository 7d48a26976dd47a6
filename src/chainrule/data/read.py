"""Reading a table from whatever a person has: one function that chooses among the sources."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import as_file
from pathlib import Path
from typing import Any

from chainrule.data.builtin import BUILTIN, Builtin, resource
from chainrule.data.layout import Familiar
from chainrule.data.sources import archive
from chainrule.data.sources.content import Content
from chainrule.data.sources.excel import from_excel
from chainrule.data.sources.folders import are_rows, from_files, from_folder
from chainrule.data.sources.frames import from_frame, from_memory
from chainrule.data.sources.hub import HUB, from_hub
from chainrule.data.sources.jsonl import from_json, looks_like_json
from chainrule.data.sources.many import from_many, matching
from chainrule.data.sources.numpy_files import from_numpy
from chainrule.data.sources.query import from_parquet, from_query, is_query
from chainrule.data.sources.reading import Reading
from chainrule.data.sources.text import from_text
from chainrule.data.sources.titles import renamed
from chainrule.data.table import Table
from chainrule.errors import DataError, nearest

STANDARD_INPUT = "-"


def read_table(
    source: Any,
    names: Sequence[str] | None = None,
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
    decimal: str | None = None,
    header: bool | None = None,
    sheet: str | None = None,
    like: Familiar | None = None,
) -> Table:
    """A table from a file, a folder, a query, a built-in name, the hub, or data in memory.

    Files: CSV and TSV in any layout, JSON Lines, Parquet, workbooks, .npy and .npz, also packed
    (.gz, .zst, .bz2, .xz, .zip); "-" is standard input; a pattern such as "houses/*.csv" all files
    that it fits; a folder holds images, texts or sounds in a subfolder for each class. "select ..."
    is SQL over files, "hf://owner/name" a dataset of Hugging Face's hub. In memory: a dict of
    columns, a list of dicts, an array, a dataset, or a pandas, polars or pyarrow frame.

    `names` are for a file without a header: one for each column, in order. The others say what
    else is found out: the `delimiter` between cells, the `encoding`, the `decimal` of numbers
    ("." or ","), whether the first row is a `header`, and the `sheet` of a workbook. `like`, what
    the table is expected to be like, decides what the source leaves open. DataError if
    there is no such source, if it is empty or has only a header, if `names` are not one for each
    column, or if its layout cannot be told; SettingError for a layout that cannot be.

    >>> read_table([{"x": 1, "y": "a"}, {"x": 2, "y": "b"}])
    Table(2 rows; x, y)
    >>> read_table("courier")
    Table(200 rows; kilograms, charge)
    """
    named = None if names is None else tuple(names)
    reading = Reading(named, delimiter, encoding, decimal, header, sheet, like or Familiar())
    if isinstance(source, str | Path):
        return _from_name(str(source), reading)
    return from_memory(source, reading)


def on_disk(source: str) -> Path | None:
    """The file or folder that a text names, or None; a query is none, whatever its length.

    >>> on_disk("select 1") is None
    True
    """
    try:
        return Path(source) if not is_query(source) and Path(source).exists() else None
    except (OSError, ValueError):  # too long, or with a zero: no path
        return None


def whole_source(source: str) -> str:
    """A source with its whole path, if it is on disk, so that it can be read from elsewhere.

    >>> whole_source("hf://me/cats")
    'hf://me/cats'
    """
    return str(Path(source).absolute()) if on_disk(source) or matching(source) else source


def source_name(source: str) -> str:
    """A short name for a source, to call files and folders after.

    >>> source_name("data/houses.csv.gz"), source_name("hf://me/cats"), source_name("select 1")
    ('houses', 'cats', 'query')
    """
    if source == STANDARD_INPUT or is_query(source):
        return "input" if source == STANDARD_INPUT else "query"
    stem = Path(source).name.partition(".")[0]
    return "".join(c for c in stem if c.isalnum() or c in "-_ ") or "table"


def _from_name(name: str, reading: Reading) -> Table:
    """What a text stands for; a file goes before a built-in table of the same name."""
    if is_query(name):
        return from_query(name, reading)
    if name.startswith(HUB):
        return renamed(from_hub(name, from_frame, reading.like.shapes), reading)
    if name == STANDARD_INPUT:
        return _from_content(Content.standard_input(), reading)
    path = on_disk(name)
    files = [path] if path is not None and not path.is_dir() else matching(name)
    if are_rows(files, reading.like):
        return renamed(from_files(files, name, reading), reading)
    if path is not None and not path.is_dir():
        return _from_content(Content(name, path), reading)
    if name in BUILTIN:
        return _from_builtin(BUILTIN[name])
    if path is not None:
        return renamed(from_folder(path, name, reading), reading)
    if files:
        return from_many(files, name, lambda path: _from_content(Content(str(path), path), reading))
    raise DataError(f"there is no file {name}", hint=_close_file(Path(name)))


def _from_content(content: Content, reading: Reading) -> Table:
    """A table from bytes, of the kind that their beginning tells."""
    head = content.head
    if head.startswith(b"PAR1"):
        return from_parquet(content, reading)
    if head.startswith(archive.START):
        return _from_archive(content, reading)
    if head.startswith(b"\x93NUMPY") or (head.startswith(b"PK") and content.suffix == ".npz"):
        return from_numpy(content, reading)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return from_excel(content, reading)
    if looks_like_json(content):
        return from_json(content, reading)
    return from_text(content, reading)


def _from_archive(content: Content, reading: Reading) -> Table:
    """A table from a zip file, of the kind that the files in it tell."""
    files = archive.files_of(content)
    if archive.holds_arrays(files) or content.suffix == ".npz":
        return from_numpy(content, reading)
    if archive.holds_sheets(files):
        return from_excel(content, reading)
    return _from_content(archive.only_file(content, files), reading)


def _close_file(path: Path) -> str:
    """What a file name that does not exist was probably meant to be."""
    try:
        beside = [file.name for file in path.parent.iterdir() if file.is_file()]
    except (OSError, ValueError):
        beside = []
    close = nearest(path.name, [*BUILTIN, *beside])
    if close is None:
        return f"a path to a table, or a built-in one: {', '.join(BUILTIN)}"
    return f"did you mean {close if close in BUILTIN else path.parent / close}?"


def _from_builtin(builtin: Builtin) -> Table:
    """A built-in table, from its file or its recipe."""
    if builtin.recipe is not None:
        return builtin.recipe()
    assert builtin.file is not None
    with as_file(resource(builtin.file)) as path:
        return _from_content(Content(builtin.name, path), Reading())

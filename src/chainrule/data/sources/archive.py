"""Zip files: workbooks and NumPy's are some, and others hold a table as their only file."""

from __future__ import annotations

import io
import zipfile

from chainrule.data.report import named
from chainrule.data.sources.content import Content
from chainrule.data.sources.reading import decoding
from chainrule.errors import DataError

START = b"PK\x03\x04"

_OF_WORKBOOKS = ("[Content_Types].xml", "mimetype")


def files_of(content: Content) -> list[str]:
    """The files that a zip file holds, without those that macOS adds; none if it is damaged."""
    try:
        with zipfile.ZipFile(io.BytesIO(content.raw)) as archive:
            every = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return []
    return [name for name in every if not name.startswith("__MACOSX/")]


def holds_arrays(files: list[str]) -> bool:
    """Whether these are the files of a .npz file.

    >>> holds_arrays(["x_train.npy"]), holds_arrays(["[Content_Types].xml"])
    (True, False)
    """
    return bool(files) and all(name.endswith(".npy") for name in files)


def holds_sheets(files: list[str]) -> bool:
    """Whether these are the files of a workbook, or cannot be told."""
    return not files or any(name in _OF_WORKBOOKS for name in files)


def only_file(content: Content, files: list[str]) -> Content:
    """What a zip file holds; DataError if that is more than one file."""
    if len(files) > 1:
        raise DataError(
            f"{content.name} holds {len(files)} files",
            expected="a zip file with one table in it",
            got=named(files, limit=5),
            hint="unpack it, and name one of them, or all by a pattern such as 'folder/*.csv'",
        )
    with decoding(content.name, "a zip file"), zipfile.ZipFile(io.BytesIO(content.raw)) as archive:
        return Content(f"{content.name}/{files[0]}", raw=archive.read(files[0]))

"""The bytes of a source: from a file or standard input, unpacked, and on disk where needed."""

from __future__ import annotations

import bz2
import gzip
import lzma
import mmap
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from chainrule.data.lines import Text
from chainrule.data.sources.reading import decoding, installed
from chainrule.errors import DataError

MAPPED = 2**24
"""Larger files are mapped into memory, not read."""

ZSTD = b"\x28\xb5\x2f\xfd"
PACKINGS = {
    b"\x1f\x8b": ("a gzip file", gzip.decompress),
    b"BZh": ("a bzip2 file", bz2.decompress),
    b"\xfd7zXZ\0": ("an xz file", lzma.decompress),
}
"""By their first bytes, the packings that Python's own library undoes."""

PACKED = (ZSTD, *PACKINGS)
ENDINGS = (".gz", ".zst", ".bz2", ".xz")


class Content:
    """What a source holds: `raw` are its bytes, unpacked if they were packed (`ENDINGS`).

    `name` is what people call it, `suffix` its ending without that of the packing. Read from
    `path`, or given as `raw`.

    >>> Content("t.csv.gz", raw=gzip.compress(b"a,b")).raw
    b'a,b'
    """

    def __init__(self, name: str, path: Path | None = None, raw: bytes | None = None) -> None:
        self.name = name
        self.path = path
        self._given = raw
        suffixes = [suffix.lower() for suffix in Path(name).suffixes]
        kept = [suffix for suffix in suffixes if suffix not in ENDINGS]
        self.suffix = kept[-1] if kept else ""

    @classmethod
    def standard_input(cls) -> Content:
        """All of standard input; DataError if it is a terminal."""
        if sys.stdin is None or sys.stdin.isatty():
            raise DataError("standard input is a terminal", expected="a table piped into it")
        return cls("standard input", raw=sys.stdin.buffer.read())

    @cached_property
    def head(self) -> bytes:
        """The first bytes, by which most kinds of files can be told."""
        if self._packed_head.startswith(PACKED):
            return self.raw[:16]
        return self._packed_head

    @cached_property
    def _packed_head(self) -> bytes:
        if self.path is None:
            return (self._given or b"")[:16]
        with decoding(self.name, "a file"), self.path.open("rb") as file:
            return file.read(16)

    @cached_property
    def raw(self) -> bytes:
        """All bytes, unpacked."""
        if self.path is None:
            return unpacked(self._given or b"", self.name)
        with decoding(self.name, "a file"):
            return unpacked(self.path.read_bytes(), self.name)

    @property
    def _plain(self) -> bool:
        """Whether this is a file as it stands, not packed."""
        return self.path is not None and not self._packed_head.startswith(PACKED)

    @cached_property
    def text(self) -> Text:
        """All bytes, unpacked; those of a large file are mapped, not read."""
        if self.path is None or not self._plain or self.path.stat().st_size < MAPPED:
            return self.raw
        with decoding(self.name, "a file"), self.path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    @contextmanager
    def on_disk(self, content: Text | None = None) -> Iterator[Path]:
        """A file of `content`, or of what the source holds: its own where that is the same."""
        own = content is None or content is self.text
        if self._plain and self.path is not None and own:
            yield self.path
            return
        with tempfile.TemporaryDirectory(prefix="chainrule-") as folder:
            path = Path(folder) / "content"
            path.write_bytes(self.raw if content is None else content)
            yield path


def unpacked(raw: bytes, source: str) -> bytes:
    """Bytes as they were before gzip, bzip2, xz or Zstandard packed them."""
    if raw.startswith(ZSTD):
        return _from_zstandard(raw, source)
    for start, (kind, unpack) in PACKINGS.items():
        if raw.startswith(start):
            with decoding(source, kind):
                return unpack(raw)
    return raw


def _from_zstandard(raw: bytes, source: str) -> bytes:
    with installed("zst", "a .zst file"):
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    with decoding(source, "a Zstandard file"):
        return bytes(zstd.decompress(raw))

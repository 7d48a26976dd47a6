"""Arrays that stay on disk: written piece by piece, and read so that little is in memory."""

from __future__ import annotations

import mmap
import tempfile
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from chainrule.errors import DataError

AT_ONCE = 128
"""So many rows are mapped at a time: around each the system may map up to two million bytes."""


class DiskArray(np.memmap[Any, Any]):
    """An array in a file without a name, which is gone with it, however the process ends.

    Whatever is taken from it by an index is a copy in memory; the file's own pages are let go at
    once, so that going through all of it takes no more memory than the largest piece taken.
    """

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, np.ndarray) and key.ndim == 1 and key.dtype.kind in "iu":
            return self._rows(key)
        found = self.view(np.ndarray)[key]
        taken = found.copy() if np.may_share_memory(found, self) else found
        self._let_go()
        return taken

    def _rows(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Rows by their places, read in the order of the file."""
        whole, order = self.view(np.ndarray), np.argsort(rows)
        taken = np.empty((len(rows), *self.shape[1:]), self.dtype)
        for start in range(0, len(rows), AT_ONCE):
            some = order[start : start + AT_ONCE]
            taken[some] = whole[rows[some]]
            self._let_go()
        return taken

    def _let_go(self) -> None:
        mapped: mmap.mmap = self._mmap  # type: ignore[attr-defined]  # of np.memmap
        mapped.madvise(mmap.MADV_DONTNEED)


class Growing:
    """An array [rows, width] that is written to disk as its rows come.

    >>> with Growing(2, np.float32) as growing:
    ...     growing.add(np.ones((3, 2)))
    ...     growing.add(np.zeros((1, 2)))
    ...     growing.whole()[2:].tolist()
    [[1.0, 1.0], [0.0, 0.0]]
    """

    def __init__(self, width: int, dtype: DTypeLike) -> None:
        self.width, self.dtype, self.rows = width, np.dtype(dtype), 0
        self.file = tempfile.TemporaryFile()  # noqa: SIM115 (closed on leaving)

    def __enter__(self) -> Growing:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # what could not be written is told by now
            self.file.close()

    def add(self, piece: NDArray[Any]) -> None:
        """Write more rows; DataError if the disk is full."""
        self.rows += len(piece)
        try:
            self.file.write(np.ascontiguousarray(piece, self.dtype).data)
            self.file.flush()
        except OSError as problem:
            folder = tempfile.gettempdir()
            raise DataError(
                f"the prepared rows cannot be written to {folder}: {problem.strerror}",
                hint="another folder, TMPDIR=FOLDER, or all in memory, --memory SIZE",
            ) from None

    def whole(self) -> NDArray[Any]:
        """All rows that were written; they outlive the file's being closed."""
        if not self.rows * self.width:  # an empty file cannot be mapped
            return np.empty((self.rows, self.width), self.dtype)
        mapped = np.memmap(self.file, self.dtype, "r", shape=(self.rows, self.width))
        return mapped.view(DiskArray)

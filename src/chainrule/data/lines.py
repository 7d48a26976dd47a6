"""On which line of the file each row begins, exactly, whatever its cells contain."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Span = tuple[int, int]
"""The first line of something, counted from 0, and how many lines it takes."""


def row_lines(
    text: bytes, rows: int, rejected: Sequence[Span], breaks: Callable[[], NDArray[np.int64]]
) -> NDArray[np.int64]:
    """The 1-based line on which each row begins, int64 [rows].

    `text` is the whole file; `rejected` the lines that became no row; `breaks` counts the line
    breaks inside each row's cells, int64 [rows], and is asked only when there must be some.
    Blank lines between rows are skipped.

    >>> row_lines(b'a,b\\n1,"x\\ny"\\n\\n2,z\\n', 3, [], lambda: np.array([0, 1, 0])).tolist()
    [1, 2, 5]
    """
    parts = text.split(b"\n" if b"\n" in text else b"\r")
    if not parts[-1].strip():
        parts.pop()
    free = np.ones(len(parts), dtype=np.bool_)
    for start, length in rejected:
        free[start : start + length] = False
    if np.count_nonzero(free) == rows:
        return np.flatnonzero(free) + 1
    blank = np.fromiter((not part.strip(b"\r") for part in parts), np.bool_, len(parts))
    if np.count_nonzero(free & ~blank) == rows:
        return np.flatnonzero(free & ~blank) + 1
    return _walk(free, blank, breaks())


def _walk(
    free: NDArray[np.bool_], blank: NDArray[np.bool_], breaks: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Row after row: skip what is blank or rejected, then the lines that the row takes."""
    start = free & ~blank
    following = np.flatnonzero(start)
    begins = np.empty(len(breaks), dtype=np.int64)
    line = 0
    for row, inside in enumerate(breaks.tolist()):
        place = int(np.searchsorted(following, line))
        if place < len(following):
            line = int(following[place])
        begins[row] = line + 1
        line += 1 + inside
    return begins

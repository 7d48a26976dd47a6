"""On which line of the file each row begins, exactly, whatever its cells contain."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Text = bytes | mmap.mmap
"""What a file holds: read, or mapped where it is large."""

PIECE = 2**24

Span = tuple[int, int]
"""The first line of something, counted from 0, and how many lines it takes."""


def row_lines(
    text: Text, rows: int, rejected: Sequence[Span], breaks: Callable[[], NDArray[np.int64]]
) -> NDArray[np.int64]:
    """The 1-based line on which each row begins, int64 [rows].

    `text` is the whole file; `rejected` the lines that became no row; `breaks` counts the line
    breaks inside each row's cells, int64 [rows], and is asked only when there must be some.
    Blank lines between rows are skipped.

    >>> row_lines(b'a,b\\n1,"x\\ny"\\n\\n2,z\\n', 3, [], lambda: np.array([0, 1, 0])).tolist()
    [1, 2, 5]
    """
    ends = line_ends(text)
    blank = _blank(text, ends)
    free = np.ones(len(ends), dtype=np.bool_)
    for start, length in rejected:
        free[start : start + length] = False
    if np.count_nonzero(free) == rows:
        return np.flatnonzero(free) + 1
    if np.count_nonzero(free & ~blank) == rows:
        return np.flatnonzero(free & ~blank) + 1
    return _walk(free, blank, breaks())


def line_ends(text: Text) -> NDArray[np.int64]:
    """Where each line of a text ends, int64 [lines]; a last line need not end in a line break.

    >>> line_ends(b"a\\n\\nb").tolist()
    [1, 2, 4]
    """
    mark = b"\n" if text.find(b"\n") >= 0 else b"\r"
    found = [np.zeros(0, dtype=np.int64)]
    rest = b""
    for start, piece in pieces(text):
        bytes_of = np.frombuffer(piece, dtype=np.uint8)
        found.append(start + np.flatnonzero(bytes_of == mark[0]))
        rest = piece
    ends = np.concatenate(found)
    last = rest[rest.rfind(mark) + 1 :]
    return np.append(ends, len(text)) if last.strip() else ends


def _blank(text: Text, ends: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which lines hold nothing, int64 [lines]."""
    starts = np.append(0, ends[:-1] + 1)
    blank: NDArray[np.bool_] = ends - starts <= 2
    for line in np.flatnonzero(blank).tolist():
        blank[line] = not text[starts[line] : ends[line]].strip(b"\r")
    return blank


def pieces(text: Text) -> Iterator[tuple[int, bytes]]:
    """A text piece by piece, each with where it begins; memory goes back after each."""
    for start in range(0, len(text), PIECE):
        yield start, text[start : start + PIECE]
        if isinstance(text, mmap.mmap):
            text.madvise(mmap.MADV_DONTNEED)


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

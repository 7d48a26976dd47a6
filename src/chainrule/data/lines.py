"""On which line of the file each row begins, exactly, whatever its cells contain."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Text = bytes | mmap.mmap
"""What a file holds: read, or mapped where it is large."""

PIECE = 2**22

MOST_SMALL = 2**31 - 1
"""Up to here the places of rows take 4 bytes each, beyond 8."""

Span = tuple[int, int]
"""The first line of something, counted from 0, and how many lines it takes."""


def row_lines(
    text: Text, rows: int, rejected: Sequence[Span], breaks: Callable[[], NDArray[np.int64]]
) -> NDArray[Any]:
    """The 1-based line on which each row begins, int32 [rows], or int64 if there are very many.

    `text` is the whole file; `rejected` the lines that became no row; `breaks` counts the line
    breaks inside each row's cells, int64 [rows], and is asked only when there must be some.
    Blank lines between rows are skipped.

    >>> row_lines(b'a,b\\n1,"x\\ny"\\n\\n2,z\\n', 3, [], lambda: np.array([0, 1, 0])).tolist()
    [1, 2, 5]
    """
    blank = _blank(text)
    free = np.ones(len(blank), dtype=np.bool_)
    for start, length in rejected:
        free[start : start + length] = False
    if np.count_nonzero(free) == rows:
        return places(free) + 1
    if np.count_nonzero(free & ~blank) == rows:
        return places(free & ~blank) + 1
    return small(_walk(free, blank, breaks()))


def places(chosen: NDArray[np.bool_]) -> NDArray[Any]:
    """Where something holds, int32 [places], or int64 if there are very many.

    >>> places(np.array([True, False, True])).tolist()
    [0, 2]
    """
    at_once = 2**20
    pieces = [
        small(np.flatnonzero(chosen[start : start + at_once]) + start, len(chosen))
        for start in range(0, len(chosen), at_once)
    ]
    return np.concatenate([np.zeros(0, dtype=np.int32), *pieces])


def every_place(rows: int) -> NDArray[Any]:
    """0 to before `rows`, int32 [rows], or int64 if there are very many.

    >>> every_place(3).tolist()
    [0, 1, 2]
    """
    return np.arange(rows, dtype=np.int32 if rows < MOST_SMALL else np.int64)


def small(numbers: NDArray[Any], largest: int | None = None) -> NDArray[Any]:
    """Whole numbers from 0 on in 4 bytes each if they fit, as places of rows nearly always do."""
    if largest is None:
        largest = int(numbers.max(initial=0))
    return numbers.astype(np.int32 if largest < MOST_SMALL else np.int64)


def line_ends(text: Text) -> NDArray[np.int64]:
    """Where each line of a text ends, int64 [lines]; a last line need not end in a line break.

    >>> line_ends(b"a\\n\\nb").tolist()
    [1, 2, 4]
    """
    return np.concatenate([np.zeros(0, dtype=np.int64), *_ended(text)])


def _ended(text: Text) -> Iterator[NDArray[np.int64]]:
    """Where lines end, piece by piece."""
    mark = b"\n" if text.find(b"\n") >= 0 else b"\r"
    filled = False  # whether the line that has not ended holds something
    for start, piece in pieces(text):
        ends = np.flatnonzero(np.frombuffer(piece, dtype=np.uint8) == mark[0])
        rest = piece[piece.rfind(mark) + 1 :].strip()
        filled = bool(rest) or (filled and not len(ends))
        if start + len(piece) == len(text) and filled:
            ends = np.append(ends, len(piece))
        yield start + ends


def _blank(text: Text) -> NDArray[np.bool_]:
    """Which lines hold nothing, bool [lines]."""
    found, begins = [np.zeros(0, dtype=np.bool_)], 0
    for ends in _ended(text):
        begin = np.append(begins, ends[:-1] + 1)[: len(ends)]
        blank: NDArray[np.bool_] = ends - begin <= 2
        for line in np.flatnonzero(blank).tolist():
            blank[line] = not text[int(begin[line]) : int(ends[line])].strip(b"\r")
        found.append(blank)
        begins = int(ends[-1]) + 1 if len(ends) else begins
    return np.concatenate(found)


def pieces(text: Text) -> Iterator[tuple[int, bytes]]:
    """A text piece by piece, each with where it begins; memory goes back after each."""
    for start in range(0, len(text), PIECE):
        yield start, text[start : start + PIECE]
        _give_back(text)


def blocks(text: Text) -> Iterator[bytes]:
    r"""A text in pieces that end with a line; memory goes back after each.

    >>> list(blocks(b"a\nb"))
    [b'a\nb']
    """
    start = 0
    while start < len(text):
        end = text.find(b"\n", start + PIECE) + 1 or len(text)
        yield text[start:end]
        _give_back(text)
        start = end


def _give_back(text: Text) -> None:
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

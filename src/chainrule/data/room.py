"""How much memory the data may take: as it was said, or half of what the machine has free."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

LEAST = 64_000_000
"""With less than this nothing can be read."""

LEAST_ROWS = 1024
"""With fewer rows at a time nothing would be saved."""

_SIZE = re.compile(r"(\d+(?:\.\d+)?) *([kmgt]?)(i?)b?", re.IGNORECASE)

_allowed: ContextVar[int | None] = ContextVar("allowed", default=None)


@contextmanager
def allowed(memory: int | None) -> Iterator[None]:
    """Within this, data takes about so many bytes at most; None: as `free` says.

    >>> with allowed(500_000_000):
    ...     allowance()
    500000000
    """
    token = _allowed.set(memory)
    try:
        yield
    finally:
        _allowed.reset(token)


def allowance() -> int:
    """The bytes that data may take: what `allowed` says, else half of what is free."""
    said = _allowed.get()
    return max(LEAST, free() // 2) if said is None else said


def fits(size: int, memory: int | None = None) -> bool:
    """Whether an array of so many bytes is to be in memory: an eighth of `memory` at most.

    `memory` is what `allowance` says if not given.

    >>> fits(50_000_000, memory=500_000_000), fits(100_000_000, memory=500_000_000)
    (True, False)
    """
    return size <= (memory or allowance()) // 8


def rows_at_once(row_bytes: int, memory: int | None = None) -> int:
    """How many rows of something larger are in memory at a time: a sixteenth of `memory`.

    >>> rows_at_once(500, memory=500_000_000)
    62500
    """
    return max(LEAST_ROWS, (memory or allowance()) // 16 // max(1, row_bytes))


def as_bytes(size: object) -> int:
    """A size in words, such as 500MB or 2 GiB, or a number, in bytes.

    ValueError for what is no size, or less than 64MB.

    >>> as_bytes("500MB"), as_bytes("1.5 GiB"), as_bytes(123_000_000)
    (500000000, 1610612736, 123000000)
    """
    found = _SIZE.fullmatch(str(size).strip())
    if found is not None:
        power = " kmgt".index(found[2].lower() or " ")
        size_in_bytes = int(float(found[1]) * (1024 if found[3] else 1000) ** power)
    if found is None or size_in_bytes < LEAST:
        raise ValueError("a size of 64MB or more, such as 500MB or 2GB")
    return size_in_bytes


def free() -> int:
    """The bytes of memory that nobody uses."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        known = next(line for line in lines if line.startswith("MemAvailable:"))
        return int(known.split()[1]) * 1024
    except (OSError, StopIteration, ValueError):  # no Linux
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2

"""How much memory the data may take: as it was said, or half of what the machine has free."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

LEAST = 64 * 2**20
"""With less than this nothing can be read."""

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


def free() -> int:
    """The bytes of memory that nobody uses."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        known = next(line for line in lines if line.startswith("MemAvailable:"))
        return int(known.split()[1]) * 1024
    except (OSError, StopIteration, ValueError):  # no Linux
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2

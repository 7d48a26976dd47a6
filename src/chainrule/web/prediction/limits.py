"""What the service takes at most."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The most that a request may be, and the longest it may take; beyond, it is refused.

    `body`: bytes; `rows`: rows of one request; `seconds`: for reading a request, and for answering
    it; `waiting`: rows that wait for their turn, of all requests together.
    """

    body: int = 10_000_000
    rows: int = 10_000
    seconds: float = 30.0
    waiting: int = 100_000

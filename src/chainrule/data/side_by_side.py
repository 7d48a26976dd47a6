"""Work on the columns of a large table by several threads: NumPy and duckdb leave Python's lock."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar, cast

from chainrule.data.room import allowance

MANY = 100_000
"""With fewer rows starting threads takes longer than what they save."""

PLENTY = 1_000_000_000
"""With fewer bytes allowed for data one column after the other is looked at."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(work: Callable[[Item], Result], items: Iterable[Item], rows: int) -> list[Result]:
    """What `work` gives for each item, in their order; `rows` says how much work each is.

    >>> side_by_side(str.upper, ["a", "b"], rows=1_000_000)
    ['A', 'B']
    """
    every = list(items)
    threads = min(_cores(), len(every)) if rows >= MANY and allowance() >= PLENTY else 1
    results: list[Result | None] = [None] * len(every)
    waiting = iter(enumerate(every))  # shared: whoever is done takes the next

    def some() -> None:
        for place, item in waiting:
            results[place] = work(item)

    with ThreadPoolExecutor(max(1, threads - 1)) as others:
        # A context each: what memory is allowed is told by one.
        helping = [others.submit(copy_context().run, some) for _ in range(threads - 1)]
        some()
        for one in helping:
            one.result()
    return cast("list[Result]", results)


def _cores() -> int:
    """Those that this process may use."""
    may = getattr(os, "sched_getaffinity", None)
    return len(may(0)) if may else os.cpu_count() or 1

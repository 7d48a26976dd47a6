"""Threads for machine code: who runs it beside the caller, and how many it is worth."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from chainrule.errors import SettingError

_SOON, _SELDOM = 4, 100  # steps of the slower number between two trials, at first and at most
_SHORT = 0.02  # seconds that count as a step where steps are shorter
_IDLE = 0.02  # seconds without a call, after which the next one finds caches cold and says nothing
_FEW = 2  # steps of a call before anybody knows how long they take


class _Settings:
    most: int | None = None


def get_num_threads() -> int:
    """How many threads a native program may take: what was set, else CHAINRULE_THREADS, else all.

    >>> import chainrule as cr
    >>> cr.get_num_threads() >= 1
    True
    """
    if _Settings.most is not None:
        return _Settings.most
    given = os.environ.get("CHAINRULE_THREADS", "")
    if given.isdigit() and int(given) > 0:
        return int(given)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def set_num_threads(number: int) -> None:
    """Let native programs take at most this many threads; results do not depend on it.

    Raises SettingError for less than one.

    >>> import chainrule as cr
    >>> before = cr.get_num_threads()
    >>> cr.set_num_threads(1)
    >>> cr.get_num_threads()
    1
    >>> cr.set_num_threads(before)
    """
    if not isinstance(number, int) or number < 1:
        raise SettingError("no such number of threads", expected="1 or more", got=repr(number))
    _Settings.most = number


class Crew:
    """Threads that wait for work beside the one that calls."""

    def __init__(self) -> None:
        self._orders: list[SimpleQueue[Any]] = []
        self._busy = threading.Lock()

    def run(self, function: Callable[..., Any], arguments: tuple[Any, ...], threads: int) -> None:
        """`function(*arguments, thread, threads)` in every thread; alone while the crew is busy."""
        if threads == 1 or not self._busy.acquire(blocking=False):
            function(*arguments, 0, 1)
            return
        try:
            while len(self._orders) < threads - 1:
                self._hire()
            done: SimpleQueue[None] = SimpleQueue()
            for number in range(1, threads):
                self._orders[number - 1].put((function, (*arguments, number, threads), done))
            try:
                function(*arguments, 0, threads)
            finally:  # after Ctrl-C too: the others still write to the program's memory
                for _ in range(1, threads):
                    done.get()
        finally:
            self._busy.release()

    def _hire(self) -> None:
        orders: SimpleQueue[Any] = SimpleQueue()
        threading.Thread(target=self._work, args=(orders,), daemon=True).start()
        self._orders.append(orders)

    def _work(self, orders: SimpleQueue[Any]) -> None:
        while True:
            function, arguments, done = orders.get()
            function(*arguments)
            done.put(None)


CREW = Crew()


def _after_fork() -> None:
    """Threads are not there in a forked process: it hires its own."""
    CREW.__init__()  # type: ignore[misc]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class Choice:
    """How many threads a program takes: the number that is the quickest, as far as was seen.

    Both one and all are tried at the start, and the slower again for a moment, soon and then ever
    more seldom: other programs come and go.
    """

    def __init__(self, shares: bool, clock: Callable[[], float] = time.perf_counter) -> None:
        self.shares = shares  # whether it has anything for a second thread to do
        self.seconds: dict[int, float] = {}  # a step's, by number of threads
        self._clock, self._tried, self._ended = clock, clock(), clock()
        self._cold, self._apart = False, _SOON
        self._tries: dict[int, int] = {}

    def pick(self) -> int:
        """The number for the next call."""
        most = get_num_threads() if self.shares else 1
        if most == 1:
            return 1
        for number in (1, most):
            if self._tries.get(number, 0) < 2:  # the first call finds caches cold
                return number
        best = min((1, most), key=self.seconds.__getitem__)
        now = self._clock()
        self._cold = now - self._ended > _IDLE
        pause = self._apart * max(_SHORT, *self.seconds.values())
        if self._cold or now - self._tried < pause:
            return best
        self._tried, self._apart = now, min(2 * self._apart, _SELDOM)
        return 1 + most - best

    def steps(self, threads: int, seconds: float) -> int:
        """How many steps take so long; few of those that are only a trial."""
        if threads not in self.seconds:
            return _FEW
        took = self.seconds[threads]
        if took > min(self.seconds.values()):
            return max(1, int(seconds / 10 / took))
        return max(1, int(seconds / max(took, 1e-9)))

    def note(self, threads: int, seconds: float) -> None:
        """What a step took on so many threads."""
        self._ended = self._clock()
        tries = self._tries[threads] = self._tries.get(threads, 0) + 1
        before = self.seconds.get(threads, seconds)
        best = min(self.seconds.values(), default=before)
        if tries < 3:
            self.seconds[threads] = min(before, seconds)
        elif before > best:  # a trial, and they are rare: the last one counts
            self.seconds[threads] = seconds
            self._apart = _SOON if seconds < best else self._apart
        elif not self._cold:
            self.seconds[threads] = (before + seconds) / 2

"""Threads for machine code: who runs it beside the caller, and how many it is worth."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import cache
from queue import SimpleQueue
from typing import Any

from chainrule.errors import SettingError

_SOON, _SELDOM = 30, 1000  # steps of the slower number between two trials, at first and at most
_TRIAL = 3  # calls of a trial; the first finds caches cold and does not count
_LONG = 0.01  # seconds of a step that is a trial by itself: cold caches are little of it
_LAST = 5  # times of each number that are remembered
_SHORT = 0.02  # seconds that count as a step where steps are shorter
_IDLE = 0.02  # seconds without a call, after which the next one finds caches cold and says nothing
_SEVERAL = 1.1  # times as long as several threads take: what disturbs one of them holds up all
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


@cache
def _core_of() -> Callable[[], int] | None:
    """The C library's function that says which core this thread runs on, where there is one."""
    function = getattr(ctypes.CDLL(None), "sched_getcpu", None)
    return function if hasattr(os, "sched_setaffinity") else None


def core() -> int:
    """The core that this thread runs on; -1 where nobody knows."""
    function = _core_of()
    return -1 if function is None else function()


def leave(taken: int) -> None:
    """Go to another core than that one, if this thread is there.

    A thread wakes up where it was woken from, and Linux may take tens of milliseconds to move it.
    """
    if taken < 0 or core() != taken:
        return
    allowed = os.sched_getaffinity(0)
    if others := allowed - {taken}:
        os.sched_setaffinity(0, others)  # at once
        os.sched_setaffinity(0, allowed)


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
            here = core()
            for number in range(1, threads):
                order = function, (*arguments, number, threads), here, done
                self._orders[number - 1].put(order)
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
            function, arguments, taken, done = orders.get()
            leave(taken)
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
    more seldom: other programs come and go. What disturbs a step only ever makes it longer, so of
    the last few times of each number the shortest counts.
    """

    def __init__(self, shares: bool, clock: Callable[[], float] = time.perf_counter) -> None:
        self.shares = shares  # whether it has anything for a second thread to do
        self._seconds: dict[int, deque[float]] = {}  # of its last steps, by number of threads
        self._clock, self._tried, self._ended = clock, clock(), clock()
        self._apart, self._skips = _SOON, False
        self._trial: list[int] = []  # the numbers of the next calls

    @property
    def best(self) -> int:
        """The number that was the quickest so far; one before anything ran."""
        known = [number for number in self._numbers() if number in self._seconds]
        costs = {
            number: self.expected(number) * (_SEVERAL if number > 1 else 1) for number in known
        }
        return min(known, key=costs.__getitem__, default=1)

    @property
    def seconds(self) -> dict[int, float]:
        """What a step takes, by number of threads tried so far."""
        return {number: self.expected(number) for number in self._seconds}

    def expected(self, threads: int) -> float:
        """What a step takes on so many threads, in seconds."""
        return min(self._seconds[threads])

    def _numbers(self) -> tuple[int, ...]:
        """What there is to choose from."""
        most = get_num_threads() if self.shares else 1
        return (1,) if most == 1 else (1, most)

    def pick(self) -> int:
        """The number for the next call."""
        numbers, now = self._numbers(), self._clock()
        if numbers == (1,):
            return 1
        self._trial = [number for number in self._trial if number in numbers]  # the most may change
        if not self._trial and not self._seconds.keys() >= set(numbers):
            self._trial = [number for number in numbers for _ in range(_TRIAL)]
        self._skips = now - self._ended > _IDLE
        if not self._trial and not self._skips:
            pause = self._apart * max(_SHORT, *map(self.expected, numbers))
            if now - self._tried > pause:
                self._tried, self._apart = now, min(2 * self._apart, _SELDOM)
                other = sum(numbers) - self.best
                self._trial = [other] * (1 if self.expected(other) > _LONG else _TRIAL)
        if not self._trial:
            return self.best
        self._skips |= len(self._trial) > 1 and len(self._trial) % _TRIAL == 0  # the first of each
        return self._trial.pop(0)

    def steps(self, threads: int, seconds: float) -> int:
        """How many steps take so long; few of those that are only a trial."""
        if threads not in self._seconds:
            return _FEW
        took = self.expected(threads)
        if threads != self.best or len(self._seconds) == 1:
            seconds /= 5
        return max(1, int(seconds / max(took, 1e-9)))

    def note(self, threads: int, seconds: float) -> None:
        """What a step took on so many threads; it says nothing where caches were cold."""
        self._ended = self._clock()
        if not self._skips or threads not in self._seconds:
            before = self.best
            self._seconds.setdefault(threads, deque(maxlen=_LAST)).append(seconds)
            self._apart = self._apart if self.best == before else _SOON

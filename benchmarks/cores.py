"""Whether the second core is a whole one: on some machines it is at times the first one's other
hyperthread, and then nothing gains from two threads.
"""

from __future__ import annotations

import ctypes
import math
import threading
import time
from functools import cache
from typing import Any

import numpy as np

_CHAINS = 12  # independent sums, so that no multiplication waits for the one before
_TIMES = 5_000_000  # some ten milliseconds
_TRIES = 3


def second_thread() -> float:
    """How many times as much two threads multiply and add as one: 2.0 on two whole cores."""
    (alone,) = _seconds(1)
    return sum(alone / beside for beside in _seconds(2))


def _seconds(threads: int) -> list[float]:
    """What each of so many threads takes for the same work, by its own clock: the least of some
    tries. Starting a thread takes milliseconds, so they wait for each other first.
    """
    multiply = _library().function("multiply", ctypes.c_int64, ctypes.c_void_p)
    together = threading.Barrier(threads)
    found = [math.inf] * threads

    def work(number: int) -> None:
        memory = np.zeros(16 * _CHAINS, np.float32)
        for _ in range(_TRIES):
            together.wait()
            began = time.perf_counter()
            multiply(_TIMES, memory.ctypes.data)
            found[number] = min(found[number], time.perf_counter() - began)

    running = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return found


@cache
def _library() -> Any:
    """The machine code of `_text`, kept for as long as its function may be called."""
    from chainrule.compiler.llvm import Library, host

    return Library(_text(host().lanes))


def _text(lanes: int) -> str:
    """multiply(times, memory): a loop of a multiply-add for each chain; what is kept in memory
    cannot be left out.
    """
    kind, chains = f"<{lanes} x float>", range(_CHAINS)
    fma = f"@llvm.fma.v{lanes}f32"
    begun = [f"  %x{i} = phi {kind} [zeroinitializer, %entry], [%y{i}, %again]" for i in chains]
    summed = [
        f"  %y{i} = call {kind} {fma}({kind} %x{i}, {kind} %x{i}, {kind} %x{i})" for i in chains
    ]
    stored = [
        f"  %p{i} = getelementptr {kind}, ptr %memory, i64 {i}\n"
        f"  store {kind} %y{i}, ptr %p{i}, align 4"
        for i in chains
    ]
    return "\n".join(
        [
            f"declare {kind} {fma}({kind}, {kind}, {kind})",
            "define void @multiply(i64 %times, ptr %memory) {",
            "entry:\n  br label %again\nagain:",
            "  %i = phi i64 [0, %entry], [%next, %again]",
            *begun,
            *summed,
            "  %next = add i64 %i, 1\n  %done = icmp sge i64 %next, %times",
            "  br i1 %done, label %end, label %again\nend:",
            *stored,
            "  ret void\n}",
        ]
    )

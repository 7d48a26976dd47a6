"""How long each kernel of a native program takes, one after the other on one thread."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from chainrule.compiler.kernels import Written
from chainrule.compiler.llvm import Library
from chainrule.compiler.native import NativeProgram
from chainrule.compiler.schedule import run_text
from chainrule.core.value import Raw

_SECONDS = 0.01  # that each kernel is repeated for


def kernel_seconds(native: NativeProgram, args: Sequence[Raw]) -> dict[Written, float]:
    """The shortest time of every kernel for these arguments, of loops and of what is in them.

    Each is repeated with its operands in the cache; a kernel in a loop, for all of its rounds.
    Those that NumPy runs are not there. Cells are as before afterwards.
    """
    alone = dict(_alone(native.written))
    with native.at_rest(args):
        runs = [run_text(at, [w], native.memory) for at, w in enumerate(alone.values())]
        library = Library(native.text_with(runs))
        kinds = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64
        return {
            w: _shortest(library.function(f"run{at}", *kinds), native.memory.address)
            for at, w in enumerate(alone)
        }


def _alone(written: Sequence[Written]) -> Iterator[tuple[Written, Written]]:
    """Every kernel, and what runs it alone: itself, or its loop without the others."""
    for w in written:
        if w.native:
            yield w, w
        if w.loop is not None:
            yield from _alone(w.loop.before)
            for one, inside in _alone(w.loop.body):
                yield one, replace(w, loop=replace(w.loop, before=[], body=[inside]))


def _shortest(function: object, table: int) -> float:
    assert callable(function)
    found, end = np.inf, time.perf_counter() + _SECONDS
    while time.perf_counter() < end:
        began = time.perf_counter()
        for _ in range(3):
            function(table, 0, 1)
        found = min(found, (time.perf_counter() - began) / 3)
    return float(found)

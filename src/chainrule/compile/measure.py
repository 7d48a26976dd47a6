"""How long each kernel of a native program takes, one after the other on one thread."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Sequence

import numpy as np

from chainrule.compile.llvm import Library
from chainrule.compile.native import NativeProgram
from chainrule.compile.schedule import run_text
from chainrule.core.value import Raw

_SECONDS = 0.01  # that each kernel is repeated for


def kernel_seconds(native: NativeProgram, args: Sequence[Raw]) -> list[float]:
    """The shortest time of every kernel for these arguments; 0 for those that NumPy runs.

    Each is repeated with its operands in the cache. Cells are as before afterwards.
    """
    with native.at_rest(args):
        runs = [
            run_text(number, [w], native.memory) if w.native else ""
            for number, w in enumerate(native.written)
        ]
        library = Library(native.text_with(runs))
        kinds = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64
        return [
            _shortest(library.function(f"run{number}", *kinds), native.memory.address)
            if text
            else 0.0
            for number, text in enumerate(runs)
        ]


def _shortest(function: object, table: int) -> float:
    assert callable(function)
    found, end = np.inf, time.perf_counter() + _SECONDS
    while time.perf_counter() < end:
        began = time.perf_counter()
        for _ in range(3):
            function(table, 0, 1)
        found = min(found, (time.perf_counter() - began) / 3)
    return float(found)

"""A forward program run for any number of rows, in blocks of a few sizes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.compiler.worth import breakeven, no_machine_code
from chainrule.core.interpret import interpret
from chainrule.core.program import Program
from chainrule.model.forward import for_rows

SIZES = (1, 8, 64, 1024)
"""Rows of a block: what one layer makes of the largest stays in the cache for the next."""

_Run = Callable[[tuple[NDArray[Any], NDArray[Any]]], tuple[Any, ...]]


class Runner:
    """Runs the program of `record_forward`; threads may share it.

    Rows go through in blocks of the largest size, what is left in one of the smallest that holds
    them, filled up with zeros. A size that has been run so often that machine code would have
    paid gets it; results agree with NumPy's to float32's rounding.

    >>> from chainrule.model.forward import record_forward
    >>> from chainrule.spec import F32, I64, Spec
    >>> program = record_forward(lambda x, codes: x * 2, [Spec((1, 3), F32), Spec((1, 0), I64)])
    >>> numbers = np.ones((2, 3), np.float32)
    >>> Runner(program)(numbers, np.zeros((2, 0), np.int64)).tolist()
    [[2.0, 2.0, 2.0], [2.0, 2.0, 2.0]]
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.native: dict[int, _Run] = {}
        self._sized: dict[int, Program] = {}
        self._runs = dict.fromkeys(SIZES, 0)
        self._making = threading.Lock()

    def __call__(self, numbers: NDArray[Any], codes: NDArray[Any]) -> NDArray[np.float32]:
        """The output for `numbers` float32 [n, features] and `codes` int64 [n, slots]."""
        rows, largest = len(numbers), SIZES[-1]
        if rows in SIZES:  # no block to cut or fill: a single row comes here
            return self._block(rows, 1, numbers, codes)
        found = []
        for start in range(0, rows - largest + 1, largest):
            part = slice(start, start + largest)
            found.append(self._block(largest, rows // largest, numbers[part], codes[part]))
        left = rows % largest
        if left or not rows:
            size = next(size for size in SIZES if size >= left)
            filled = (_filled(array[rows - left :], size) for array in (numbers, codes))
            found.append(self._block(size, 1, *filled)[:left])
        return found[0] if len(found) == 1 else np.concatenate(found)

    def compile(self) -> None:
        """Make the machine code of every size now, where there can be any."""
        if not no_machine_code():
            with self._making:
                for size in SIZES:
                    self._compiled(size)

    def _block(
        self, size: int, times: int, numbers: NDArray[Any], codes: NDArray[Any]
    ) -> NDArray[np.float32]:
        """The output for a block of just that size, which is one of so many `times`."""
        run = self.native.get(size)
        if run is None:
            run = self._interpreted_or_due(size, times)
        output: NDArray[np.float32] = run((numbers, codes))[0]
        return output

    def _interpreted_or_due(self, size: int, times: int) -> _Run:
        """Machine code if it is due now; while another thread makes it, nobody waits."""
        program = self._program(size)
        self._runs[size] += 1
        due = max(times, self._runs[size]) >= breakeven(program) and not no_machine_code()
        if due and self._making.acquire(blocking=False):
            try:
                return self._compiled(size)
            finally:
                self._making.release()
        return partial(interpret, program)

    def _compiled(self, size: int) -> _Run:
        """The machine code for a size; who calls holds the lock."""
        if size not in self.native:
            from chainrule.compiler.native import NativeProgram  # llvmlite: only who uses it waits

            self.native[size] = NativeProgram(self._program(size))
        return self.native[size]

    def _program(self, size: int) -> Program:
        if size not in self._sized:
            self._sized[size] = for_rows(self.program, size)
        return self._sized[size]


def _filled(array: NDArray[Any], size: int) -> NDArray[Any]:
    """An array [n, ...] with rows of zeros up to `size`."""
    filled = np.zeros((size, *array.shape[1:]), array.dtype)
    filled[: len(array)] = array
    return filled

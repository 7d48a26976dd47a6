"""A Program as machine code: kernels written, memory planned, and one call that runs it all."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.compiler.epochs import Epoch, epoch_text, scheduled
from chainrule.compiler.fuse import fuse
from chainrule.compiler.groups import Kernel
from chainrule.compiler.kernels import Kernels, Written
from chainrule.compiler.llvm import Library
from chainrule.compiler.memory import Memory
from chainrule.compiler.passes import passed
from chainrule.compiler.plan import STATUS
from chainrule.compiler.scans import write_all
from chainrule.compiler.schedule import MEET, run_text, shares
from chainrule.compiler.threads import CREW, Choice
from chainrule.core.program import Program
from chainrule.core.value import Raw, Symbol
from chainrule.errors import IndexRangeError

_CALL = 0.05  # seconds: how long a call may be away from Python


class NativeProgram:
    """Runs a Program as machine code; kernels that have none yet are run by NumPy in between.

    Cells are updated in place: their memory is taken over at the first run. `seconds` says how
    long it took to make, `library.text` is what LLVM was given.
    """

    def __init__(self, program: Program) -> None:
        began = time.perf_counter()
        self.passes = passed(program)
        self.program = list(self.passes.values())[-1]
        self.fused = fuse(self.program)
        self.kernels = Kernels()
        self.written = write_all(self.kernels, self.fused)
        self.memory = Memory(self.program, self.fused, self.written)
        self.segments = _segments(self.written)
        runs = [
            run_text(i, part, self.memory)
            for i, (native, part) in enumerate(self.segments)
            if native
        ]
        self.library = Library(
            self.text_with([*runs, epoch_text(self) if self.runs_epochs else ""])
        )
        self.runs = [
            self.library.function(f"run{i}", ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
            if native
            else None
            for i, (native, _) in enumerate(self.segments)
        ]
        reads = [(self.program.cells[name], s) for name, s in self.program.reads.items()]
        arrays = self.memory.arrays
        self._owned = [(cell, arrays[s]) for cell, s in reads if s in arrays]
        self._borrowed = [(cell, s) for cell, s in reads if s not in arrays]
        self._places: dict[Symbol, NDArray[Any]] = {}  # of returns, where they are always the same
        self.choice = Choice(shares(self.written))
        self._running = threading.Lock()
        self.seconds = time.perf_counter() - began

    @property
    def runs_epochs(self) -> bool:
        """Whether many steps can be one call: all is machine code, and numbers come out."""
        numbers = all(isinstance(s, Symbol) and s.shape == () for s in self.program.returns)
        rows = {s.shape[0] if s.shape else 0 for s in self.program.args}
        batched = len(rows) == 1 and 0 not in rows
        kept = set(self.program.reads) & set(self.program.assigns)
        written = all(self.program.assigns[name] in self.memory.in_place for name in kept)
        return numbers and batched and written and [native for native, _ in self.segments] == [True]

    def text_with(self, runs: Sequence[str]) -> str:
        """LLVM's text of every kernel, and of the functions that call them."""
        kernels = self.kernels
        parts = [*sorted(kernels.declarations), *kernels.functions, MEET, *runs, _ATTRIBUTES]
        return "\n".join(parts)

    # -- running

    def __call__(self, args: Sequence[Raw]) -> tuple[Raw, ...]:
        """The program's returns for these arguments; cells are read and assigned."""
        with self._running:
            self._enter(args)
            if self.choice.shares:
                threads, began = self.choice.pick(), time.perf_counter()
                self._run(threads)
                self.choice.note(threads, time.perf_counter() - began)
            else:
                self._run(1)
            self._check_status()
            returns = tuple([self._result(value) for value in self.program.returns])
            self._leave()
            return returns

    def _run(self, threads: int) -> None:
        address = self.memory.address
        for run, (_, part) in zip(self.runs, self.segments, strict=True):
            if run is None:
                for w in part:
                    self._interpret(w.kernel)
            elif threads == 1:
                run(address, 0, 1)
            else:
                CREW.run(run, (address,), threads)

    @contextmanager
    def at_rest(self, args: Sequence[Raw]) -> Iterator[None]:
        """Inside, nothing else runs and memory may be written to: cells are restored."""
        with self._running:
            self._enter(args)
            homes = [home for _, home in self._owned]
            before = [home.copy() for home in homes]
            yield
            for home, values in zip(homes, before, strict=True):
                home[...] = values

    def epoch(
        self,
        sources: Sequence[NDArray[Any]],
        order: NDArray[np.int64],
        schedule: Mapping[Any, Any],
        after: Callable[[int], bool] | None = None,
    ) -> NDArray[np.float64]:
        """A step per whole batch of `order`, in calls of about a twentieth of a second each.

        `schedule`: cells with a value per step. `after(steps done)` is called after each call; the
        epoch ends there when it gives True. Gives what each step returned, [steps, numbers].
        """
        rows = self.program.args[0].shape[0]
        steps = len(order) // rows
        values = self._scheduled(schedule, steps)
        epoch, found = Epoch(self, sources), [np.empty((0, len(self.program.returns)))]
        done = 0
        while done < steps:
            threads = self.choice.pick()
            count = min(self.choice.steps(threads, _CALL), steps - done)
            part, planned = order[done * rows : (done + count) * rows], values[done : done + count]
            with self._running:
                began = time.perf_counter()
                self._enter(())
                found.append(epoch.run(part, planned, threads))
                self._check_status()
                self._leave()
            self.choice.note(threads, (time.perf_counter() - began) / count)
            done += count
            if after is not None and after(done):
                break
        return np.concatenate(found)

    def _scheduled(self, schedule: Mapping[Any, Any], steps: int) -> NDArray[np.float64]:
        """The values of every number that a schedule may set, [steps, cells]; else as it is now."""
        columns = []
        for name in scheduled(self):
            cell = self.program.cells[name]
            values = schedule.get(cell)
            columns.append(np.full(steps, float(cell.held())) if values is None else values)
        arrays = [np.asarray(c, np.float64)[:steps] for c in columns]
        return np.stack(arrays, axis=1) if arrays else np.empty((steps, 0))

    def _enter(self, args: Sequence[Raw]) -> None:
        """Point to what comes from outside, and put the other cells' values into their homes."""
        memory = self.memory
        for symbol, raw in zip(self.program.args, args, strict=False):  # an epoch gathers its own
            memory.point(symbol, raw)
        for symbol, raw in self.program.captured.items():
            memory.point(symbol, raw)
        for cell, symbol in self._borrowed:
            if (held := cell.held()) is not memory.arrays.get(symbol):
                memory.point(symbol, held)
        for cell, home in self._owned:
            if (held := cell.held()) is not home:
                home[...] = held

    def _check_status(self) -> None:
        status = self.memory.arrays[STATUS]
        if status:
            status[...] = 0
            raise IndexRangeError("an index is out of range in a compiled step")

    def _interpret(self, kernel: Kernel) -> None:
        """An instruction without machine code, by its NumPy rule."""
        (made,) = kernel.members
        inputs = [self.memory.array(s) if isinstance(s, Symbol) else s for s in made.inputs]
        with np.errstate(all="ignore"):
            out = made.op.forward(*inputs, **made.settings)
        for symbol, array in zip(
            made.outputs, out if len(made.outputs) > 1 else (out,), strict=True
        ):
            home = self.memory.home(symbol)
            if home is not None:
                home[...] = array

    def _result(self, value: Any) -> Raw:
        """A copy of what was computed: the next run writes to the same memory."""
        if not isinstance(value, Symbol):
            return value
        found = self._places.get(value)
        if found is None:
            found = self.memory.array(value)
            if self.memory.stays(value):
                self._places[value] = found
        return found.copy()

    def _leave(self) -> None:
        """Give the cells their new values: written in place, or copied out of the arena."""
        for name, new in self.program.assigns.items():
            cell, home = self.program.cells[name], self.program.reads.get(name)
            if not isinstance(new, Symbol):
                cell.hold(new if new is None else np.asarray(new))
            elif new in self.memory.in_place:
                cell.lend(self.memory.home(new))
            elif home is not None and self.fused.base(new) is not home:
                self.memory.arrays[home][...] = self.memory.array(new)
                cell.lend(self.memory.arrays[home])
            else:
                cell.hold(np.array(self.memory.array(new)))


def _segments(written: list[Written]) -> list[tuple[bool, list[Written]]]:
    """Runs of kernels that are machine code, and those between them that are not."""
    found: list[tuple[bool, list[Written]]] = []
    for w in written:
        if not found or found[-1][0] != w.native:
            found.append((w.native, []))
        found[-1][1].append(w)
    return found


_ATTRIBUTES = 'attributes #0 = { nounwind "no-trapping-math"="true" }\n'

"""A Program as machine code: kernels written, memory planned, and one call that runs it all."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.compile.epochs import Epoch, epoch_text, scheduled
from chainrule.compile.fuse import Fused, Kernel, fuse
from chainrule.compile.llvm import Library, host
from chainrule.compile.lookup import write_index
from chainrule.compile.loops import write_copy, write_join, write_place, write_pointwise
from chainrule.compile.philox import write_random
from chainrule.compile.plan import Lifetime, aligned, in_bytes, places
from chainrule.compile.products import write_contract
from chainrule.compile.reductions import write_reduce
from chainrule.compile.schedule import BARRIER, MEET, Call, Region, run_text
from chainrule.compile.threads import CREW, Choice
from chainrule.compile.views import View
from chainrule.compile.writer import STATUS, Writer
from chainrule.core.op import Contract, Index, Join, Kind, Place, Random, Reduce, Reindex
from chainrule.core.program import Program
from chainrule.core.value import Raw, Symbol
from chainrule.errors import IndexRangeError

_ARENA = "arena"
_CALL = 0.05  # seconds: how long a call may be away from Python

WRITERS: dict[type[Kind], Any] = {
    Contract: write_contract,
    Reduce: write_reduce,
    Index: write_index,
    Join: write_join,
    Place: write_place,
    Random: write_random,
    Reindex: write_copy,
}


@dataclass(frozen=True)
class Written:
    """A kernel as functions of LLVM's, one per phase, and what their parameters point to."""

    kernel: Kernel
    phases: list[tuple[str, int]]  # a function's name, and its parts
    operands: list[Symbol]
    scratch: list[Symbol]


class NativeProgram:
    """Runs a Program as machine code; kernels that have none yet are run by NumPy in between.

    Cells are updated in place: their memory is taken over at the first run. `seconds` says how
    long it took to make, `library.text` is what LLVM was given.
    """

    def __init__(self, program: Program) -> None:
        began = time.perf_counter()
        self.program = replace(program, derived={}).pruned()
        self.fused = fuse(self.program)
        self.written, functions, declarations = _write(self.fused)
        self._plan_memory()
        self.segments = _segments(self.written)
        calls = [self._calls(part) if native else [] for native, part in self.segments]
        runs = [run_text(i, part, self.slots) for i, part in enumerate(calls) if part]
        main = [MEET, *runs, epoch_text(self) if self.runs_epochs else "", _ATTRIBUTES]
        self.library = Library("\n".join([*sorted(declarations), *functions, *main]))
        self.runs = [
            self.library.function(f"run{i}", ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
            if part
            else None
            for i, part in enumerate(calls)
        ]
        self.choice = Choice(any(call.parts > 1 for part in calls for call in part))
        self._running = threading.Lock()
        self.seconds = time.perf_counter() - began

    @property
    def runs_epochs(self) -> bool:
        """Whether many steps can be one call: all is machine code, and one number comes out."""
        returns = self.program.returns
        one = len(returns) == 1 and isinstance(returns[0], Symbol) and returns[0].shape == ()
        rows = {s.shape[0] if s.shape else 0 for s in self.program.args}
        batched = len(rows) == 1 and 0 not in rows
        kept = set(self.program.reads) & set(self.program.assigns)
        written = all(self.program.assigns[name] in self.in_place for name in kept)
        return one and batched and written and [native for native, _ in self.segments] == [True]

    # -- memory

    def _plan_memory(self) -> None:
        """Constants and cells keep theirs, arguments bring theirs, the rest shares the arena."""
        program, fused = self.program, self.fused
        outside = {*program.args, *program.captured}
        self.homes = {s: aligned(_bytes(s)) for s in program.reads.values()}
        self.in_place = self._in_place()
        lives = self._lifetimes(outside)
        self.offsets, self.arena_bytes = places(lives)
        self.arena = aligned(self.arena_bytes)
        self.arrays: dict[Symbol, Any] = {
            STATUS: np.zeros((), np.int64),
            BARRIER: in_bytes(aligned(128), BARRIER),
        }
        for symbol, array in fused.constants.items():
            self.arrays[symbol] = np.ascontiguousarray(array)
        for symbol, home in self.homes.items():
            self.arrays[symbol] = in_bytes(home, symbol)
        for symbol, offset in self.offsets.items():
            self.arrays[symbol] = in_bytes(self.arena, symbol, offset)
        for new, old in self.in_place.items():
            self.arrays[new] = self.arrays[old]
        table = [*self.arrays, *program.args, *program.captured]  # in an order that the cache knows
        self.slots = {s: i for i, s in enumerate(dict.fromkeys(table))}
        self.table = (ctypes.c_void_p * len(self.slots))()
        for symbol, array in self.arrays.items():
            self.table[self.slots[symbol]] = array.ctypes.data

    def _in_place(self) -> dict[Symbol, Symbol]:
        """New values of cells that can be written over the old ones: nobody reads those later,
        and the kernel that writes reads them element by element at the same place.
        """
        found: dict[Symbol, Symbol] = {}
        returned = {self.base(s) for s in self.program.returns}
        for name, new in self.program.assigns.items():
            old = self.program.reads.get(name)
            if not isinstance(new, Symbol) or old is None or self.fused.views[new] != View.of(new):
                continue
            if new in found or new in self.homes or old in returned:
                continue
            makers = [i for i, w in enumerate(self.written) if new in w.kernel.stores]
            readers = [i for i, w in enumerate(self.written) if old in w.operands]
            if makers and all(i <= makers[0] for i in readers) and self._same_place(old, makers[0]):
                found[new] = old
        return found

    def _same_place(self, old: Symbol, maker: int) -> bool:
        kernel = self.written[maker].kernel
        for made in kernel.members:
            for source in made.inputs:
                if isinstance(source, Symbol) and self.base(source) is old:
                    view = self.fused.views[source]
                    if made is kernel.root or view != View.of(old) or view.shape != kernel.shape:
                        return False
        return True

    def _lifetimes(self, outside: set[Symbol]) -> list[Lifetime]:
        kept = {*self.homes, *outside, *self.fused.constants, *self.in_place, STATUS}
        first: dict[Symbol, int] = {}
        last: dict[Symbol, int] = {}
        for i, w in enumerate(self.written):
            for symbol in (*w.operands, *w.scratch):
                first.setdefault(symbol, i)
                last[symbol] = i
        for result in self.program.results():
            if isinstance(result, Symbol):
                last[self.base(result)] = len(self.written)
        return [Lifetime(s, first[s], last[s]) for s in first if s not in kept]

    def base(self, symbol: Any) -> Any:
        """The symbol whose memory a value lies in."""
        view = self.fused.views.get(symbol) if isinstance(symbol, Symbol) else None
        return symbol if view is None else view.base

    # -- code

    def _calls(self, part: list[Written]) -> list[Call]:
        """The phases of some kernels, each with the memory it touches."""
        calls = []
        for w in part:
            pointers = [*dict.fromkeys([*w.operands, *w.scratch])]
            written = {*w.kernel.stores, *w.scratch, STATUS}
            reads = frozenset(self._region(s) for s in pointers if s not in written)
            writes = frozenset(self._region(s) for s in pointers if s in written and s != STATUS)
            calls += [Call(name, parts, pointers, reads, writes) for name, parts in w.phases]
        return calls

    def _region(self, symbol: Symbol) -> Region:
        """The memory that a symbol's values lie in."""
        symbol = self.in_place.get(symbol, symbol)
        if symbol not in self.offsets:
            return symbol, 0, 1
        begin = self.offsets[symbol]
        return _ARENA, begin, begin + _bytes(symbol)

    # -- running

    def __call__(self, args: Sequence[Raw]) -> tuple[Raw, ...]:
        """The program's returns for these arguments; cells are read and assigned."""
        with self._running:
            for symbol, raw in zip(self.program.args, args, strict=True):
                self._point(symbol, raw)
            self._enter()
            threads, began = self.choice.pick(), time.perf_counter()
            for run, (_, part) in zip(self.runs, self.segments, strict=True):
                if run is not None:
                    CREW.run(run, (ctypes.addressof(self.table),), threads)
                else:
                    for w in part:
                        self._interpret(w.kernel)
            self.choice.note(threads, time.perf_counter() - began)
            self._check_status()
            returns = tuple(self._result(value) for value in self.program.returns)
            self._leave()
            return returns

    def epoch(
        self,
        sources: Sequence[NDArray[Any]],
        order: NDArray[np.int64],
        schedule: Mapping[Any, Any],
        after: Callable[[int], bool] | None = None,
    ) -> NDArray[np.float64]:
        """A step per whole batch of `order`, in calls of about a twentieth of a second each.

        `schedule`: cells with a value per step. `after(steps done)` is called after each call; the
        epoch ends there when it gives True. Gives what each step returned.
        """
        rows = self.program.args[0].shape[0]
        steps = len(order) // rows
        values = self._scheduled(schedule, steps)
        epoch, found, at_once = Epoch(self, sources), [np.empty(0)], 8
        done = 0
        while done < steps:
            count = min(at_once, steps - done)
            part, planned = order[done * rows : (done + count) * rows], values[done : done + count]
            with self._running:
                threads, began = self.choice.pick(), time.perf_counter()
                self._enter()
                found.append(epoch.run(part, planned, threads))
                self._check_status()
                self._leave()
            done += count
            spent = max(time.perf_counter() - began, 1e-6)
            self.choice.note(threads, spent / count)
            at_once = max(1, int(count * _CALL / spent))
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

    def _point(self, symbol: Symbol, raw: Raw) -> None:
        """Let a value lie where the array `raw` does."""
        array = np.ascontiguousarray(raw, symbol.dtype)
        self.arrays[symbol] = array
        self.table[self.slots[symbol]] = array.ctypes.data

    def _enter(self) -> None:
        """Point to what was captured, and put the cells' values into their homes."""
        for symbol, raw in self.program.captured.items():
            self._point(symbol, raw)
        for name, symbol in self.program.reads.items():
            held, home = self.program.cells[name].held(), self.arrays[symbol]
            if held is not home:
                home[...] = held

    def _check_status(self) -> None:
        if self.arrays[STATUS]:
            self.arrays[STATUS][...] = 0
            raise IndexRangeError("an index is out of range in a compiled step")

    def _interpret(self, kernel: Kernel) -> None:
        """An instruction without machine code, by its NumPy rule."""
        (made,) = kernel.members
        inputs = [self._array(s) if isinstance(s, Symbol) else s for s in made.inputs]
        with np.errstate(all="ignore"):
            out = made.op.forward(*inputs, **made.settings)
        for symbol, array in zip(
            made.outputs, out if len(made.outputs) > 1 else (out,), strict=True
        ):
            if symbol in self.arrays:
                self.arrays[symbol][...] = array

    def _array(self, symbol: Symbol) -> NDArray[Any]:
        """A value as NumPy sees it in its memory."""
        view = self.fused.views[symbol]
        base = self.arrays[view.base]
        flat = np.asarray(base).reshape(-1)[view.start :]
        steps = tuple(s * base.itemsize for s in view.strides)
        if 0 in view.shape:
            return np.empty(view.shape, base.dtype)
        return np.lib.stride_tricks.as_strided(flat, view.shape, steps)

    def _result(self, value: Any) -> Raw:
        return np.array(self._array(value)) if isinstance(value, Symbol) else value

    def _leave(self) -> None:
        """Give the cells their new values: written in place, or copied out of the arena."""
        for name, new in self.program.assigns.items():
            cell, home = self.program.cells[name], self.program.reads.get(name)
            if not isinstance(new, Symbol):
                cell.hold(new if new is None else np.asarray(new))
            elif new in self.in_place:
                cell.lend(self.arrays[new])
            elif home is not None and self.base(new) is not home:
                self.arrays[home][...] = self._array(new)
                cell.lend(self.arrays[home])
            else:
                cell.hold(np.array(self._array(new)))


def _write(fused: Fused) -> tuple[list[Written], list[str], set[str]]:
    """Every native kernel as a function; equal ones once."""
    machine = host()
    names: dict[str, str] = {}
    written, functions, declarations = [], [], set()
    for kernel in fused.kernels:
        writer = Writer(fused, kernel, machine.lanes, machine.registers)
        phases: list[tuple[str, int]] = []
        if kernel.native:
            root = kernel.root
            write = write_pointwise if root is None else WRITERS[type(root.op.lower)]
            write(writer)
            for (
                symbol
            ) in kernel.stores:  # an empty one is not written, and has a place all the same
                writer.pointer(symbol)
            pointers = list(writer.parameters.values())
            for phase in writer.finished():
                body = phase.text("NAME", pointers)
                if body not in names:
                    names[body] = f"kernel{len(names)}"
                    functions.append(phase.text(names[body], pointers))
                phases.append((names[body], phase.parts))
            declarations |= writer.code.uses
            operands = list(writer.parameters)
        else:
            operands = _operands(fused, kernel)
        scratch = [s for s in writer.scratch if s in writer.parameters]
        written.append(Written(kernel, phases, operands, scratch))
    return written, functions, declarations


def _operands(fused: Fused, kernel: Kernel) -> list[Symbol]:
    inputs = [
        fused.views[s].base for m in kernel.members for s in m.inputs if isinstance(s, Symbol)
    ]
    return list(dict.fromkeys([*inputs, *kernel.made()]))


def _segments(written: list[Written]) -> list[tuple[bool, list[Written]]]:
    """Runs of kernels that are machine code, and those between them that are not."""
    found: list[tuple[bool, list[Written]]] = []
    for w in written:
        if not found or found[-1][0] != w.kernel.native:
            found.append((w.kernel.native, []))
        found[-1][1].append(w)
    return found


def _bytes(symbol: Symbol) -> int:
    return Lifetime(symbol, 0, 0).bytes


_ATTRIBUTES = 'attributes #0 = { nounwind "no-trapping-math"="true" }\n'

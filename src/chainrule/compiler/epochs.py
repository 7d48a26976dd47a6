"""Many steps in one native call: rows gathered by an order, numbers of a schedule, results kept.

The function `epoch(table, extra, steps, thread, threads)`: `extra` points to the order of rows,
the results, the schedule's values [steps, cells], and then to the arrays that the arguments' rows
come from.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from chainrule.compiler.emitter import Emitter
from chainrule.compiler.fuse import Fused
from chainrule.compiler.ir import Code, Index, Reg
from chainrule.compiler.llvm import Library, host
from chainrule.compiler.memory import Memory
from chainrule.compiler.plan import BARRIER
from chainrule.compiler.schedule import pointer, share
from chainrule.compiler.threads import CREW
from chainrule.core.program import Program
from chainrule.core.value import Symbol
from chainrule.errors import IndexRangeError
from chainrule.spec import F64, I64


class Runs(Protocol):
    """What an epoch needs of a native program."""

    program: Program
    fused: Fused
    memory: Memory
    library: Library


def scheduled(native: Runs) -> list[str]:
    """The names of the cells that a schedule may set: float64 numbers that no step assigns."""
    reads, assigns = native.program.reads.items(), native.program.assigns
    return [n for n, s in reads if s.shape == () and s.dtype == F64 and n not in assigns]


def epoch_text(native: Runs) -> str:
    """The function that runs `run0` once for each batch of rows."""
    code = Code()
    args, names = native.program.args, scheduled(native)
    order, results, values = (pointer(code, "%extra", i) for i in range(3))
    sources = [pointer(code, "%extra", 3 + i) for i in range(len(args))]

    def home(symbol: Symbol) -> str:
        return pointer(code, "%table", native.memory.place(symbol))

    batches = [home(s) for s in args]
    homes = [home(native.program.reads[name]) for name in names]
    returns = [(s, home(native.fused.base(s))) for s in native.program.returns]
    meet = f"call void @meet(ptr {home(BARRIER)}, i64 %threads)"

    def numbers(number: Index) -> None:
        for place, where in enumerate(homes):
            at = code.add(code.mul(number, len(homes)), place)
            code.store(code.load(code.at(values, at, F64), F64), where)

    def gather(number: Index, begin: Index, end: Index) -> None:
        first = code.mul(number, args[0].shape[0])
        for symbol, source, batch in zip(args, sources, batches, strict=True):
            _gather(code, symbol, source, batch, code.at(order, first, I64), (begin, end))

    def keep(number: Index) -> None:
        for place, (symbol, result) in enumerate(returns):
            start = native.fused.views[symbol].start
            found = code.load(code.at(result, start, symbol.dtype), symbol.dtype)
            wide = Emitter(code).cast(found, "float64")
            at = code.add(code.mul(number, len(returns)), place)
            code.store(wide, code.at(results, at, F64))

    def step(number: Index, _: list[Reg]) -> None:
        first = code.let("icmp eq i64 %thread, 0")
        code.when(first, lambda: numbers(number))
        share(code, args[0].shape[0], lambda begin, end: gather(number, begin, end))
        code.emit(meet)
        code.emit("call void @run0(ptr %table, i64 %thread, i64 %threads)")
        code.emit(meet)
        code.when(first, lambda: keep(number))

    code.loop("%steps", step)
    body = "\n".join(code.lines)
    head = "define void @epoch(ptr %table, ptr %extra, i64 %steps, i64 %thread, i64 %threads) #0"
    return f"{head} {{\nentry:\n{body}\n  ret void\n}}\n"


def _gather(
    code: Code, symbol: Symbol, source: str, batch: str, order: str, among: tuple[Index, Index]
) -> None:
    """Some of the rows that `order` points to, one after the other."""
    width = math.prod(symbol.shape[1:])
    lanes = host().lanes

    def row(number: Index, _: list[Reg]) -> None:
        chosen = code.load(code.at(order, number, I64), I64)
        begin, target = code.mul(chosen.name, width), code.mul(number, width)

        def some(i: Index, _: list[Reg]) -> None:
            reg = code.load(code.at(source, code.add(begin, i), symbol.dtype), symbol.dtype, lanes)
            code.store(reg, code.at(batch, code.add(target, i), symbol.dtype))

        def one(i: Index, _: list[Reg]) -> None:
            at = code.add(i, width // lanes * lanes)
            reg = code.load(code.at(source, code.add(begin, at), symbol.dtype), symbol.dtype)
            code.store(reg, code.at(batch, code.add(target, at), symbol.dtype))

        code.loop(width // lanes * lanes, some, step=lanes)
        code.loop(width % lanes, one)

    code.loop(among[1], row, begin=among[0])


class Epoch:
    """Runs whole batches of a native program; the rows' arrays must stay as they are meanwhile."""

    def __init__(self, native: Runs, sources: Sequence[NDArray[Any]]) -> None:
        self.native = native
        self.args = native.program.args
        pairs = zip(sources, self.args, strict=True)
        self.sources = [np.ascontiguousarray(a, s.dtype) for a, s in pairs]
        self.batches = [np.empty(s.shape, s.dtype) for s in self.args]
        self.function = native.library.function(
            "epoch", *[ctypes.c_void_p] * 2, *[ctypes.c_int64] * 3
        )

    def run(
        self, order: NDArray[np.int64], schedule: NDArray[np.float64], threads: int
    ) -> NDArray[np.float64]:
        """What each step returned, [steps, numbers]: a row for every whole batch of `order`.

        `schedule`: float64 [steps, cells], the values of `scheduled(native)`.
        """
        rows = self.args[0].shape[0]
        steps = len(order) // rows
        if order.size and (order.min() < 0 or order.max() >= len(self.sources[0])):
            raise IndexRangeError(
                "the order of an epoch names rows that are not there",
                expected=f"0 to {len(self.sources[0]) - 1}",
                got=f"{order.min()} to {order.max()}",
            )
        results = np.empty((steps, len(self.native.program.returns)))
        order, schedule = np.ascontiguousarray(order, np.int64), np.ascontiguousarray(schedule)
        for symbol, batch in zip(self.args, self.batches, strict=True):
            self.native.memory.point(symbol, batch)
        arrays = [order, results, schedule, *self.sources]
        extra = (ctypes.c_void_p * len(arrays))(*(a.ctypes.data for a in arrays))
        if steps:
            arguments = self.native.memory.address, ctypes.addressof(extra), steps
            CREW.run(self.function, arguments, threads)
        return results

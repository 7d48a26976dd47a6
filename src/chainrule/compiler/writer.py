"""What writes the functions of one kernel: its parameters, its reads and writes, its loops.

A kernel is a row of phases, each a function. Threads share the parts of a phase and meet before the
next; what a part computes never depends on who runs it, nor on how many there are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from chainrule.compiler.emitter import Emitter
from chainrule.compiler.fuse import Fused
from chainrule.compiler.groups import Kernel
from chainrule.compiler.ir import Code, Index, Reg
from chainrule.compiler.views import View
from chainrule.core.program import Instruction
from chainrule.core.value import Symbol

ENOUGH = 3000
"""Vector operations from which sharing a phase is worth the meeting of threads around it."""

_CALL = "call fastcc"
_BYTES = 16  # of an element in all vectors of a call: 4 of float32, 2 of float64

Range = tuple[Index, Index]
"""Positions from the first to below the second."""


@dataclass(frozen=True)
class Phase:
    """One function of a kernel; with more than one part it takes which of them to run."""

    lines: list[str]
    parts: int
    parameters: dict[Symbol, str]  # pointers, and to which values

    def text(self, name: str) -> str:
        """The function as LLVM reads it."""
        taken = [f"ptr {p}" for p in self.parameters.values()]
        taken += ["i64 %begin", "i64 %end"] if self.parts > 1 else []
        head = f"define internal void @{name}({', '.join(taken)}) #0"
        return "\n".join([f"{head} {{", "entry:", *self.lines, "  ret void", "}", ""])


class Writer:
    """Writes the functions of one kernel: their parameters point to what it reads and writes."""

    def __init__(self, fused: Fused, kernel: Kernel, lanes: int, registers: int) -> None:
        self.fused, self.kernel = fused, kernel
        self.lanes, self.registers = lanes, registers
        self.code = Code()
        self.emitter = Emitter(self.code)
        self.parameters: dict[Symbol, str] = {}  # of the phase that is being written
        self.scratch: list[Symbol] = []  # memory that only this kernel needs
        self.notes: dict[str, Any] = {}  # choices that were made, for who reads the report
        self._phases: list[Phase] = []
        self._parts = 1  # of the phase that is being written

    def pointer(self, base: Symbol) -> str:
        """The parameter that points to a value's memory."""
        return self.parameters.setdefault(base, f"%p{len(self.parameters)}")

    # -- phases

    def share(self, count: int, work: float) -> Range:
        """Begin a phase of `count` equal parts; which of them the function is to run.

        `work` counts the vector operations of all of them: too few, and one thread runs them all.
        """
        self._end_phase()
        self._parts = count if count > 1 and work >= ENOUGH else 1
        return ("%begin", "%end") if self._parts > 1 else (0, count)

    def finished(self) -> list[Phase]:
        """Every phase, in order."""
        self._end_phase()
        return self._phases

    def _end_phase(self) -> None:
        if self.code.lines:
            self._phases.append(Phase(self.code.cut(), self._parts, self.parameters))
        self._parts, self.parameters = 1, {}

    # -- reading and writing

    def read(self, view: View, at: Index, step: int, lanes: int, count: int) -> Reg:
        """`count` of so many lanes, `step` elements apart, from an offset on."""
        dtype, pointer = view.base.dtype, self.pointer(view.base)
        if step == 0 or lanes == 1:
            one = self.code.load(self.code.at(pointer, at, dtype), dtype)
            return self.code.splat(one, lanes)
        if step == 1:
            address = self.code.at(pointer, at, dtype)
            if count == lanes:
                return self.code.load(address, dtype, lanes)
            return self.code.load_some(address, dtype, lanes, count)
        offsets = [self.code.add(at, min(i, count - 1) * step) for i in range(lanes)]
        singles = [self.code.load(self.code.at(pointer, o, dtype), dtype) for o in offsets]
        return self.code.gathered(singles)

    def write(self, value: Reg, base: Symbol, at: Index, count: int) -> None:
        """`count` lanes, one after the other."""
        address = self.code.at(self.pointer(base), at, value.dtype)
        if count == value.lanes:
            self.code.store(value, address)
        else:
            self.code.store_some(value, address, count)

    # -- the loops of a pointwise tree

    def alone(self, made: Instruction) -> Code:
        """What is written for a member by itself."""
        code = Code()
        inputs = [
            Reg("%x", s.dtype, self.lanes) if isinstance(s, Symbol) else s for s in made.inputs
        ]
        lower: Any = made.op.lower
        lower.expression(Emitter(code), *inputs, **made.settings)
        return code

    def together(self, members: Sequence[Instruction], size: int) -> int:
        """How many lanes of `size` members go through at once.

        A function that is called takes several vectors: what it reads besides, its numbers, is then
        read once for all of them, and none waits for the one before.
        """
        calls = [m for m in members if any(_CALL in line for line in self.alone(m).lines)]
        widest = max((m.outputs[0].dtype.itemsize for m in calls), default=_BYTES)
        lanes = self.lanes * max(1, _BYTES // widest)
        while lanes > self.lanes and -size % lanes > max(-size % self.lanes, size // 8):
            lanes //= 2
        return lanes

    def source(self, symbol: Symbol) -> Symbol:
        """Where a member's operand is found: who makes it inside, or the first of its names."""
        return self.kernel.same.get(symbol) or self.fused.same.get(symbol, symbol)

    def tree(self, members: Sequence[Instruction], known: dict[Symbol, Reg], leaf: Any) -> None:
        """Compute the members in order into `known`; `leaf(symbol)` reads what is not there."""
        for made in members:
            inputs = []
            for source in made.inputs:
                symbol = self.source(source) if isinstance(source, Symbol) else source
                if isinstance(symbol, Symbol) and symbol not in known:
                    known[symbol] = leaf(symbol)
                inputs.append(known[symbol] if isinstance(symbol, Symbol) else symbol)
            lower: Any = made.op.lower
            known[made.outputs[0]] = lower.expression(self.emitter, *inputs, **made.settings)

    def share_nest(self, shape: tuple[int, ...], lanes: int, weight: float) -> Range:
        """Begin a phase that shares the outermost axis of a nest, or the vectors of its only one.

        `weight` counts the vector operations at each place.
        """
        work = math.prod(shape) / lanes * weight
        return self.share(shape[0] if len(shape) > 1 else shape[0] // lanes, work)

    def nest(
        self,
        shape: tuple[int, ...],
        strides: Sequence[tuple[int, ...]],
        starts: Sequence[int],
        body: Callable[[list[Index], int, int], None],
        lanes: int,
        among: Range | None = None,
    ) -> None:
        """Loops over `shape`, the last axis by vectors: body(offset per operand, lanes, count).

        `among` is what `share_nest` gave: the part of the outermost axis to run.
        """

        def level(axis: int, offsets: list[Index], among: Range | None) -> None:
            if axis == len(shape) - 1:
                self._vectors(shape[-1], offsets, [s[-1] for s in strides], body, lanes, among)
                return
            begin, end = among or (0, shape[axis])
            self.code.loop(
                end,
                lambda i, _: level(axis + 1, self.moved(offsets, strides, axis, i), None),
                begin=begin,
            )

        if 0 not in shape:
            level(0, list(starts), among)

    def _vectors(
        self,
        size: int,
        offsets: list[Index],
        steps: Sequence[int],
        body: Callable[[list[Index], int, int], None],
        lanes: int,
        among: Range | None,
    ) -> None:
        """The innermost axis; what fills no vector comes with the last of them."""
        begin, end = among or (0, size // lanes)
        rest = size - size // lanes * lanes

        def at(i: Index) -> list[Index]:
            return self.moved(offsets, [(s,) for s in steps], 0, i)

        self.code.loop(
            self.code.mul(end, lanes),
            lambda i, _: body(at(i), lanes, lanes),
            step=lanes,
            begin=self.code.mul(begin, lanes),
        )
        if rest and isinstance(end, int):
            body(at(size - rest), lanes, rest)
        elif rest:
            last = self.code.let(f"icmp eq i64 {end}, {size // lanes}")
            self.code.when(last, lambda: body(at(size - rest), lanes, rest))

    def moved(
        self, offsets: list[Index], strides: Sequence[tuple[int, ...]], axis: int, i: Index
    ) -> list[Index]:
        """The operands' offsets `i` steps further along an axis."""
        return [
            self.code.add(o, self.code.mul(i, s[axis]))
            for o, s in zip(offsets, strides, strict=True)
        ]

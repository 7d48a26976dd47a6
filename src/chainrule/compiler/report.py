"""What a compiled step became, to be read: passes, kernels, memory, threads, and LLVM's text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chainrule.compiler.kernels import Written
from chainrule.compiler.measure import kernel_seconds
from chainrule.compiler.memory import Memory
from chainrule.compiler.native import NativeProgram
from chainrule.core.op import Contract, Pointwise, Reduce
from chainrule.core.program import Instruction, Program
from chainrule.core.value import Raw, Symbol
from chainrule.ops.contract import split


@dataclass(frozen=True)
class KernelReport:
    """One kernel: what it computes, how often, and what that costs."""

    what: str  # its root, and what is computed on its results
    shape: str
    times: int  # in a step: more than once inside of a scan
    parts: tuple[int, ...]  # of each phase, which threads share
    operations: int  # in floating point, of all its times
    bytes: int  # read and written, of all its times
    notes: str  # choices made
    native: bool
    seconds: float | None = None  # on one thread, if measured; a loop's, of all its rounds


@dataclass(frozen=True)
class Report:
    """Everything about a native program; `print(report)` shows it, `llvm` is LLVM's text."""

    passes: dict[str, Program]
    kernels: list[KernelReport]
    memory: Memory
    threads: dict[int, float]
    seconds: float
    from_cache: bool
    llvm: str

    @property
    def operations(self) -> int:
        """Floating-point operations of a step; a multiplication with an addition counts as two."""
        return sum(kernel.operations for kernel in self.kernels)

    def __str__(self) -> str:
        parts = [self._summary(), self._passes(), self._kernels(), self._memory()]
        return "\n\n".join("\n".join(part) for part in parts)

    def _summary(self) -> Iterator[str]:
        native = sum(kernel.native for kernel in self.kernels)
        made = "found in the cache" if self.from_cache else "compiled"
        yield f"{native} kernels as machine code, {made} in {self.seconds:.2f} s"
        left = dict.fromkeys(kernel.what for kernel in self.kernels if not kernel.native)
        if left:
            yield f"left to NumPy, so that epochs are loops of steps: {', '.join(left)}"
        yield f"{self.operations / 1e6:,.2f} million floating-point operations a step"
        yield f"threads: {self._threads()}"

    def _threads(self) -> str:
        if not any(parts > 1 for kernel in self.kernels for parts in kernel.parts):
            return "one; there is too little work to share"
        if not self.threads:
            return "chosen when it has run a few times"
        best = min(self.threads, key=self.threads.__getitem__)
        times = ", ".join(f"{s * 1e6:,.1f} us on {n}" for n, s in sorted(self.threads.items()))
        return f"{best} ({times})"

    def _passes(self) -> Iterator[str]:
        yield "passes (print(report.passes[name]) lists the program after one)"
        for name, program in self.passes.items():
            yield f"  {len(program.instructions):>5} instructions  {name}"

    def _kernels(self) -> Iterator[str]:
        yield "kernels, in the order they run"
        measured = any(one.seconds is not None for one in self.kernels)
        speed = f"{'us':>9} {'GFLOP/s':>8}  " if measured else ""
        yield f"  {'':>3}  {'times':>5} {'parts':>7} {'MFLOP':>9} {'KB':>9}  {speed}what"
        for number, one in enumerate(self.kernels):
            parts = "+".join(map(str, one.parts)) or "-"
            notes = f"  ({one.notes})" if one.notes else ""
            speed = f"{_speed(one)}  " if measured else ""
            yield (
                f"  {number:>3}  {one.times:>5} {parts:>7} {one.operations / 1e6:>9,.3f} "
                f"{one.bytes / 1e3:>9,.1f}  {speed}{one.what} {one.shape}{notes}"
            )

    def _memory(self) -> Iterator[str]:
        memory = self.memory
        lives = sorted(memory.lifetimes, key=lambda life: (memory.offsets[life.symbol], life.first))
        apart = sum(life.bytes for life in lives)
        yield f"memory: {memory.peak_bytes:,} bytes at most, besides arguments"
        yield f"  cells and constants      {memory.peak_bytes - memory.arena_bytes:>14,}"
        yield f"  the arena                {memory.arena_bytes:>14,}  ({apart:,} without sharing)"
        yield f"  updated in place         {len(memory.in_place):>14,}  cells"
        yield f"  {'offset':>12} {'bytes':>12}  kernels      value"
        for life in lives:
            span = f"{life.first} to {life.last}"
            spec = f"{life.symbol.dtype.name}{list(life.symbol.shape)}"
            yield (
                f"  {memory.offsets[life.symbol]:>12,} {life.bytes:>12,}  {span:<11}  "
                f"{_name(life.symbol)}: {spec}"
            )


def report(native: NativeProgram, args: Sequence[Raw] | None = None) -> Report:
    """What there is to say about a native program; with arguments, each kernel's time too."""
    seconds = {} if args is None else kernel_seconds(native, args)
    return Report(
        native.passes,
        list(_kernel_reports(native.written, seconds, 1)),
        native.memory,
        native.choice.seconds,
        native.seconds,
        native.library.from_cache,
        native.library.text,
    )


def _kernel_reports(
    written: Sequence[Written], seconds: Mapping[Written, float], times: int
) -> Iterator[KernelReport]:
    for w in written:
        if w.loop is not None:
            yield _loop_report(w, seconds.get(w), times)
            yield from _kernel_reports(w.loop.before, seconds, times)
            yield from _kernel_reports(w.loop.body, seconds, times * w.loop.length)
            continue
        yield KernelReport(
            what=_what(w),
            shape=str(list(w.kernel.shape)),
            times=times,
            parts=tuple(phase.parts for phase in w.phases),
            operations=times * sum(map(operations, w.kernel.members)),
            bytes=times * sum(_bytes(s) for s in w.operands),
            notes=", ".join(f"{name} {value}" for name, value in w.notes.items()),
            native=w.native,
            seconds=seconds.get(w),
        )


def _loop_report(w: Written, seconds: float | None, times: int) -> KernelReport:
    """A line for the whole of a loop; its kernels, with what they cost, come after it."""
    assert w.loop is not None
    what = f"a loop over the next {len(w.loop.before) + len(w.loop.body)} kernels"
    shape = str(list(w.kernel.shape))
    return KernelReport(what, shape, times, (), 0, 0, "", True, seconds)


def _speed(one: KernelReport) -> str:
    if one.seconds is None:
        return " " * 18
    rate = one.operations / one.seconds / 1e9 if one.seconds else 0.0
    return f"{one.seconds * 1e6:>9,.1f} {rate:>8,.1f}"


def _what(w: Written) -> str:
    members = w.kernel.members
    if not members:
        return "copy"
    roots = [made for made in members if not isinstance(made.op.lower, Pointwise)]
    names = [made.settings.get("dims") or made.op.name for made in roots]
    others = dict.fromkeys(made.op.name for made in members if made not in roots)
    joined = ", ".join(others)
    return " with ".join(filter(None, [", ".join(names), joined]))


def operations(made: Instruction) -> int:
    """The floating-point operations of an instruction: products count twice, elements once."""
    lower = made.op.lower
    if isinstance(lower, Contract):
        left, right, _ = split(made.settings["dims"])
        sizes: dict[str, int] = {}
        for dims, source in zip((left, right), made.inputs, strict=True):
            sizes |= dict(zip(dims, source.shape, strict=True))
        return 2 * math.prod(sizes.values())
    if isinstance(lower, Pointwise | Reduce):
        return max(_size(x) for x in (*made.inputs, *made.outputs))
    return 0


def _size(value: Any) -> int:
    return math.prod(value.shape) if isinstance(value, Symbol) else 1


def _bytes(symbol: Symbol) -> int:
    return _size(symbol) * symbol.dtype.itemsize


def _name(symbol: Symbol) -> str:
    return f"%{symbol.id}" if symbol.id > 0 else "scratch"

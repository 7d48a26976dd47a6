"""The function that runs a program's phases one after the other, and where its threads meet."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from chainrule.compiler.ir import Code, Index
from chainrule.compiler.kernels import Loop, Written
from chainrule.compiler.memory import Memory
from chainrule.compiler.plan import BARRIER, Region
from chainrule.core.value import Symbol

Pointers = dict[Symbol, str]


@dataclass(frozen=True)
class Touch:
    """What a phase reads and writes, and whether threads share it."""

    parts: int
    reads: frozenset[Region]
    writes: frozenset[Region]


def run_text(number: int, written: Sequence[Written], memory: Memory) -> str:
    """`run<number>(table, thread, threads)`: this thread's share of every phase, in order."""
    run = _Run(memory, sorted(set(_parts(written))))
    pointers = {
        s: pointer(run.code, "%table", memory.place(s))
        for s in dict.fromkeys([BARRIER, *_outside(written)])
    }
    run.kernels(written, pointers, {})
    run.flush()
    body = "\n".join(run.code.lines)
    head = f"define void @run{number}(ptr %table, i64 %thread, i64 %threads) #0"
    return f"{head} {{\nentry:\n{body}\n  ret void\n}}\n"


def shares(written: Sequence[Written]) -> bool:
    """Whether there is anything for a second thread to do."""
    return any(
        shares([*w.loop.before, *w.loop.body]) if w.loop else any(p.parts > 1 for p in w.phases)
        for w in written
    )


def _parts(written: Sequence[Written]) -> Iterator[int]:
    """Into how many parts threads share the phases."""
    for w in written:
        if w.loop is not None:
            yield from _parts([*w.loop.before, *w.loop.body])
        else:
            yield from (phase.parts for phase in w.phases if phase.parts > 1)


def _outside(written: Sequence[Written]) -> Iterator[Symbol]:
    """The values whose addresses stand in the table: all but the rows that move with a loop."""
    for w in written:
        yield from w.operands
        if w.loop is not None:
            inside = _outside([*w.loop.before, *w.loop.body])
            yield from (s for s in inside if s not in w.loop.moving)


class _Run:
    """Writes the calls, and the meetings that they need."""

    def __init__(self, memory: Memory, parts: Sequence[int]) -> None:
        self.memory, self.code = memory, Code()
        self.spans = {count: span(self.code, count) for count in parts}  # once, not at every phase
        self.first = self.code.let("icmp eq i64 %thread, 0")
        self.since: list[Touch] = []  # the phases since threads last met
        self.alone: list[str] = []  # calls in a row that one thread makes

    def kernels(self, written: Sequence[Written], pointers: Pointers, rows: Rows) -> None:
        """The kernels in order; `rows`: whose rows the moving values are."""
        for w in written:
            if w.loop is not None:
                self._loop(w.loop, pointers, rows)
                continue
            for phase in w.phases:
                taken = ", ".join(f"ptr {pointers[s]}" for s in phase.operands)
                regions = {s: self.memory.region(_root(s, rows)) for s in phase.operands}
                reads = frozenset(r for s, r in regions.items() if s not in w.writes)
                writes = frozenset(r for s, r in regions.items() if s in w.writes)
                self._call(phase.name, taken, Touch(phase.parts, reads, writes))

    def _call(self, name: str, taken: str, touch: Touch) -> None:
        if any(_clash(earlier, touch) for earlier in self.since):
            self._meet()
        self.since.append(touch)
        if touch.parts == 1:
            self.alone.append(f"call void @{name}({taken})")
            return
        self.flush()
        taken += ", " if taken else ""
        begin, end, some = self.spans[touch.parts]
        call = f"call void @{name}({taken}i64 {begin}, i64 {end})"
        self.code.when(some, lambda: self.code.emit(call))

    def _meet(self) -> None:
        self.flush()
        barrier = pointer(self.code, "%table", self.memory.place(BARRIER))
        self.code.emit(f"call void @meet(ptr {barrier}, i64 %threads)")
        self.since = []

    def flush(self) -> None:
        """Write the calls that one thread makes."""
        calls, self.alone = self.alone, []
        if calls:
            self.code.when(self.first, lambda: self.code.emit("\n  ".join(calls)))

    def _loop(self, loop: Loop, pointers: Pointers, rows: Rows) -> None:
        """A round for each position; threads that share its work meet before every round."""
        self.kernels(loop.before, pointers, rows)
        self.flush()
        shared = shares(loop.body)

        def round_(number: Index) -> None:
            if shared:
                self._meet()
            at = number
            if loop.reverse:
                at = self.code.let(f"sub i64 {loop.length - 1}, {number}")
            here = dict(pointers)
            for row, (whole, size) in loop.moving.items():
                moved = self.code.mul(at, size)
                here[row] = self.code.let(f"getelementptr i8, ptr {here[whole]}, i64 {moved}")
            inside = {**rows, **{row: whole for row, (whole, _) in loop.moving.items()}}
            self.kernels(loop.body, here, inside)
            self.flush()

        self.code.loop(loop.length, lambda number, _: round_(number))


Rows = dict[Symbol, Symbol]


def _root(symbol: Symbol, rows: Rows) -> Symbol:
    while symbol in rows:
        symbol = rows[symbol]
    return symbol


def share(code: Code, parts: int, body: Callable[[Index, Index], None]) -> None:
    """Run `body(begin, end)` for this thread's share of so many parts, if there is any."""
    begin, end, some = span(code, parts)
    code.when(some, lambda: body(begin, end))


def span(code: Code, parts: int) -> tuple[str, str, str]:
    """Where this thread's share of so many parts begins and ends, and whether there is any."""
    begin, end = (
        code.let(f"udiv i64 {code.mul(parts, who)}, %threads")
        for who in ("%thread", code.add("%thread", 1))
    )
    return begin, end, code.let(f"icmp ult i64 {begin}, {end}")


def pointer(code: Code, table: str, place: int) -> str:
    """The address that a table of addresses holds at a place."""
    address = code.let(f"getelementptr ptr, ptr {table}, i64 {place}")
    return code.let(f"load ptr, ptr {address}, align 8")


def _clash(first: Touch, second: Touch) -> bool:
    """Whether one thread might still be at the first when another is at the second, to its harm."""
    if first.parts == second.parts == 1:
        return False
    return _overlap(first.writes, second.reads | second.writes) or _overlap(
        first.reads, second.writes
    )


def _overlap(some: frozenset[Region], others: frozenset[Region]) -> bool:
    return any(a[0] is b[0] and a[1] < b[2] and b[1] < a[2] for a in some for b in others)


_YIELD = "SwitchToThread" if sys.platform == "win32" else "sched_yield"

MEET = f"""
declare i32 @{_YIELD}()

define internal void @meet(ptr %barrier, i64 %threads) #0 {{
entry:
  %alone = icmp eq i64 %threads, 1
  br i1 %alone, label %done, label %come
come:
  %round.at = getelementptr i64, ptr %barrier, i64 8
  %round = load atomic i64, ptr %round.at monotonic, align 8
  %before = atomicrmw add ptr %barrier, i64 1 acq_rel
  %came = add i64 %before, 1
  %last = icmp eq i64 %came, %threads
  br i1 %last, label %open, label %wait
open:
  store atomic i64 0, ptr %barrier monotonic, align 8
  %next = add i64 %round, 1
  store atomic i64 %next, ptr %round.at release, align 8
  br label %done
wait:
  %spins = phi i64 [ 0, %come ], [ %more, %again ]
  %now = load atomic i64, ptr %round.at acquire, align 8
  %through = icmp ne i64 %now, %round
  br i1 %through, label %done, label %longer
longer:
  %more = add i64 %spins, 1
  %tired = icmp ugt i64 %spins, 4000
  br i1 %tired, label %yield, label %again
yield:
  %_ = call i32 @{_YIELD}()
  br label %again
again:
  br label %wait
done:
  ret void
}}
"""
"""`meet(barrier, threads)`: go on when all came. Who waits long gives its core to others."""

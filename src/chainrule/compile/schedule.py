"""The function that runs a program's phases one after the other, and where its threads meet."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chainrule.compile.ir import Code, Index
from chainrule.core.value import Symbol
from chainrule.spec import I64

BARRIER = Symbol((16,), I64, 0)
"""What threads count in when they meet: who came, and a cache line further, how often they met."""

Region = tuple[object, int, int]
"""A piece of memory: whose, from which byte, to below which."""


@dataclass(frozen=True)
class Call:
    """One phase: a function, the pointers it takes, and what it reads and writes behind them."""

    name: str
    parts: int
    pointers: Sequence[Symbol]
    reads: frozenset[Region]
    writes: frozenset[Region]


def run_text(number: int, calls: Sequence[Call], slots: dict[Symbol, int]) -> str:
    """`run<number>(table, thread, threads)`: this thread's share of every phase, in order."""
    code = Code()
    needed = dict.fromkeys([BARRIER, *(s for call in calls for s in call.pointers)])
    pointers = {s: pointer(code, "%table", slots[s]) for s in needed}
    first = code.let("icmp eq i64 %thread, 0")
    for meets, group in _groups(calls):
        if meets:
            code.emit(f"call void @meet(ptr {pointers[BARRIER]}, i64 %threads)")
        arguments = [", ".join(f"ptr {pointers[s]}" for s in call.pointers) for call in group]
        if group[0].parts > 1:
            share(code, group[0].parts, _shared(code, group[0].name, arguments[0]))
        else:
            code.when(first, _alone(code, [c.name for c in group], arguments))
    body = "\n".join(code.lines)
    head = f"define void @run{number}(ptr %table, i64 %thread, i64 %threads) #0"
    return f"{head} {{\nentry:\n{body}\n  ret void\n}}\n"


def share(code: Code, parts: int, body: Callable[[Index, Index], None]) -> None:
    """Run `body(begin, end)` for this thread's share of so many parts, if there is any."""
    begin, end = (
        code.let(f"udiv i64 {code.mul(parts, who)}, %threads")
        for who in ("%thread", code.add("%thread", 1))
    )
    some = code.let(f"icmp ult i64 {begin}, {end}")
    code.when(some, lambda: body(begin, end))


def pointer(code: Code, table: str, place: int) -> str:
    """The address that a table of addresses holds at a place."""
    address = code.let(f"getelementptr ptr, ptr {table}, i64 {place}")
    return code.let(f"load ptr, ptr {address}, align 8")


def _shared(code: Code, name: str, arguments: str) -> Callable[[Index, Index], None]:
    taken = f"{arguments}, " if arguments else ""
    return lambda begin, end: code.emit(f"call void @{name}({taken}i64 {begin}, i64 {end})")


def _alone(code: Code, names: Sequence[str], arguments: Sequence[str]) -> Callable[[], None]:
    def body() -> None:
        for name, taken in zip(names, arguments, strict=True):
            code.emit(f"call void @{name}({taken})")

    return body


def _groups(calls: Sequence[Call]) -> list[tuple[bool, list[Call]]]:
    """Calls that one thread runs in a row are one group; and before which groups threads meet."""
    groups: list[tuple[bool, list[Call]]] = []
    since: list[Call] = []  # the calls since threads last met
    for call in calls:
        meets = any(_clash(earlier, call) for earlier in since)
        since = [call] if meets else [*since, call]
        if groups and not meets and call.parts == groups[-1][1][-1].parts == 1:
            groups[-1][1].append(call)
        else:
            groups.append((meets, [call]))
    return groups


def _clash(first: Call, second: Call) -> bool:
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

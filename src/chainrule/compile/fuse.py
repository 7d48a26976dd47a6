"""From a Program to kernels: which instructions become one loop nest, and in which order they run.

A kernel has at most one root, an instruction that is more than element by element (a contraction,
an indexing, a reduction of other than the last axes); pointwise instructions of a contraction's
shape join it as its epilogue. Or it runs row by row (`rows.py`), with any number of reductions of
the last axes. What merely reads memory in another order is a view and costs nothing.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.compile.rows import Rows
from chainrule.compile.views import View, contiguous
from chainrule.core.op import (
    Contract,
    Create,
    Index,
    Join,
    Place,
    Pointwise,
    Random,
    Reduce,
    Reindex,
)
from chainrule.core.program import Instruction, Program
from chainrule.core.value import Symbol

ROOTS = (Contract, Reduce, Index, Join, Place, Random)
"""The kinds that native kernels are written for, besides Pointwise, Reindex and Create."""


@dataclass(eq=False)
class Kernel:
    """Instructions that run as one loop nest."""

    number: int
    shape: tuple[int, ...]  # of the loops of its pointwise members
    members: list[Instruction] = field(default_factory=list)  # in order, the root included
    root: Instruction | None = None
    stores: list[Symbol] = field(default_factory=list)  # results that somebody else reads
    rows: Rows | None = None  # where it runs row by row
    same: dict[Symbol, Symbol] = field(default_factory=dict)  # what rows read -> who makes it

    @property
    def pointwise(self) -> list[Instruction]:
        """Its members that work element by element."""
        return [made for made in self.members if made is not self.root]

    @property
    def native(self) -> bool:
        """Whether it becomes machine code; else NumPy runs it."""
        return self.root is None or isinstance(self.root.op.lower, (*ROOTS, Reindex))

    def made(self) -> set[Symbol]:
        """Every value that it computes."""
        return {symbol for made in self.members for symbol in made.outputs}


@dataclass(eq=False)
class Fused:
    """A program as kernels in the order they run, and where each value lies."""

    program: Program
    kernels: list[Kernel]
    views: dict[Symbol, View]  # of every value that is not only inside of one kernel
    constants: dict[Symbol, Any]  # arrays known now
    same: dict[Symbol, Symbol]  # values that are others under another name: read there instead

    def base(self, symbol: Any) -> Any:
        """The symbol whose memory a value lies in."""
        view = self.views.get(symbol) if isinstance(symbol, Symbol) else None
        return symbol if view is None else view.base

    def bases(self) -> list[Symbol]:
        """The symbols that have memory of their own."""
        return list(dict.fromkeys(view.base for view in self.views.values()))


def fuse(program: Program) -> Fused:
    """Divide a program into kernels."""
    work = _Fusion(program)
    for made in program.instructions:
        work.place(made)
    work.hand_on()
    return work.finish()


class _Fusion:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.views: dict[Symbol, View] = {s: View.of(s) for s in program.heads()}
        self.constants: dict[Symbol, Any] = dict(program.constants)
        self.kernel_of: dict[Symbol, Kernel] = {}
        self.kernels: dict[int, Kernel] = {}
        self.reads: dict[Kernel, set[View]] = {}  # what its members read of what kernels make
        self.last: dict[Kernel, int] = {}  # the place of its last instruction
        self.order = {made: i for i, made in enumerate(program.instructions)}
        reads, assigns = program.reads, program.assigns
        self.new = {assigns[name] for name in assigns if name in reads}  # of cells

    def place(self, made: Instruction) -> None:
        lower = made.op.lower
        if isinstance(lower, Create):
            self._create(made)
        elif isinstance(lower, Reindex) and self._as_view(made):
            return
        elif isinstance(lower, Pointwise):
            self._joined(made, self._new(made))
        elif rows := Rows.of(made):
            self._joined(made, self._new(made, rows=rows))
        else:
            self._new(made, root=made)

    def _create(self, made: Instruction) -> None:
        """Known now: kept once, however often it is repeated."""
        array = np.asarray(made.op.forward(**made.settings))
        out = made.outputs[0]
        strides = [0] * array.ndim
        for axis in range(array.ndim):
            first = array[tuple(np.s_[:1] if i == axis else np.s_[:] for i in range(array.ndim))]
            if array.size and (array == first).all():
                array = first
            else:
                strides[axis] = -1
        plain = contiguous(array.shape)
        steps = tuple(p if s else 0 for s, p in zip(strides, plain, strict=True))
        self.constants[out] = np.ascontiguousarray(array)
        self.views[out] = View(out, tuple(out.shape), steps)

    def _as_view(self, made: Instruction) -> bool:
        (source,) = made.inputs
        if not isinstance(source, Symbol):
            return False
        view = self.views[source].reindexed(made)
        if view is None:
            return False
        self.views[made.outputs[0]] = view
        return True

    # -- joining while the kernels are made

    def _new(
        self, made: Instruction, root: Instruction | None = None, rows: Rows | None = None
    ) -> Kernel:
        shape = rows.shape if rows else tuple(made.outputs[0].shape)
        kernel = Kernel(self.order[made], shape, [made], root, rows=rows)
        self.kernels[kernel.number] = kernel
        self.reads[kernel] = set(self._views(made))
        self.last[kernel] = self.order[made]
        for out in made.outputs:
            self.kernel_of[out] = kernel
            self.views[out] = View.of(out)
        return kernel

    def _views(self, made: Instruction) -> Iterator[View]:
        """How an instruction reads what kernels make."""
        for source in made.inputs:
            if isinstance(source, Symbol) and self.views[source].base in self.kernel_of:
                yield self.views[source]

    def _joined(self, made: Instruction, kernel: Kernel) -> None:
        """Join the kernel of a new instruction with those that make what it reads."""
        for view in self._views(made):
            other = self.kernel_of[view.base]
            if other is not kernel and self._may_join(other, kernel):
                kernel = self._join(other, kernel)

    def _may_join(self, first: Kernel, second: Kernel) -> bool:
        """Whether they can be one kernel; the second reads from the first."""
        rows = first.rows or second.rows
        fits = self._same_rows(first, second, rows) if rows else _same_elements(first, second)
        return (
            fits
            and self._in_step(first, second, rows)
            and self._in_step(second, first, rows)
            and not self._leads(first, second)
            and not self._leads(second, first)
        )

    def _same_rows(self, first: Kernel, second: Kernel, rows: Rows) -> bool:
        if first.root or second.root or (first.rows or rows) != (second.rows or rows):
            return False
        if not all(
            k.rows or rows.is_full(k.shape) or rows.is_row(k.shape) for k in (first, second)
        ):
            return False
        # Who waits for one of two single numbers should not wait for both.
        if first.rows and second.rows and rows.alone and len(second.members) > 1:
            return False
        # The new value of a cell is written over the old one, which every stage may read.
        if not self.new.isdisjoint([*first.made(), *second.made()]):
            return False
        later = first.rows is not None and (second.rows or rows.is_full(second.shape))
        return not later or all(rows.narrow(made) for made in second.members)

    def _in_step(self, reader: Kernel, maker: Kernel, rows: Rows | None) -> bool:
        """Whether one reads what the other makes element by element, or row by row."""
        return all(
            rows.in_step(view) if rows else view == View.of(view.base)
            for view in self.reads[reader]
            if self.kernel_of[view.base] is maker
        )

    def _leads(self, start: Kernel, end: Kernel) -> bool:
        """Whether something outside of both comes after the first and before the second."""
        seen = {start, end}
        stack = [kernel for kernel in self._before(end) if kernel not in seen]
        while stack:
            kernel = stack.pop()
            # What reads from the first has an instruction after its first one.
            if kernel in seen or self.last[kernel] < start.number:
                continue
            seen.add(kernel)
            before = self._before(kernel)
            if start in before:
                return True
            stack += before
        return False

    def _before(self, kernel: Kernel) -> set[Kernel]:
        """The kernels that this one reads from."""
        return {self.kernel_of[view.base] for view in self.reads[kernel]} - {kernel}

    def _join(self, first: Kernel, second: Kernel) -> Kernel:
        """Both as the one that begins earlier."""
        first, second = sorted((first, second), key=lambda kernel: kernel.number)
        first.members += second.members
        first.root = first.root or second.root
        first.rows = first.rows or second.rows
        first.shape = first.rows.shape if first.rows else first.shape
        self.reads[first] |= self.reads.pop(second)
        self.last[first] = max(self.last[first], self.last.pop(second))
        for symbol in second.made():
            self.kernel_of[symbol] = first
        del self.kernels[second.number]
        return first

    # -- when all kernels are there

    def hand_on(self) -> None:
        """What only one later reduction needs is computed there, if fewer values are stored so."""
        self.readers = self._readers()
        for kernel in list(self.kernels.values())[::-1]:
            lower = kernel.root.op.lower if kernel.root else None
            if kernel.rows is None and not isinstance(lower, Reduce):
                continue
            for maker in sorted(self._before(kernel), key=lambda k: -k.number):
                if maker.root is None or isinstance(maker.root.op.lower, Contract):
                    self._hand_on(maker, kernel)

    def _readers(self) -> dict[Symbol, list[Any]]:
        """For each value of a kernel the instructions that read it; "the end" for results."""
        found: dict[Symbol, list[Any]] = {symbol: [] for symbol in self.kernel_of}
        for kernel in self.kernels.values():
            for made in kernel.members:
                for view in self._views(made):
                    found[view.base].append(made)
        for symbol in self.program.results():
            if isinstance(symbol, Symbol) and self.views[symbol].base in found:
                found[self.views[symbol].base].append("the end")
        return found

    def _hand_on(self, maker: Kernel, kernel: Kernel) -> None:
        moved = self._only_for(kernel, maker)
        stored = sum(self._outside(symbol, maker) for symbol in maker.made())
        left = [made for made in maker.members if made not in moved]
        kept = sum(
            any(self._reader(r, moved, kernel) is not maker for r in self.readers[symbol])
            for made in left
            for symbol in made.outputs
        )
        if not moved or kept >= stored or not self._may_move(moved, kernel):
            return
        for made in moved:
            self.kernel_of[made.outputs[0]] = kernel
        kernel.members += moved
        maker.members = left
        if not left:
            del self.kernels[maker.number]
        for changed in (kernel, maker):
            self.reads[changed] = {v for made in changed.members for v in self._views(made)}

    def _only_for(self, kernel: Kernel, maker: Kernel) -> dict[Instruction, None]:
        """The pointwise members whose results nobody but the other kernel needs."""
        found: dict[Instruction, None] = {}
        for made in sorted(maker.members, key=self.order.__getitem__, reverse=True):
            readers = {self._reader(r, found, kernel) for r in self.readers[made.outputs[0]]}
            if isinstance(made.op.lower, Pointwise) and readers == {kernel}:
                found[made] = None
        return found

    def _reader(self, reader: Any, moved: dict[Instruction, None], kernel: Kernel) -> Kernel | None:
        """The kernel of an instruction when those to be moved are in another; None for the end."""
        if reader == "the end":
            return None
        return kernel if reader in moved else self.kernel_of[reader.outputs[0]]

    def _may_move(self, moved: dict[Instruction, None], kernel: Kernel) -> bool:
        rows, root = kernel.rows, kernel.root
        made = {one.outputs[0] for one in moved}
        readers = [*moved, *kernel.members]
        views = [view for one in readers for view in self._views(one) if view.base in made]
        if rows is None:
            assert root is not None
            shapes = {tuple(symbol.shape) for symbol in made}
            return shapes == {tuple(root.inputs[0].shape)} and all(
                view == View.of(view.base) for view in views
            )
        return (
            self.new.isdisjoint(made)
            and all(rows.is_full(tuple(s.shape)) or rows.is_row(tuple(s.shape)) for s in made)
            and all(rows.in_step(view) for view in views)
        )

    def _outside(self, symbol: Symbol, kernel: Kernel) -> bool:
        """Whether somebody reads a value from outside of its kernel."""
        return any(self._reader(r, {}, kernel) is not kernel for r in self.readers[symbol])

    def finish(self) -> Fused:
        for kernel in self.kernels.values():
            kernel.members.sort(key=self.order.__getitem__)
            made = [symbol for one in kernel.members for symbol in one.outputs]
            kernel.stores = [symbol for symbol in made if self._outside(symbol, kernel)]
            if kernel.rows:
                kernel.same = self._made_inside(kernel)
        kernels = self._sorted()
        kept = {s for k in kernels for s in k.stores}
        inside = self.kernel_of.keys() - kept
        views = {s: v for s, v in self.views.items() if v.base not in inside}
        same = {
            s: v.base for s, v in self.views.items() if s is not v.base and v == View.of(v.base)
        }
        return Fused(self.program, kernels, views, self.constants, same)

    def _made_inside(self, kernel: Kernel) -> dict[Symbol, Symbol]:
        sources = {s for made in kernel.members for s in made.inputs if isinstance(s, Symbol)}
        return {
            source: self.views[source].base
            for source in sources
            if self.kernel_of.get(self.views[source].base) is kernel
        }

    def _sorted(self) -> list[Kernel]:
        """After what they read; else by their last instruction, so that updates come late."""
        waiting = {kernel: self._before(kernel) for kernel in self.kernels.values()}
        after: dict[Kernel, list[Kernel]] = {kernel: [] for kernel in waiting}
        for kernel, before in waiting.items():
            for other in before:
                after[other].append(kernel)
        last = {kernel: self.order[kernel.members[-1]] for kernel in waiting}
        ready = [(last[kernel], kernel.number) for kernel, before in waiting.items() if not before]
        heapq.heapify(ready)
        done: list[Kernel] = []
        while ready:
            kernel = self.kernels[heapq.heappop(ready)[1]]
            done.append(kernel)
            for other in after[kernel]:
                waiting[other].discard(kernel)
                if not waiting[other]:
                    heapq.heappush(ready, (last[other], other.number))
        return done


def _same_elements(first: Kernel, second: Kernel) -> bool:
    """Whether two kernels have the same loops, and at most one a root, which is a contraction."""
    root = first.root or second.root
    one = not (first.root and second.root)
    return (
        first.shape == second.shape
        and one
        and (root is None or isinstance(root.op.lower, Contract))
    )

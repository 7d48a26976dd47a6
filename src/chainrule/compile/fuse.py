"""From a Program to kernels: which instructions become one loop nest, and in which order they run.

A kernel has at most one root, an instruction that is more than element by element (a contraction, a
reduction, an indexing). Pointwise instructions of the root's output shape join it as its epilogue,
those that only feed a reduction as its prologue. What merely reads memory in another order is a
view and costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

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
    work.join_prologues()
    return work.finish()


class _Fusion:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.views: dict[Symbol, View] = {s: View.of(s) for s in program.heads()}
        self.constants: dict[Symbol, Any] = dict(program.constants)
        self.kernel_of: dict[Symbol, Kernel] = {}
        self.kernels: dict[int, Kernel] = {}
        self.order = {made: i for i, made in enumerate(program.instructions)}
        self.readers = _readers(program)

    def place(self, made: Instruction) -> None:
        lower = made.op.lower
        if isinstance(lower, Create):
            self._create(made)
        elif isinstance(lower, Reindex) and self._as_view(made):
            return
        elif isinstance(lower, Pointwise):
            self._pointwise(made)
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

    def _new(self, made: Instruction, root: Instruction | None = None) -> Kernel:
        shape = tuple(made.outputs[0].shape)
        kernel = Kernel(self.order[made], shape, [made], root)
        self.kernels[kernel.number] = kernel
        for out in made.outputs:
            self.kernel_of[out] = kernel
            self.views[out] = View.of(out)
        return kernel

    def _pointwise(self, made: Instruction) -> None:
        kernel = self._new(made)
        for source in made.inputs:
            if not isinstance(source, Symbol):
                continue
            view = self.views[source]
            other = self.kernel_of.get(view.base)
            same = tuple(view.base.shape) == view.shape and view == View.of(view.base)
            if other is not None and other is not kernel and same and self._may_join(other, kernel):
                kernel = self._join(other, kernel)

    def _may_join(self, first: Kernel, second: Kernel) -> bool:
        if first.shape != second.shape or (first.root and second.root):
            return False
        root = first.root or second.root
        if root is not None and not isinstance(root.op.lower, Contract):
            return False
        if self._read_elsewhere(first, second) or self._read_elsewhere(second, first):
            return False
        return not self._path_through_others(first, second)

    def _read_elsewhere(self, reader: Kernel, maker: Kernel) -> bool:
        """Whether one reads what the other makes at other places, and so needs all of it."""
        made = maker.made()
        return any(
            self.views[source].base in made
            and self.views[source] != View.of(self.views[source].base)
            for one in reader.members
            for source in one.inputs
            if isinstance(source, Symbol)
        )

    def _path_through_others(self, first: Kernel, second: Kernel) -> bool:
        """Whether something outside of both comes after one of them and before the other."""
        return self._leads(first, second) or self._leads(second, first)

    def _leads(self, start: Kernel, end: Kernel) -> bool:
        seen = {start.number, end.number}
        stack = [k for k in self._before(end) if k.number not in seen]
        while stack:
            kernel = stack.pop()
            if kernel.number in seen:
                continue
            seen.add(kernel.number)
            for earlier in self._before(kernel):
                if earlier is start:
                    return True
                stack.append(earlier)
        return False

    def _before(self, kernel: Kernel) -> list[Kernel]:
        """The kernels that this one reads from."""
        found = {}
        for made in kernel.members:
            for source in made.inputs:
                if isinstance(source, Symbol):
                    other = self.kernel_of.get(self.views[source].base)
                    if other is not None and other is not kernel:
                        found[other.number] = other
        return list(found.values())

    def _join(self, first: Kernel, second: Kernel) -> Kernel:
        first.members = sorted(first.members + second.members, key=self.order.__getitem__)
        first.root = first.root or second.root
        for symbol in second.made():
            self.kernel_of[symbol] = first
        del self.kernels[second.number]
        return first

    def join_prologues(self) -> None:
        """What is computed only to be reduced is computed while it is reduced."""
        for kernel in list(self.kernels.values()):
            root = kernel.root
            if root is None or not isinstance(root.op.lower, Reduce) or len(kernel.members) > 1:
                continue
            view = self.views[root.inputs[0]]
            other = self.kernel_of.get(view.base)
            if other is None or other.root is not None or view != View.of(view.base):
                continue
            readers = {r for symbol in other.made() for r in self._outside(symbol, other)}
            if readers == {root}:
                kernel.members = [*other.members, root]
                for symbol in other.made():
                    self.kernel_of[symbol] = kernel
                del self.kernels[other.number]

    def _outside(self, symbol: Symbol, kernel: Kernel) -> set[Any]:
        """Who reads a value from outside of its kernel: instructions, or "the end"."""
        found: set[Any] = set()
        for reader in self.readers.get(symbol, ()):
            if reader == "the end":
                found.add(reader)
            elif reader not in kernel.members:
                through = isinstance(reader.op.lower, Reindex) and (
                    self.views[reader.outputs[0]].base is self.views[symbol].base
                )
                found |= self._outside(reader.outputs[0], kernel) if through else {reader}
        return found

    def finish(self) -> Fused:
        for kernel in self.kernels.values():
            kernel.stores = [
                symbol
                for made in kernel.members
                for symbol in made.outputs
                if self._outside(symbol, kernel)
            ]
        kernels = self._sorted()
        kept = {s for k in kernels for s in k.stores}
        inside = {s for k in kernels for s in k.made()} - kept
        views = {s: v for s, v in self.views.items() if v.base not in inside}
        same = {
            s: v.base for s, v in self.views.items() if s is not v.base and v == View.of(v.base)
        }
        return Fused(self.program, kernels, views, self.constants, same)

    def _sorted(self) -> list[Kernel]:
        """After what they read; else by their last instruction, so that updates come late."""
        waiting = {
            n: {k.number for k in self._before(kernel)} for n, kernel in self.kernels.items()
        }
        done: list[Kernel] = []
        last = {n: max(map(self.order.__getitem__, k.members)) for n, k in self.kernels.items()}
        while waiting:
            ready = min((n for n, before in waiting.items() if not before), key=last.__getitem__)
            done.append(self.kernels[ready])
            del waiting[ready]
            for before in waiting.values():
                before.discard(ready)
        return done


def _readers(program: Program) -> dict[Symbol, list[Any]]:
    """For each value the instructions that read it; "the end" for results."""
    found: dict[Symbol, list[Any]] = {}
    for made in program.instructions:
        for source in made.inputs:
            if isinstance(source, Symbol):
                found.setdefault(source, []).append(made)
    for symbol in program.results():
        if isinstance(symbol, Symbol):
            found.setdefault(symbol, []).append("the end")
    return found

"""What only one later reduction needs is computed there, if fewer values are stored so."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from chainrule.compiler.groups import Groups, Kernel
from chainrule.compiler.views import View
from chainrule.core.op import Contract, Pointwise, Reduce
from chainrule.core.program import Instruction
from chainrule.core.value import Symbol

THE_END = "the end"
"""Who reads what a program gives out."""

Readers = dict[Symbol, list[Any]]
"""For each value that a kernel makes the instructions that read it, and THE_END."""


def readers_of(groups: Groups, results: Collection[Any]) -> Readers:
    """Who reads what kernels make, through views too."""
    found: Readers = {symbol: [] for symbol in groups.kernel_of}
    for kernel in groups.kernels.values():
        for made in kernel.members:
            for view in groups.read(made):
                found[view.base].append(made)
    for symbol in results:
        if isinstance(symbol, Symbol) and groups.views[symbol].base in found:
            found[groups.views[symbol].base].append(THE_END)
    return found


def hand_on(groups: Groups, readers: Readers) -> None:
    """Move members of kernels into the reductions that they are only computed for."""
    for kernel in list(groups.kernels.values())[::-1]:
        lower = kernel.root.op.lower if kernel.root else None
        if kernel.rows is None and not isinstance(lower, Reduce):
            continue
        for maker in sorted(groups.before(kernel), key=lambda k: -k.number):
            if maker.root is None or isinstance(maker.root.op.lower, Contract):
                _Move(groups, readers, maker, kernel).make()


class _Move:
    """Of members of one kernel into another that reads from it."""

    def __init__(self, groups: Groups, readers: Readers, maker: Kernel, kernel: Kernel) -> None:
        self.groups, self.readers, self.maker, self.kernel = groups, readers, maker, kernel
        self.moved: dict[Instruction, None] = {}
        for made in sorted(maker.members, key=groups.order.__getitem__, reverse=True):
            if isinstance(made.op.lower, Pointwise) and self._only_for_kernel(made):
                self.moved[made] = None

    def _only_for_kernel(self, made: Instruction) -> bool:
        return {self._reader(r) for r in self.readers[made.outputs[0]]} == {self.kernel}

    def _reader(self, reader: Any) -> Kernel | None:
        """The kernel of a reader after the move; None for the end."""
        if reader is THE_END:
            return None
        return self.kernel if reader in self.moved else self.groups.kernel_of[reader.outputs[0]]

    def make(self) -> None:
        """If it may and should be made."""
        left = [made for made in self.maker.members if made not in self.moved]
        before = sum(self._outside(made, {}) for made in self.maker.members)
        after = sum(self._outside(made, self.moved) for made in left)
        if not self.moved or after >= before or not self._possible():
            return
        groups = self.groups
        for made in self.moved:
            groups.kernel_of[made.outputs[0]] = self.kernel
        self.kernel.members += self.moved
        self.maker.members = left
        if not left:
            del groups.kernels[self.maker.number]
        for changed in (self.kernel, self.maker):
            groups.reads[changed] = {v for made in changed.members for v in groups.read(made)}

    def _outside(self, made: Instruction, moved: Collection[Instruction]) -> int:
        """How many of its results are read from outside, when some members have moved."""
        return sum(
            any(r in moved or self._now(r) is not self.maker for r in self.readers[symbol])
            for symbol in made.outputs
        )

    def _now(self, reader: Any) -> Kernel | None:
        return None if reader is THE_END else self.groups.kernel_of[reader.outputs[0]]

    def _possible(self) -> bool:
        """Whether what moves fits the loops there, and is read in step."""
        rows, root, groups = self.kernel.rows, self.kernel.root, self.groups
        made = {one.outputs[0] for one in self.moved}
        readers = [*self.moved, *self.kernel.members]
        views = [view for one in readers for view in groups.read(one) if view.base in made]
        shapes = {tuple(symbol.shape) for symbol in made}
        if rows is None:
            assert root is not None
            inside = {tuple(root.inputs[0].shape)}
            return shapes == inside and all(view == View.of(view.base) for view in views)
        return (
            groups.new.isdisjoint(made)
            and all(map(rows.takes, shapes))
            and all(map(rows.in_step, views))
        )

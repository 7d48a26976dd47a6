"""Instructions gathered into kernels, and which kernels may become one.

Two may where each reads what the other makes element by element, or row by row, and nothing outside
of both has to run between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from chainrule.compiler.rows import Rows
from chainrule.compiler.views import View
from chainrule.core.op import Contract
from chainrule.core.program import Instruction
from chainrule.core.value import Symbol


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

    def made(self) -> set[Symbol]:
        """Every value that it computes."""
        return {symbol for made in self.members for symbol in made.outputs}


class Groups:
    """Kernels while they are made: numbered by their first instruction.

    `views`: how values lie in memory; `order`: the place of each instruction; `new`: values that
    will be written over old ones.
    """

    def __init__(
        self, views: dict[Symbol, View], order: dict[Instruction, int], new: Iterable[Symbol]
    ) -> None:
        self.views, self.order, self.new = views, order, frozenset(new)
        self.kernels: dict[int, Kernel] = {}
        self.kernel_of: dict[Symbol, Kernel] = {}
        self.reads: dict[Kernel, set[View]] = {}  # what its members read of what kernels make

    def add(
        self, made: Instruction, root: Instruction | None = None, rows: Rows | None = None
    ) -> Kernel:
        """A kernel of one instruction."""
        shape = rows.shape if rows else tuple(made.outputs[0].shape)
        kernel = Kernel(self.order[made], shape, [made], root, rows=rows)
        self.kernels[kernel.number] = kernel
        self.reads[kernel] = set(self.read(made))
        for out in made.outputs:
            self.kernel_of[out] = kernel
            self.views[out] = View.of(out)
        return kernel

    def read(self, made: Instruction) -> Iterator[View]:
        """How an instruction reads what kernels make."""
        for source in made.inputs:
            if isinstance(source, Symbol) and self.views[source].base in self.kernel_of:
                yield self.views[source]

    def before(self, kernel: Kernel) -> set[Kernel]:
        """The kernels that this one reads from."""
        return {self.kernel_of[view.base] for view in self.reads[kernel]} - {kernel}

    def join(self, made: Instruction, kernel: Kernel) -> None:
        """Join the kernel of a new instruction with those that make what it reads."""
        for view in self.read(made):
            other = self.kernel_of[view.base]
            if other is not kernel and self._may_join(other, kernel):
                kernel = self._joined(other, kernel)

    def _joined(self, first: Kernel, second: Kernel) -> Kernel:
        """Both as the one that begins earlier."""
        first, second = sorted((first, second), key=lambda kernel: kernel.number)
        first.members += second.members
        first.root = first.root or second.root
        first.rows = first.rows or second.rows
        first.shape = first.rows.shape if first.rows else first.shape
        self.reads[first] |= self.reads.pop(second)
        for symbol in second.made():
            self.kernel_of[symbol] = first
        del self.kernels[second.number]
        return first

    def _may_join(self, first: Kernel, second: Kernel) -> bool:
        """Whether they can be one kernel; the second reads from the first."""
        rows = first.rows or second.rows
        fits = self._same_rows(first, second, rows) if rows else _same_elements(first, second)
        return (
            fits
            and self._in_step(first, second, rows)
            and self._in_step(second, first, rows)
            and not self._leads(first, second)
            # Nobody reads a new instruction yet.
            and (len(second.members) == 1 or not self._leads(second, first))
        )

    def _same_rows(self, first: Kernel, second: Kernel, rows: Rows) -> bool:
        """Whether both work on the same rows."""
        if first.root or second.root or (first.rows or rows) != (second.rows or rows):
            return False
        if not all(k.rows or rows.takes(k.shape) for k in (first, second)):
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
        stack = [kernel for kernel in self.before(end) if kernel not in seen]
        while stack:
            kernel = stack.pop()
            if kernel in seen:
                continue
            seen.add(kernel)
            before = self.before(kernel)
            if start in before:
                return True
            stack += before
        return False


def _same_elements(first: Kernel, second: Kernel) -> bool:
    """Whether two kernels have the same loops, and at most one a root, which is a contraction."""
    if first.shape != second.shape or (first.root and second.root):
        return False
    root = first.root or second.root
    return root is None or isinstance(root.op.lower, Contract)

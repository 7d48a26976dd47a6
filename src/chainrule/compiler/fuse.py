"""From a Program to kernels: which instructions become one loop nest, and in which order they run.

A kernel has at most one root, an instruction that is more than element by element (a contraction,
an indexing, a reduction of other than the last axes); pointwise instructions of a contraction's
shape join it as its epilogue. Or it runs row by row (`rows.py`), with any number of reductions of
the last axes, or of a window's. What merely reads memory in another order is a view and costs
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.compiler.groups import Groups, Kernel
from chainrule.compiler.hand_on import Readers, hand_on, readers_of
from chainrule.compiler.order import in_order
from chainrule.compiler.rows import Rows
from chainrule.compiler.views import View, contiguous
from chainrule.core.op import Create, Pointwise, Reindex
from chainrule.core.program import Instruction, Program
from chainrule.core.value import Symbol


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


def fuse(program: Program) -> Fused:
    """Divide a program into kernels."""
    work = _Fusion(program)
    for made in program.instructions:
        work.place(made)
    return work.finish()


class _Fusion:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.views: dict[Symbol, View] = {s: View.of(s) for s in program.heads()}
        self.constants: dict[Symbol, Any] = dict(program.constants)
        self.order = {made: i for i, made in enumerate(program.instructions)}
        reads, assigns = program.reads, program.assigns
        new = [assigns[name] for name in assigns if name in reads]
        self.groups = Groups(self.views, self.order, new)

    def place(self, made: Instruction) -> None:
        """One instruction more."""
        lower, groups = made.op.lower, self.groups
        if isinstance(lower, Create):
            self._create(made)
        elif isinstance(lower, Reindex) and self._as_view(made):
            return
        elif isinstance(lower, Pointwise):
            groups.join(made, groups.add(made))
        elif rows := Rows.of(made):
            groups.join(made, groups.add(made, rows=rows))
        else:
            groups.add(made, root=made)

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

    def finish(self) -> Fused:
        """The kernels in order, and what they store."""
        groups = self.groups
        readers = readers_of(groups, self.program.results())
        hand_on(groups, readers)
        for kernel in groups.kernels.values():
            kernel.members.sort(key=self.order.__getitem__)
            kernel.stores = self._stores(kernel, readers)
            if kernel.rows:
                kernel.same = self._made_inside(kernel)
        kernels = in_order(groups, self.program)
        inside = groups.kernel_of.keys() - {s for k in kernels for s in k.stores}
        views = {s: v for s, v in self.views.items() if v.base not in inside}
        same = {
            s: v.base for s, v in self.views.items() if s is not v.base and v == View.of(v.base)
        }
        return Fused(self.program, kernels, views, self.constants, same)

    def _stores(self, kernel: Kernel, readers: Readers) -> list[Symbol]:
        """The results that somebody outside reads."""
        members = set(kernel.members)
        made = [symbol for one in kernel.members for symbol in one.outputs]
        return [symbol for symbol in made if any(r not in members for r in readers[symbol])]

    def _made_inside(self, kernel: Kernel) -> dict[Symbol, Symbol]:
        """For each operand that a member makes that member's result, which it may be a view of."""
        kernel_of = self.groups.kernel_of
        sources = {s for made in kernel.members for s in made.inputs if isinstance(s, Symbol)}
        bases = {source: self.views[source].base for source in sources}
        return {s: base for s, base in bases.items() if kernel_of.get(base) is kernel}

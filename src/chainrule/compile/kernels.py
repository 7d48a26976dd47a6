"""Every kernel of a program written as LLVM functions, equal ones once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from chainrule.compile.fuse import Fused, Kernel
from chainrule.compile.llvm import host
from chainrule.compile.lookup import write_index
from chainrule.compile.loops import (
    copy_view,
    write_copy,
    write_join,
    write_place,
    write_pointwise,
)
from chainrule.compile.philox import write_random
from chainrule.compile.products import write_contract
from chainrule.compile.reductions import write_reduce
from chainrule.compile.views import View
from chainrule.compile.writer import Writer
from chainrule.core.op import Contract, Index, Join, Kind, Place, Random, Reduce, Reindex
from chainrule.core.value import Symbol

Write = Callable[[Writer], None]

WRITERS: dict[type[Kind], Write] = {
    Contract: write_contract,
    Reduce: write_reduce,
    Index: write_index,
    Join: write_join,
    Place: write_place,
    Random: write_random,
    Reindex: write_copy,
}


@dataclass(frozen=True, eq=False)
class Written:
    """A kernel as functions, one per phase; or as a loop over other kernels; or left to NumPy."""

    kernel: Kernel
    operands: Sequence[Symbol]  # whose memory it needs: what the functions' parameters point to
    writes: frozenset[Symbol] = frozenset()  # those of them that it changes
    phases: Sequence[tuple[str, int]] = ()  # a function's name, and its parts
    loop: Loop | None = None
    native: bool = True
    notes: dict[str, Any] = field(default_factory=dict)  # choices made, for the report


@dataclass(frozen=True, eq=False)
class Loop:
    """Kernels that run once for each position along an axis.

    `same`: values inside that lie where values outside do. `moving`: those that lie in a row of a
    value outside, and a row's bytes: at each position in another one.
    """

    length: int
    reverse: bool
    before: Sequence[Written]
    body: Sequence[Written]
    same: dict[Symbol, Symbol]
    moving: dict[Symbol, tuple[Symbol, int]]
    constants: dict[Symbol, Any]


@dataclass(eq=False)
class Kernels:
    """The functions of a program, and what they call."""

    functions: list[str] = field(default_factory=list)
    declarations: set[str] = field(default_factory=set)
    _names: dict[str, str] = field(default_factory=dict)

    def write(self, fused: Fused, kernel: Kernel) -> Written:
        """One kernel."""
        write = write_pointwise if kernel.root is None else WRITERS.get(type(kernel.root.op.lower))
        if write is None:
            return left_to_numpy(fused, kernel)
        return self._written(fused, kernel, write)

    def copy(self, fused: Fused, source: View, target: View) -> Written:
        """The elements of one view into the places of another."""
        kernel = Kernel(-1, source.shape, stores=[target.base])
        return self._written(fused, kernel, lambda writer: copy_view(writer, source, target))

    def _written(self, fused: Fused, kernel: Kernel, write: Write) -> Written:
        machine = host()
        writer = Writer(fused, kernel, machine.lanes, machine.registers)
        write(writer)
        for symbol in kernel.stores:  # an empty one is not written, and has a place all the same
            writer.pointer(symbol)
        pointers = list(writer.parameters.values())
        phases = []
        for phase in writer.finished():
            body = phase.text("NAME", pointers)
            if body not in self._names:
                self._names[body] = f"kernel{len(self._names)}"
                self.functions.append(phase.text(self._names[body], pointers))
            phases.append((self._names[body], phase.parts))
        self.declarations |= writer.code.uses
        changed = frozenset([*kernel.stores, *writer.scratch])
        return Written(kernel, list(writer.parameters), changed, phases, notes=writer.notes)


def left_to_numpy(fused: Fused, kernel: Kernel) -> Written:
    """A kernel that NumPy runs."""
    inputs = [
        fused.views[s].base for m in kernel.members for s in m.inputs if isinstance(s, Symbol)
    ]
    made = kernel.made()
    return Written(kernel, list(dict.fromkeys([*inputs, *made])), frozenset(made), native=False)

"""Every kernel of a program written as LLVM functions, equal ones once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from chainrule.compiler.fuse import Fused
from chainrule.compiler.groups import Kernel
from chainrule.compiler.llvm import host
from chainrule.compiler.lookup import write_index
from chainrule.compiler.loops import (
    copy_view,
    write_copy,
    write_join,
    write_place,
    write_pointwise,
)
from chainrule.compiler.philox import write_random
from chainrule.compiler.products import write_contract
from chainrule.compiler.reductions import write_reduce
from chainrule.compiler.row_loops import write_rows
from chainrule.compiler.structure import Structure, structure_of
from chainrule.compiler.views import View
from chainrule.compiler.window_loops import write_windows
from chainrule.compiler.writer import Phase, Writer
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


class Call(NamedTuple):
    """A phase: its function, in how many parts threads share it, and what it is given."""

    name: str
    parts: int
    operands: tuple[Symbol, ...]


@dataclass(frozen=True, eq=False)
class Written:
    """A kernel as functions, one per phase; or as a loop over other kernels; or left to NumPy."""

    kernel: Kernel
    operands: Sequence[Symbol]  # whose memory it needs
    writes: frozenset[Symbol] = frozenset()  # those of them that it changes
    phases: Sequence[Call] = ()
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
    _alike: dict[Structure, tuple[Written, list[Symbol]]] = field(default_factory=dict)

    def write(self, fused: Fused, kernel: Kernel) -> Written:
        """One kernel; those of equal layers are written once, and given other values."""
        write = _writer(kernel)
        if write is None:
            return left_to_numpy(fused, kernel)
        structure, values = structure_of(fused, kernel)
        if structure in self._alike:
            return _with_values(kernel, *self._alike[structure], values)
        written = self._written(fused, kernel, write)
        self._alike[structure] = written, values
        return written

    def copy(self, fused: Fused, source: View, target: View) -> Written:
        """The elements of one view into the places of another."""
        kernel = Kernel(-1, source.shape, stores=[target.base])
        return self._written(fused, kernel, lambda writer: copy_view(writer, source, target))

    def _written(self, fused: Fused, kernel: Kernel, write: Write) -> Written:
        machine = host()
        writer = Writer(fused, kernel, machine.lanes, machine.registers)
        write(writer)
        parts = [self._function(phase) for phase in writer.finished()]
        self.declarations |= writer.code.uses
        # One that is empty is not written, and has a place all the same.
        operands = dict.fromkeys([*(s for part in parts for s in part.operands), *kernel.stores])
        changed = frozenset([*kernel.stores, *writer.scratch])
        return Written(kernel, list(operands), changed, parts, notes=writer.notes)

    def _function(self, phase: Phase) -> Call:
        """The function of a phase; one that is there already, where it is the same."""
        body = phase.text("NAME")
        if body not in self._names:
            self._names[body] = f"kernel{len(self._names)}"
            self.functions.append(phase.text(self._names[body]))
        return Call(self._names[body], phase.parts, tuple(phase.parameters))


def _writer(kernel: Kernel) -> Write | None:
    """What writes a kernel; None where nothing can."""
    if kernel.root is not None:
        return WRITERS.get(type(kernel.root.op.lower))
    if kernel.rows is None:
        return write_pointwise
    return write_windows if kernel.rows.windows else write_rows


def _with_values(
    kernel: Kernel, written: Written, before: Sequence[Symbol], values: Sequence[Symbol]
) -> Written:
    """The functions of a kernel for another of the same structure."""
    at = dict(zip(before, values, strict=True))
    for own in written.writes - at.keys():  # memory that only this kernel needs
        at[own] = Symbol(own.shape, own.dtype, own.id)
    return Written(
        kernel,
        [at.get(s, s) for s in written.operands],
        frozenset(at[s] for s in written.writes),
        [Call(p.name, p.parts, tuple(at.get(s, s) for s in p.operands)) for p in written.phases],
        notes=written.notes,
    )


def left_to_numpy(fused: Fused, kernel: Kernel) -> Written:
    """A kernel that NumPy runs."""
    inputs = [
        fused.views[s].base for m in kernel.members for s in m.inputs if isinstance(s, Symbol)
    ]
    made = kernel.made()
    return Written(kernel, list(dict.fromkeys([*inputs, *made])), frozenset(made), native=False)

"""A scan as a loop over the kernels of its body.

The carries live in the scan's outputs from the start; a slice of a sequence, or an element of an
output, is a row of it. So nothing is copied but first carries, and new ones that could not be
written over the old.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chainrule.compiler.fuse import Fused, fuse
from chainrule.compiler.groups import Kernel
from chainrule.compiler.kernels import Kernels, Loop, Written, left_to_numpy
from chainrule.compiler.memory import in_place
from chainrule.compiler.passes import passed
from chainrule.compiler.views import View, contiguous
from chainrule.core.op import Scan
from chainrule.core.program import Program
from chainrule.core.value import Symbol


def write_all(kernels: Kernels, fused: Fused) -> list[Written]:
    """Every kernel of a program, in order; scans as loops, where all of their body is code."""
    return [
        _scan(kernels, fused, kernel)
        if kernel.root is not None and isinstance(kernel.root.op.lower, Scan)
        else kernels.write(fused, kernel)
        for kernel in fused.kernels
    ]


def _scan(kernels: Kernels, fused: Fused, kernel: Kernel) -> Written:
    assert kernel.root is not None
    body: Program = kernel.root.settings["body"]
    inner = fuse(list(passed(body).values())[-1])
    steps = write_all(kernels, inner)
    symbolic = all(isinstance(x, Symbol) for x in [*kernel.root.inputs, *body.returns])
    if not symbolic or not all(step.native for step in steps):
        return left_to_numpy(fused, kernel)
    return _Scan(kernels, fused, kernel, inner, steps).written()


class _Scan:
    def __init__(
        self,
        kernels: Kernels,
        fused: Fused,
        kernel: Kernel,
        inner: Fused,
        steps: Sequence[Written],
    ) -> None:
        assert kernel.root is not None
        self.kernels, self.fused, self.kernel, self.inner = kernels, fused, kernel, inner
        self.steps = list(steps)
        self.root, self.body = kernel.root, inner.program
        self.carries: int = self.root.settings["carries"]
        self.before: list[Written] = []
        self.same: dict[Symbol, Symbol] = {}
        self.moving: dict[Symbol, tuple[Symbol, int]] = {}

    def written(self) -> Written:
        self._inputs()
        self._hoist()
        self._outputs()
        self._new_carries()
        settings = self.root.settings
        loop = Loop(
            settings["length"], settings["reverse"], self.before, self.steps,
            self.same, self.moving, self.inner.constants,
        )  # fmt: skip
        outside = [*self.same.values(), *(symbol for symbol, _ in self.moving.values())]
        outside += [s for w in self.before for s in w.operands]
        operands = list(dict.fromkeys([*outside, *self.root.outputs]))
        return Written(self.kernel, operands, frozenset(self.root.outputs), loop=loop)

    def _inputs(self) -> None:
        """First carries go where the last ones will be; the rest is read where it lies."""
        sequences: int = self.root.settings["sequences"]
        args = zip(self.root.inputs, self.body.args, strict=True)
        for place, (source, arg) in enumerate(args):
            view = self.fused.views[source]
            if place < self.carries:
                carry = self.root.outputs[place]
                self.before.append(self.kernels.copy(self.fused, view, View.of(carry)))
                self.same[arg] = carry
                continue
            base = self._row_by_row(source, view)
            if place < self.carries + sequences:
                self.moving[arg] = base, _row_bytes(base)
            else:
                self.same[arg] = base

    def _row_by_row(self, source: Symbol, view: View) -> Symbol:
        """The symbol whose memory holds the view row by row: its own, or a copy's."""
        if view.whole and view.start == 0 and math.prod(view.shape) == math.prod(view.base.shape):
            return view.base
        copy = Symbol(view.shape, source.dtype, -1)
        self.before.append(self.kernels.copy(self.fused, view, View.of(copy)))
        return copy

    def _hoist(self) -> None:
        """What a kernel first makes of values that stay the same is made before the loop.

        Such as a weight that is laid out anew: a phase that reads only what is shared, and writes
        to memory that is the kernel's own.
        """
        known = {*self.body.args[self.carries + self.root.settings["sequences"] :]}
        known.update(self.inner.constants)
        for at, step in enumerate(self.steps):
            count = 0
            own = step.writes - set(step.kernel.stores)
            while count < len(step.phases) and known | own >= set(step.phases[count].operands):
                count += 1
            if 0 < count < len(step.phases):
                first, rest = step.phases[:count], step.phases[count:]
                operands = list(dict.fromkeys(s for phase in first for s in phase.operands))
                kernel = Kernel(-1, step.kernel.shape)
                self.before.append(Written(kernel, operands, own & set(operands), first))
                self.steps[at] = replace(step, phases=rest)

    def _outputs(self) -> None:
        """An element of an output is computed in its row, or copied there."""
        returned = self.body.returns[self.carries :]
        for out, found in zip(self.root.outputs[self.carries :], returned, strict=True):
            view = self.inner.views[found]
            made_here = any(view.base in step.writes for step in self.steps)
            if made_here and view == View.of(view.base) and view.base not in self.moving:
                self.moving[view.base] = out, _row_bytes(out)
                continue
            row = Symbol(view.shape, out.dtype, -1)
            self.moving[row] = out, _row_bytes(out)
            self.steps.append(self.kernels.copy(self.inner, view, View.of(row)))

    def _new_carries(self) -> None:
        """The new carries over the old ones: in place, else copied when all of them are there."""
        pairs: list[tuple[Symbol, Any]] = [
            (arg, found)
            for arg, found in zip(self.body.args, self.body.returns[: self.carries], strict=False)
            if found is not arg
        ]
        kept = {
            *self.moving,
            *(self.inner.views[s].base for s in self.body.returns[self.carries :]),
        }
        done = in_place(pairs, self.inner, self.steps, kept)
        self.same.update({new: self.same[old] for new, old in done.items()})
        olds = {arg for arg, _ in pairs}
        moves: list[tuple[View, Symbol]] = []
        for arg, found in pairs:
            if found in done:
                continue
            view = self.inner.views[found]
            if view.base in olds:  # another carry's old value, which may be gone by then
                apart = Symbol(view.shape, arg.dtype, -1)
                self.steps.append(self.kernels.copy(self.inner, view, View.of(apart)))
                view = View.of(apart)
            moves.append((view, arg))
        self.steps += [self.kernels.copy(self.inner, view, View.of(arg)) for view, arg in moves]


def _row_bytes(symbol: Symbol) -> int:
    """How far a row is from the next."""
    return contiguous((*symbol.shape, 1))[0] * symbol.dtype.itemsize if symbol.shape else 0

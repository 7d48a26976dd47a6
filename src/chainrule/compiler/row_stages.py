"""In which stage of a row each member of a row kernel is computed, and what stages keep for others.

A row is gone over in stages: each is a loop over its elements that computes members and folds
reductions, whose results later stages use. What a later stage needs again is read where it is
stored, computed again where that costs next to nothing, or kept in a scratch of a row's size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from chainrule.compiler.groups import Kernel
from chainrule.core.op import Reduce
from chainrule.core.program import Instruction
from chainrule.core.value import Symbol


@dataclass
class Stage:
    """One loop over the elements of a row, and what is computed once for the row before it."""

    before: list[Instruction] = field(default_factory=list)
    members: list[Instruction] = field(default_factory=list)
    folds: list[Instruction] = field(default_factory=list)
    keeps: list[Symbol] = field(default_factory=list)  # of its members: stored, or for later


class Stages:
    """The stages of a row kernel; `scratch` is what they keep that nobody else reads.

    `read(made)` gives the symbols that a member reads, `light` says whether it costs little.
    """

    def __init__(
        self,
        kernel: Kernel,
        read: Callable[[Instruction], list[Symbol]],
        light: Callable[[Instruction], bool],
    ) -> None:
        assert kernel.rows is not None
        self.kernel, self.rows, self.read = kernel, kernel.rows, read
        self.level = self._levels()
        full = [made for made in kernel.members if self.is_full(made.outputs[0])]
        self.runs = self._runs(full)
        self.uses = self._uses()
        stored = set(kernel.stores)
        again: set[Instruction] = set()
        self.scratch: list[Symbol] = []
        for made in full:
            out = made.outputs[0]
            if out in stored or max(self.uses[out], default=0) <= self.runs[out]:
                continue
            inside = {s for s in read(made) if self.is_full(s)}
            if light(made) and inside <= stored.union(self.scratch):
                again.add(made)
            else:
                self.scratch.append(out)
        self.stages = [self._stage(n, again) for n in range(max(self.level.values()) + 1)]

    def is_full(self, symbol: Symbol) -> bool:
        """Whether it is a member's result with an element for each of the row."""
        return symbol in self.level and self.rows.is_full(tuple(symbol.shape))

    def _levels(self) -> dict[Symbol, int]:
        """From which stage on each result is there."""
        level: dict[Symbol, int] = {}
        for made in self.kernel.members:
            first = max((level[s] for s in self.read(made) if s in level), default=0)
            level[made.outputs[0]] = first + isinstance(made.op.lower, Reduce)
        return level

    def _folded_in(self, made: Instruction) -> int:
        """The stage that folds a reduction."""
        return self.level[made.outputs[0]] - 1

    def _runs(self, full: list[Instruction]) -> dict[Symbol, int]:
        """The stage that computes each full result: the first that needs it."""
        wanted: dict[Symbol, list[int]] = {made.outputs[0]: [] for made in full}
        runs: dict[Symbol, int] = {}
        for made in reversed(self.kernel.members):
            out = made.outputs[0]
            if out in wanted:
                stage = runs[out] = min(wanted[out], default=self.level[out])
            elif isinstance(made.op.lower, Reduce):
                stage = self._folded_in(made)
            else:
                continue
            for symbol in self.read(made):
                if symbol in wanted:
                    wanted[symbol].append(stage)
        return runs

    def _uses(self) -> dict[Symbol, set[int]]:
        """The stages that read each full result."""
        uses: dict[Symbol, set[int]] = {symbol: set() for symbol in self.runs}
        for made in self.kernel.members:
            reduces = isinstance(made.op.lower, Reduce)
            stage = self._folded_in(made) if reduces else self.runs.get(made.outputs[0])
            for symbol in self.read(made):
                if symbol in uses and stage is not None:
                    uses[symbol].add(stage)
        return uses

    def _stage(self, number: int, again: set[Instruction]) -> Stage:
        kept = {*self.kernel.stores, *self.scratch}
        stage = Stage()
        for made in self.kernel.members:
            out = made.outputs[0]
            if isinstance(made.op.lower, Reduce):
                stage.folds += [made] if self._folded_in(made) == number else []
            elif out not in self.runs:
                stage.before += [made] if self.level[out] == number else []
            elif self.runs[out] == number:
                stage.members.append(made)
                stage.keeps += [out] if out in kept else []
            elif made in again and number in self.uses[out]:
                stage.members.append(made)
        return stage

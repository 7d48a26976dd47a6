"""In which order kernels run: as they were recorded, but what frees memory as soon as it can.

An update is the last to read a layer's input and the gradient of its output; which element of a
window was the largest is known once the largest is. Run at once, they find what they read still in
the caches, and less lies in the arena until later.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable

from chainrule.compiler.groups import Groups, Kernel
from chainrule.core.program import Program
from chainrule.core.value import Symbol


def in_order(groups: Groups, program: Program) -> list[Kernel]:
    """Every kernel, after what it reads from and after who needs what it writes over."""
    return _Order(groups, program).made()


class _Order:
    def __init__(self, groups: Groups, program: Program) -> None:
        kernels = groups.kernels.values()
        self.last = {k: groups.order[k.members[-1]] for k in kernels}
        self.waiting = {k: groups.before(k) for k in kernels}
        self.after: dict[Kernel, list[Kernel]] = {k: [] for k in kernels}
        for kernel, before in self.waiting.items():
            for other in before:
                self.after[other].append(kernel)
        self.reads = {k: _read(groups, k) for k in kernels}
        self.readers: dict[Symbol, set[Kernel]] = {}  # that have not run
        for kernel, symbols in self.reads.items():
            for symbol in symbols:
                self.readers.setdefault(symbol, set()).add(kernel)
        reads, assigns = program.reads, program.assigns
        self.over = {new: reads[name] for name, new in assigns.items() if name in reads}
        results = {groups.views[s].base for s in program.results() if isinstance(s, Symbol)}
        self.passing = groups.kernel_of.keys() - results  # may go when nobody reads them any more

    def made(self) -> list[Kernel]:
        """By their last instruction, so that updates come late; first what frees memory."""
        done: dict[Kernel, None] = {}
        soon: list[tuple[int, int, Kernel]] = []
        ready: list[tuple[int, int, Kernel]] = []
        touched: Iterable[Kernel] = self.waiting
        while True:
            for kernel in touched:
                if kernel not in done and not self.waiting[kernel]:
                    queue = soon if self._at_once(kernel) else ready
                    heapq.heappush(queue, (self.last[kernel], kernel.number, kernel))
            if not soon and not ready:
                break
            kernel = heapq.heappop(soon or ready)[-1]
            touched = () if kernel in done else self._touched(kernel)
            done[kernel] = None
        assert len(done) == len(self.waiting), "kernels wait for each other"
        return list(done)

    def _touched(self, kernel: Kernel) -> list[Kernel]:
        """Whom it matters to that a kernel has run."""
        found = dict.fromkeys(self.after[kernel])
        for other in found:
            self.waiting[other].discard(kernel)
        for symbol in self.reads[kernel]:
            self.readers[symbol].discard(kernel)
            found |= dict.fromkeys(self.readers[symbol])
        return list(found)

    def _at_once(self, kernel: Kernel) -> bool:
        """Whether less memory is in use after it, or it makes single numbers, for which others may
        wait, of single numbers; and nobody needs what it writes over.
        """
        old = {self.over[s] for s in kernel.stores if s in self.over}
        if any(self.readers.get(symbol, set()) - {kernel} for symbol in old):
            return False
        if all(math.prod(s.shape) == 1 for s in [*self.reads[kernel], *kernel.stores]):
            return True
        gone = self.reads[kernel] & self.passing
        free = sum(_bytes(s) for s in gone if self.readers[s] == {kernel})
        return free > sum(_bytes(s) for s in kernel.stores if s not in self.over)


def _read(groups: Groups, kernel: Kernel) -> set[Symbol]:
    """Whose memory it reads, of what is made by others."""
    read = {s for made in kernel.members for s in made.inputs if isinstance(s, Symbol)}
    bases = {groups.views[s].base for s in read if s in groups.views}
    return {s for s in bases if groups.kernel_of.get(s) is not kernel}


def _bytes(symbol: Symbol) -> int:
    return math.prod(symbol.shape) * symbol.dtype.itemsize

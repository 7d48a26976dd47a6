"""How often each parameter was stepped, in cells that as many parameters as possible share."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from chainrule.ops.pointwise import add
from chainrule.spec import F64
from chainrule.tensors import Cell


class StepCounts:
    """The cells "step" in an optimizer's state.

    Parameters that were always stepped together share one, so that what follows from the count,
    such as Adam's bias corrections, is worked out once for all of them. `splits` grows whenever
    parameters part: what was recorded until then copies a count, and must not do so again.
    """

    def __init__(self, state: Mapping[Cell, dict[str, Cell]]) -> None:
        self.state = state
        self.splits = 0
        self._active: tuple[int, ...] = ()  # the ids of the parameters that `_clocks` are of
        self._clocks: list[Cell] = []

    def advance(self, active: list[Cell]) -> None:
        """One more step for these parameters."""
        ids = tuple(map(id, active))
        if ids != self._active:
            self._share(active)
            self._active = ids
        for clock in self._clocks:
            clock.array = add(clock.array, 1.0)

    def _share(self, active: list[Cell]) -> None:
        """Parameters new to it get a count together; those that go on without others, their own."""
        going = set(map(id, active))
        left = {id(s.get("step")) for cell, s in self.state.items() if id(cell) not in going}
        fresh: dict[int, Cell] = {}
        for cell in active:
            old = self.state[cell].get("step")
            if old is None or id(old) in left:
                if id(old) not in fresh:
                    fresh[id(old)] = self._after(old)
                self.state[cell]["step"] = fresh[id(old)]
        clocks = (self.state[cell]["step"] for cell in active)
        self._clocks = list({id(clock): clock for clock in clocks}.values())

    def _after(self, old: Cell | None) -> Cell:
        """A count that goes on from another, or from 0."""
        if old is None:
            return Cell(np.array(0.0, F64), "step")
        self.splits += 1
        clock = Cell(np.array(old.held()), "step")
        clock.array = old.array
        return clock

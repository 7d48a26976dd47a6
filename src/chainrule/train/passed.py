"""States that a replay went through lately: a step near one of them need not start from afar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

State = Mapping[str, NDArray[Any]]
"""What the cells of a training hold, by name."""

MOST_BYTES = 64 * 2**20
"""So much memory the states take at most; one is kept in any case."""


class Passed:
    """The latest states by the step after which they were; the oldest go first.

    >>> import numpy as np
    >>> passed = Passed(most_bytes=16)
    >>> for step in (10, 20, 30):
    ...     passed.add(step, {"w": np.array([float(step)])})
    >>> passed.nearest(0, 20), passed.nearest(0, 26)
    (None, (20, {'w': array([20.])}))
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes = most_bytes
        self._states: dict[int, State] = {}

    def add(self, step: int, state: State) -> None:
        """Keep the state after a step."""
        self._states.pop(step, None)
        self._states[step] = state
        size = sum(array.nbytes for array in state.values())
        while len(self._states) > max(1, self.most_bytes // max(1, size)):
            del self._states[next(iter(self._states))]

    def nearest(self, first: int, step: int) -> tuple[int, State] | None:
        """The last state from after step `first` on that lies before `step`, with its step."""
        inside = [at for at in self._states if first <= at < step]
        return (max(inside), self._states[max(inside)]) if inside else None

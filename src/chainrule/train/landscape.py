"""The loss of a run's network for weights that it never had: over one of them, and in a plane."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from chainrule.core.state import no_grad
from chainrule.explain.pictures import Picture
from chainrule.explain.pictures.landscape import around, over_weight, plane_of_way, surface
from chainrule.explain.trace import trace
from chainrule.train.probes import some_rows
from chainrule.train.replay import Replay, State, put

PLACES, SIDE = 61, 17
"""The loss is computed at so many places along one weight; along each side of a plane at `SIDE`."""

CANDIDATES = 40
"""Of so many weights, those that moved most, one is chosen to be drawn."""


class Landscape:
    """The loss over some training rows, the network in evaluation mode, of any weights.

    `states`: what the training went through; all but the weights is as in the last of them.
    """

    def __init__(self, replay: Replay, states: Sequence[State], rows: int) -> None:
        at, loop = some_rows(replay, rows), replay.loop
        with replay.cells_kept(), no_grad():
            put(loop, states[-1])
            loop.network.eval()
            self.program = loop.judge.program(*loop.batch(at))
        self.args = [array[at] for array in loop.train]
        self.last = {name: states[-1][name] for name in self.program.reads if name in states[-1]}
        learned = [name for name, cell in loop.network.named_parameters() if name in self.last]
        self.names = [name for name in learned if self.last[name].dtype.kind == "f"]
        self.states = np.stack([self._flat(state) for state in states])

    def pictures(self) -> Iterator[Picture]:
        """The loss over the weight that mattered most, and around the way of all weights."""
        if self.states.shape[1]:
            yield self._over_weight()
            plane = plane_of_way(self.states)
            if plane is not None:
                across, upwards = (around(part, SIDE) for part in plane.way.T)
                losses = [
                    [self.loss(self.states[-1] + (x, y) @ plane.directions) for x in across]
                    for y in upwards
                ]
                yield surface(plane, across, upwards, np.array(losses))

    def loss(self, weights: NDArray[np.floating]) -> float:
        """The loss of weights, given one after the other, float [weights]."""
        state, start = dict(self.last), 0
        for name in self.names:
            shape, dtype = self.last[name].shape, self.last[name].dtype
            size = math.prod(shape)
            state[name] = weights[start : start + size].reshape(shape).astype(dtype)
            start += size
        return float(trace(self.program, self.args, state)[self.program.returns[0]])

    def _over_weight(self) -> Picture:
        at = self._weight_that_matters()
        values = self.states[:, at].astype(np.float64)
        steps = sorted({*around(values, PLACES, 1.0).tolist(), *values.tolist()})
        losses = {value: self._with(at, value) for value in steps}
        way = values.tolist(), [losses[value] for value in values.tolist()]
        others = "; all other weights are those of the end"
        return over_weight(self._name(at), steps, list(losses.values()), way, others)

    def _weight_that_matters(self) -> int:
        """Of the weights that moved most, the one without whose move the loss would be highest."""
        moved = np.abs(self.states[-1] - self.states[0])
        candidates = np.argsort(-moved, kind="stable")[:CANDIDATES]
        return int(max(candidates, key=lambda at: self._with(at, self.states[0, at])))

    def _with(self, at: int, value: float) -> float:
        weights = self.states[-1].copy()
        weights[at] = value
        return self.loss(weights)

    def _name(self, at: int) -> str:
        """What the weight at a place of all of them is called."""
        for name in self.names:
            shape = self.last[name].shape
            if at < math.prod(shape):
                place = ", ".join(map(str, np.unravel_index(at, shape)))
                return f"{name}[{place}]"
            at -= math.prod(shape)
        raise IndexError(at)

    def _flat(self, state: State) -> NDArray[np.float32]:
        parts = [np.asarray(state[name], np.float32).reshape(-1) for name in self.names]
        return np.concatenate([np.empty(0, np.float32), *parts])

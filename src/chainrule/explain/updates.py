"""What a step did to each parameter: before, gradient, what the optimizer made of it, after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.core.value import Symbol
from chainrule.explain.plain import Shown
from chainrule.explain.trace import Trace, Weights, parameters
from chainrule.explain.written import equation

FEW = 8


@dataclass(frozen=True, eq=False)
class Update(Shown):
    """The update of one parameter: after = before - rate * direction.

    `direction` is what the optimizer made of the gradient: the gradient itself for plain gradient
    descent; scaled, smoothed or decayed by others. `rate` is None where the optimizer has no one
    learning rate; then `direction` is the whole change. `share`: the size of the change as a share
    of the parameter's own size (root mean squares). `written`: the first elements on paper.
    """

    name: str
    before: NDArray[Any]
    gradient: NDArray[Any]
    direction: NDArray[Any]
    rate: float | None
    change: NDArray[Any]
    after: NDArray[Any]
    share: float
    written: list[str]


def updates_of(traced: Trace, layer: str = "") -> list[Update]:
    """The updates of all parameters that the step changed."""
    return [
        _update(traced, weights, weights.gradient, weights.after, layer)
        for weights in parameters(traced.program)
        if weights.gradient is not None and weights.after is not None
    ]


def _update(traced: Trace, weights: Weights, gradient: Symbol, after: Symbol, layer: str) -> Update:
    old, new = traced[weights.before], traced[after]
    change = new - old
    rate = _rate(traced, after)
    size = rms(old)
    return Update(
        weights.name,
        old,
        traced[gradient],
        -change / rate if rate else -change,
        rate,
        change,
        new,
        rms(change) / size if size else float("inf"),
        _written(traced, after),
    )


def _rate(traced: Trace, after: Symbol) -> float | None:
    """The learning rate that an update was made with: the cell "lr" that it was computed from."""
    rates = {
        symbol for name, symbol in traced.program.reads.items() if name.partition("#")[0] == "lr"
    }
    behind, waiting = set(), [after]
    while waiting:
        symbol = waiting.pop()
        if symbol in rates:
            return float(traced[symbol])
        made = symbol.made
        if made is None or made.phase != "update":
            continue
        new = [x for x in made.inputs if isinstance(x, Symbol) and x not in behind]
        behind.update(new)
        waiting += new
    return None


def _written(traced: Trace, after: Symbol) -> list[str]:
    """The first elements of an updated parameter, as they come about; none if it is too long."""
    inside = [made for made in traced.program.instructions if made.phase == "update"]
    if after.size > FEW:
        return []
    found = [equation(traced, after, at, inside) for at in np.ndindex(after.shape)]
    return [text for text in found if text is not None]


def rms(values: NDArray[Any]) -> float:
    """The root of the mean square: the size of a typical element."""
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64)))) if values.size else 0.0

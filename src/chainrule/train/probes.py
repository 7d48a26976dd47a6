"""States that a training kept, opened on many rows: what diagnosis and pictures look at."""

from __future__ import annotations

import numpy as np

from chainrule.data import row_order
from chainrule.explain.evidence import Probe
from chainrule.explain.trace import trace
from chainrule.train.keeping import load_state
from chainrule.train.replay import Replay, State


def probe_at(replay: Replay, epoch: int, most_rows: int) -> Probe | None:
    """The next step opened after an epoch, on the same rows whenever that is.

    None where the state is no longer finite.
    """
    state, step = load_state(replay.path, epoch), epoch * replay.loop.steps_per_epoch + 1
    if not finite(state):
        return None
    rows = some_rows(replay, most_rows)
    with replay.cells_kept():
        program = replay.loop.step.program(*replay.loop.batch(rows))
    planned = replay.planned(replay.place(step)) if step <= replay.steps else {}
    args = [array[rows] for array in replay.loop.train]
    return Probe(step, trace(program, args, {**state, **planned}))


def some_rows(replay: Replay, most: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """So many of the training rows, drawn by the seed."""
    return row_order(len(replay.prepared.train), replay.settings.seed, 0)[:most]


def finite(state: State) -> bool:
    """Whether all numbers of a state are finite."""
    return all(np.isfinite(array).all() for array in state.values() if array.dtype.kind == "f")


def spread(kept: list[int], most: int) -> list[int]:
    """At most so many of some epochs, evenly spread, the first and the last among them.

    >>> spread([0, 2, 4, 6, 8], 3)
    [0, 4, 8]
    """
    places = np.linspace(0, len(kept) - 1, min(most, len(kept)))
    return [kept[round(place)] for place in places]

"""The pictures of a run that need its kept states: they are gone back to, nothing was recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from chainrule.core.state import no_grad
from chainrule.explain.looks import look_at
from chainrule.explain.pictures import Drawing, Panels, plane
from chainrule.explain.pictures.graph import program_graph
from chainrule.explain.pictures.ground import Ground, ground_of
from chainrule.explain.pictures.inside import inside
from chainrule.explain.pictures.panels import SMALL
from chainrule.tensors import Tensor
from chainrule.train.heads import output_for
from chainrule.train.keeping import load_state
from chainrule.train.landscape import Landscape
from chainrule.train.learning import ARGUMENTS
from chainrule.train.probes import finite, probe_at, spread
from chainrule.train.replay import Replay, State, put
from chainrule.train.threads import one_thread_below

NAMES = (
    *("graph", "gradients", "updates", "weights", "activations"),
    *("one-weight", "surface", "boundaries"),
)
"""What these pictures are called, those that a run has of them in this order."""

FEWEST = 4
"""Of fewer kept states there is no course to show."""

MOST_ROWS = 256
"""A state is looked at on so many rows, fewer where a network is large."""

MULTIPLICATIONS = 2**25
"""About so many the largest layer may take for all rows that are looked at."""

BOUNDARIES, MOST_DOTS = 6, 80
"""So many moments are shown of a decision boundary, with so many rows of each group."""


def inside_pictures(replay: Replay) -> list[Drawing]:
    """What can be seen of a training in the states that it kept, in the order of a report.

    The graph of its step; where there are states enough, also gradients, updates, histograms of
    weights and activations, the loss over one weight and around the way; and of a network of two
    inputs its decision boundary over the epochs.
    """
    kinds = {name: repr(module) for name, module in replay.loop.network.named_modules()}
    arguments = [*ARGUMENTS, *(target.name for target in replay.prepared.preparation.targets)]
    graph = program_graph(replay.loop.step.programs[0], kinds, arguments)
    kept = {epoch: load_state(replay.path, epoch) for epoch in replay.kept}
    states = {epoch: state for epoch, state in kept.items() if finite(state)}
    if len(states) < FEWEST:
        return [graph]
    largest = max(weight.size for weight in replay.loop.network.parameters())
    rows = int(np.clip(MULTIPLICATIONS // largest, 32, MOST_ROWS))
    with one_thread_below(rows * largest):
        return [graph, *_course(replay, states, rows)]


def _course(replay: Replay, states: Mapping[int, State], rows: int) -> Iterator[Drawing]:
    probes = (probe_at(replay, epoch, rows) for epoch in states)
    yield from inside([look_at(probe) for probe in probes if probe is not None])
    yield from Landscape(replay, list(states.values()), rows).pictures()
    ground = ground_of(replay.prepared.preparation, replay.prepared.train)
    if ground is not None:
        yield _boundaries(replay, states, ground)


def _boundaries(replay: Replay, states: Mapping[int, State], ground: Ground) -> Panels:
    shown = [
        replace(
            plane.boundary(
                ground.names,
                ground.edges,
                ground.shades(_said(replay, states[epoch], ground)),
                ground.rows,
                ground.groups,
                MOST_DOTS,
            ),
            title=f"after epoch {epoch}" if epoch else "before the first epoch",
            size=SMALL,
        )
        for epoch in spread(list(states), BOUNDARIES)
    ]
    return Panels(
        "boundaries",
        "What it said where, over the epochs",
        "The plane of the two inputs, coloured by what the network would have said at each place "
        "as the training went on; the dots are training rows. It begins by guessing and bends its "
        "boundary around the rows step by step.",
        shown,
    )


def _said(replay: Replay, state: State, ground: Ground) -> NDArray[np.float64]:
    """What the network said in the cells of a plane."""
    inputs, network = ground.inputs, replay.loop.network
    with replay.cells_kept(), no_grad():
        put(replay.loop, state)
        network.eval()
        raw = network(Tensor(inputs.numbers), Tensor(inputs.codes))
        said = output_for((ground.target,), raw).numpy()
    return np.asarray(said, np.float64)

"""Pictures of the loss as a landscape: over one weight, and over two directions of all weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chainrule.explain.pictures.marks import Cells, Line, Points
from chainrule.explain.pictures.picture import Axis, Picture
from chainrule.explain.pictures.scales import worth_logarithm

Array = NDArray[np.float64]
Places = Sequence[float]

ROOM = 0.35
"""How far around the way a landscape reaches, as a share of the way's own extent, along a side."""


def over_weight(
    weight: str, places: Places, losses: Places, way: tuple[Places, Places], others: str = ""
) -> Picture:
    """The loss over one weight, and on it the steps that were made.

    `way`: the weight after each step, and the loss there. `others`: what the other weights are.
    """
    return Picture(
        "one-weight",
        "The loss over one weight",
        f"The loss as one weight changes{others}. The dots are where that weight stood on its way: "
        "learning goes against the slope, in shorter steps where the ground is flatter.",
        Axis(weight),
        Axis("loss"),
        [
            Line("loss", places, losses, 0),
            Points("steps", *way, 1, 4.0),
            Points("first", way[0][:1], way[1][:1], 4, 5.5),
            Points("last", way[0][-1:], way[1][-1:], 2, 5.5),
        ],
    )


@dataclass(frozen=True, eq=False)
class Plane:
    """The two directions in which weights moved most: the principal components of their way.

    `way`: float64 [states, 2], where each state lies, measured from the last. `directions`:
    [2, weights], of length 1. `shares`: what part of all movement (squared) goes along each.
    """

    way: Array
    directions: NDArray[np.float32]
    shares: tuple[float, float]


def plane_of_way(states: NDArray[np.float32]) -> Plane | None:
    """The plane of a way through the space of all weights: `states` [states, weights].

    None if they do not span one: fewer than three states, or all of them on a line.
    Source: H. Li et al., "Visualizing the Loss Landscape of Neural Nets", 2018, section 7.
    """
    moved = states - states[-1]
    # The few states, not the many weights, say how large the problem is.
    sizes, mixes = np.linalg.eigh((moved @ moved.T).astype(np.float64))
    if len(states) < 3 or sizes[-2] <= 1e-9 * max(sizes[-1], 1e-30):
        return None
    lengths = np.sqrt(sizes[[-1, -2]])
    directions = (mixes[:, [-1, -2]] / lengths).T.astype(np.float32) @ moved
    shares = sizes[[-1, -2]] / sizes.sum()
    way = mixes[:, [-1, -2]] * lengths
    return Plane(way, directions, (float(shares[0]), float(shares[1])))


def around(values: Array, count: int, share: float = ROOM) -> Array:
    """So many places, evenly spaced, around some values, and beyond by a share of their extent."""
    room = (float(values.max()) - float(values.min())) * share or 1.0
    return np.linspace(values.min() - room, values.max() + room, count)


def surface(plane: Plane, across: Array, upwards: Array, losses: Array) -> Picture:
    """The loss in a plane, and the way through it; `losses` [upwards, across]."""
    heights = np.log(losses) if worth_logarithm(losses) else losses
    known = heights[np.isfinite(heights)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    shades = np.nan_to_num((heights - low) / ((high - low) or 1.0), nan=1.0, posinf=1.0)
    colors = np.zeros(losses.shape, np.int64)
    x, y = plane.way.T.tolist()
    first, second = plane.shares
    return Picture(
        "surface",
        "The loss around the way",
        "All weights at once cannot be drawn. These are the two directions that they moved in most "
        f"({first:.0%} and {second:.0%} of all movement); the darker, the higher the loss there. "
        "The line is the way of the training, seen in this plane, from its first weights to its "
        "last.",
        Axis("along the first direction", tight=True),
        Axis("along the second", tight=True),
        [
            Cells("loss", _edges(across), _edges(upwards), shades, colors, numbers=losses),
            Line("way", x, y, 1),
            Points("states", x, y, 1, 3.0),
            Points("first", x[:1], y[:1], 4, 6.0),
            Points("last", x[-1:], y[-1:], 2, 6.0),
        ],
        third="loss",
    )


def _edges(middles: Array) -> list[float]:
    half = (middles[1] - middles[0]) / 2
    return [*(middles - half).tolist(), float(middles[-1] + half)]

"""The picture of a model of two numbers: what it says at every place of the plane."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from chainrule.explain.pictures.marks import COLORS, Cells, Mark, Points
from chainrule.explain.pictures.picture import Axis, Picture

SIDE = 40
"""Cells in a row, and in a column."""

MOST = 300
"""Of each group so many rows are drawn."""

FAINT = 0.5
"""How strong the ground is, so that the rows stand out."""


def plane_of(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[list[float], list[float]]:
    """The edges of the cells around some points, a little wider than those."""

    def edges(values: NDArray[np.float64]) -> list[float]:
        low, high = float(values.min()), float(values.max())
        room = (high - low) * 0.06 or 1.0
        found: list[float] = np.linspace(low - room, high + room, SIDE + 1).tolist()
        return found

    return edges(x), edges(y)


def middles(x: list[float], y: list[float]) -> NDArray[np.float64]:
    """The middles of the cells, row by row: float64 [cells, 2]."""
    across, upwards = ((np.array(edges[1:]) + np.array(edges[:-1])) / 2 for edges in (x, y))
    return np.stack([found.reshape(-1) for found in np.meshgrid(across, upwards)], axis=1)


def boundary(
    names: tuple[str, str],
    edges: tuple[list[float], list[float]],
    shades: tuple[NDArray[np.float64], NDArray[np.int64]],
    rows: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]],
    groups: Sequence[str],
    most: int = MOST,
) -> Picture:
    """What a model says in each cell and, over it, rows.

    `shades`: of each cell how sure it is, 0 to 1, and which group. `rows`: x, y and group of each;
    `most` of each group are drawn.
    """
    shape = len(edges[1]) - 1, len(edges[0]) - 1
    sure, said = (found.reshape(shape) for found in shades)
    x, y, group = rows
    marks: list[Mark] = [Cells("the model", *edges, FAINT * sure, said % COLORS)]
    for place, name in enumerate(groups):
        at = np.flatnonzero(group == place)[:most]
        marks.append(Points(name, x[at].tolist(), y[at].tolist(), place % COLORS))
    return Picture(
        "boundary",
        "What it says where",
        "The two inputs make a plane. The colour at each place is what the network would say "
        "there, and its strength how sure it is; the dots are rows. Where the colour changes, the "
        "network changes its mind.",
        Axis(names[0], tight=True),
        Axis(names[1], tight=True),
        marks,
        third="how sure",
    )

"""The plane of two numeric inputs, and what a network says at every place of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data import Inputs, Part, Preparation, Table, Target
from chainrule.explain.pictures.plane import middles, plane_of

Edges = tuple[list[float], list[float]]
Rows = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]


@dataclass(frozen=True, eq=False)
class Ground:
    """The plane: its cells as a network takes them, and rows upon it, x, y and group of each."""

    target: Target
    names: tuple[str, str]
    edges: Edges
    inputs: Inputs
    rows: Rows
    groups: list[str]

    def shades(self, said: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """How sure a network's outputs [cells, outputs] are, 0 to 1, and which group they say."""
        if self.target.kind == "scaled":
            return np.minimum(1, np.abs(said[:, 0]) / 2), (said[:, 0] < 0).astype(np.int64)
        even = 1 / said.shape[1]
        return (said.max(axis=1) - even) / (1 - even), said.argmax(axis=1)


def ground_of(preparation: Preparation, part: Part) -> Ground | None:
    """The plane around some rows; None unless the inputs are two numbers, with one plain target."""
    names = [record.name for record in preparation.inputs if record.kind == "numeric"]
    two = len(names) == len(preparation.inputs) == 2
    if not two or len(preparation.targets) > 1 or preparation.task == "multi-label":
        return None
    columns = preparation.inverse(Inputs(part.numbers, part.codes))
    x, y = (np.asarray(columns[name], np.float64) for name in names)
    edges = plane_of(x, y)
    cells = middles(*edges)
    inputs, _ = preparation.apply(Table.of(dict(zip(names, cells.T, strict=True))))
    group, groups = _groups(preparation.target, part.target)
    return Ground(preparation.target, (names[0], names[1]), edges, inputs, (x, y, group), groups)


def _groups(target: Target, answers: NDArray[Any]) -> tuple[NDArray[np.int64], list[str]]:
    if target.kind == "scaled":
        return (answers[:, 0] < 0).astype(np.int64), ["above the mean", "below"]
    return answers.astype(np.int64).reshape(-1), list(target.choices)

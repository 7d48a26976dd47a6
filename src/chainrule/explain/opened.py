"""The records of an opened step: its rows, its layers, its updates, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from chainrule.explain.layers import Layer
from chainrule.explain.plain import Shown
from chainrule.explain.updates import Update


@dataclass(frozen=True)
class Labels:
    """What a program does not know of itself: where its rows come from, what things are called.

    `lines`: of each row in `source`; `arguments`: the name of each argument; `features`: per
    argument the names of its columns; `kinds`: what each layer is; `cells`: the shown row as it
    stands in the file.
    """

    step: int | None = None
    epoch: int | None = None
    within: int | None = None
    steps: int | None = None
    source: str = ""
    lines: Sequence[int] = ()
    arguments: Sequence[str] = ()
    features: Mapping[str, Sequence[str]] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    cells: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Apart:
    """How far the step as it was trained and the same step interpreted are apart.

    `ran`: how it was trained, in words. `largest`: the largest difference of any number that the
    step left behind, as a share of the largest number beside it; `where`: the cell it stands in.
    """

    ran: str
    loss: float
    interpreted: float
    largest: float
    where: str


@dataclass(frozen=True, eq=False)
class Row(Shown):
    """One row of the batch: its line in the file, what the network said, and what that cost.

    `predicted` and `true` are in the user's words and units; empty where nobody knows those.
    """

    line: int | None
    loss: float | None
    predicted: str = ""
    true: str = ""


@dataclass(frozen=True, eq=False)
class Opened(Shown):
    """A step of learning with everything in it.

    `row`: which row of the batch the layers show. `layers` are in forward order, the loss last;
    each holds its operations with incoming gradient, local derivative and product. `unfolded`: the
    layer that is told in full.
    """

    labels: Labels
    row: int
    rows: list[Row]
    inputs: dict[str, NDArray[Any]]  # the shown row, per argument
    layers: list[Layer]
    loss: float
    updates: list[Update]
    apart: Apart | None = None
    unfolded: str = ""

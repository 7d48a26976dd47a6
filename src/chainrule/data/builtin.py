"""The tables that travel with chainrule: two real ones in files, two made by a fixed recipe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

import numpy as np

from chainrule.data.streams import Use, normal, permutation
from chainrule.data.table import Table


@dataclass(frozen=True)
class Builtin:
    """A built-in table: what it is, the column people want predicted, where it comes from."""

    name: str
    about: str
    target: str
    file: str | None = None
    recipe: Callable[[], Table] | None = None


def courier(rows: int = 200, noise: float = 0.0, seed: int = 0) -> Table:
    """Courier charges: 100 a kilogram and 50 base, for weights of 0.1, 0.2, ... kilograms.

    `noise` is the deviation of what is added to each charge. Rows come in a shuffled order.

    >>> table = courier(rows=3)
    >>> sorted(zip(*(column.numbers.tolist() for column in table.columns.values())))
    [(0.1, 60.0), (0.2, 70.0), (0.3, 80.0)]
    """
    kilograms = (permutation(seed, Use.RECIPE, 0, rows) + 1) / 10
    charge = 100 * kilograms + 50 + noise * normal(seed, Use.RECIPE, 1, rows)
    return Table.of({"kilograms": kilograms, "charge": np.round(charge, 2)}, "courier")


def spirals(rows: int = 600, noise: float = 0.03, seed: int = 0) -> Table:
    """Two interleaved spirals of one and a half turns in the plane, |x| and |y| at most about 1.

    Columns x, y and `arm` ("first" or "second"); `noise` is the deviation added to x and y.

    >>> spirals(rows=4).names
    ['x', 'y', 'arm']
    """
    place = permutation(seed, Use.RECIPE, 2, rows)
    arm = place % 2
    along = 0.1 + 0.9 * (place // 2) / max(1, rows // 2)
    angle = 3 * np.pi * along + np.pi * arm
    x = along * np.cos(angle) + noise * normal(seed, Use.RECIPE, 3, rows)
    y = along * np.sin(angle) + noise * normal(seed, Use.RECIPE, 4, rows)
    arms = np.where(arm == 0, "first", "second")
    return Table.of({"x": np.round(x, 4), "y": np.round(y, 4), "arm": arms}, "spirals")


BUILTIN = {
    table.name: table
    for table in [
        Builtin("digits", "1,797 handwritten digits of 8x8 pixels", "digit", file="digits.csv.gz"),
        Builtin(
            "diabetes", "442 patients and their disease a year later", "progression", "diabetes.csv"
        ),
        Builtin("courier", "charges of a courier by weight, made up", "charge", recipe=courier),
        Builtin("spirals", "two interleaved spirals, made up", "arm", recipe=spirals),
    ]
}
"""The built-in tables by name."""


def resource(file: str) -> Traversable:
    """Where a built-in file is; it may be inside of an archive."""
    return files("chainrule.data") / "builtin" / file

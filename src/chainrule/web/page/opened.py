"""A step as the page shows it: of what has a row for each row of the batch, the chosen one."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from chainrule.explain import OpenedStep
from chainrule.explain.layers import Factor
from chainrule.explain.plain import plain


def opened(step: OpenedStep) -> dict[str, Any]:
    """The step as what JSON knows, as `to_json` gives it; every number of the unfolded layer.

    What the network computed for each row of the batch has "row" beside its statistics: the
    numbers of the chosen one. What belongs to the weights has none.
    """
    told = {field.name: getattr(step, field.name) for field in fields(step)}
    weights = {update.name: update.before.shape for update in step.updates}
    layers = [
        Rows(len(step.rows), step.row, weights, layer.name == step.unfolded).told(layer)
        for layer in step.layers
    ]
    found: dict[str, Any] = plain({**told, "layers": layers})
    return found


class Rows:
    """Goes through records and adds the chosen row to each array that has one."""

    def __init__(
        self, rows: int, row: int, weights: dict[str, tuple[int, ...]], whole: bool
    ) -> None:
        self.rows, self.row, self.weights, self.whole = rows, row, weights, whole

    def told(self, value: Any) -> Any:
        """A value with its rows, as what JSON knows."""
        if isinstance(value, Factor) and self.weights.get(value.to) == value.passed.shape:
            return {**plain(value, self.whole), "local": self.told(value.local)}
        if is_dataclass(value) and not isinstance(value, type):
            return {field.name: self.told(getattr(value, field.name)) for field in fields(value)}
        if isinstance(value, list):
            return [self.told(one) for one in value]
        if isinstance(value, np.ndarray) and value.shape[:1] == (self.rows,):
            return {**plain(value, self.whole), "row": plain(value[self.row], self.whole)}
        return plain(value, self.whole)

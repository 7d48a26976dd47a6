"""A tensor as a notebook shows it: what it is, and its numbers or what they are like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.core.value import Raw
from chainrule.markup import Html, notebook, table, tag
from chainrule.spec import Spec

MOST = 8
"""So many rows, and columns, are shown."""


def tensor_html(raw: Raw, name: str) -> str:
    """A table of the numbers of a vector or matrix; of more dimensions where they lie."""
    values = np.asarray(raw)
    spec = Spec(values.shape, values.dtype)
    return notebook(tag("b", name), " ", tag("span", spec, class_="soft"), " ", _numbers(values))


def _numbers(values: NDArray[Any]) -> Html:
    if values.ndim == 0:
        return tag("span", _text(values))
    if not values.size:
        return tag("span", "no elements")
    if values.ndim > 2:
        known = values.astype(np.float64)
        low, mean, high = (f"{found:.4g}" for found in (known.min(), known.mean(), known.max()))
        return tag("p", f"from {low} to {high}, mean {mean}")
    matrix = values.reshape(-1, values.shape[-1])
    rows = _cut(matrix, [_cut(row, [_text(one) for one in row[:MOST]]) for row in matrix[:MOST]])
    return table([], [row if isinstance(row, list) else [row] for row in rows], left=0)


def _cut(whole: NDArray[Any], shown: Sequence[Any]) -> list[Any]:
    """What is shown, with a sign that there is more."""
    return [*shown, *["…"] * (len(whole) > MOST)]


def _text(value: Any) -> str:
    return f"{value:.4g}" if value.dtype.kind == "f" else str(value)

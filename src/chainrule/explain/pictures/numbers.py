"""Pictures of a model that predicts a number: predicted against true, residuals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chainrule.explain.pictures.marks import GUIDE, Bars, Line, Points
from chainrule.explain.pictures.picture import Axis, Picture

MOST = 1000
"""Of more rows as many are drawn, evenly spaced."""

Numbers = NDArray[np.float64]


def predicted_against_true(target: str, predicted: Numbers, true: Numbers) -> Picture:
    """A dot for each row; the better the model, the nearer to the diagonal."""
    rows = _some(len(true))
    both = np.concatenate([predicted[rows], true[rows]])
    ends = [float(both.min()), float(both.max())] if len(both) else []
    return Picture(
        "predicted",
        "Predicted against true",
        "Each dot is a test row: across, what it really is; upwards, what the network says. Dots "
        "on the dashed line are exactly right; dots above it were predicted too high.",
        Axis(f"true {target}"),
        Axis(f"predicted {target}"),
        [
            Line("exactly right", ends, ends, GUIDE),
            Points("a row", true[rows].tolist(), predicted[rows].tolist(), 0),
        ],
    )


def residuals(target: str, predicted: Numbers, true: Numbers) -> Picture:
    """How far off the rows are, over what was predicted."""
    rows = _some(len(true))
    errors = (predicted - true)[rows]
    ends = [float(predicted[rows].min()), float(predicted[rows].max())] if len(rows) else []
    return Picture(
        "residuals",
        "Errors",
        "How far off each prediction is. A cloud around zero without a shape is what is left when "
        "a network has learned what there is; a slope or a funnel says where it is weak.",
        Axis(f"predicted {target}"),
        Axis("predicted − true"),
        [
            Line("no error", ends, [0.0] * len(ends), GUIDE),
            Points("a row", predicted[rows].tolist(), errors.tolist(), 1),
        ],
    )


def histogram(name: str, title: str, about: str, axis: str, values: Numbers) -> Picture:
    """How often values occur; the number of bars follows Freedman and Diaconis (1981)."""
    known = values[np.isfinite(values)]
    counts, edges = np.histogram(known, _bins(known))
    bars = Bars("rows", edges.tolist(), counts.tolist(), 3)
    return Picture(name, title, about, Axis(axis), Axis("rows"), [bars])


def error_histogram(predicted: Numbers, true: Numbers) -> Picture:
    """How often which error occurs."""
    title = "How large the errors are"
    about = "How many rows are off by how much. A narrow hill around zero is a good model."
    return histogram("errors", title, about, "predicted − true", predicted - true)


def _bins(known: Numbers) -> int:
    if len(known) < 2:
        return 1
    low, high = np.percentile(known, [25, 75])
    width = 2 * (high - low) / len(known) ** (1 / 3)
    whole = float(known.max() - known.min())
    return int(np.clip(np.ceil(whole / width), 1, 60)) if width > 0 else 10


def _some(count: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, count - 1, min(count, MOST)).astype(np.int64))

"""Pictures of the inside of a network over its training: gradients, updates, histograms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from chainrule.explain.looks import Look
from chainrule.explain.pictures.drawing import Drawing
from chainrule.explain.pictures.marks import COLORS, GUIDE, Cells, Line, Mark
from chainrule.explain.pictures.panels import SMALL, Panels
from chainrule.explain.pictures.picture import Axis, Picture

BINS = 24

USUAL = 1e-3
"""About the share of their size that weights move by in a step of a good training."""


def inside(looks: Sequence[Look]) -> list[Drawing]:
    """What several looks at a network, in the order of its training, show."""
    found: list[Drawing] = [gradients(looks), updates(looks)] if looks[0].shares else []
    for name, title, about, values in (
        (
            "weights",
            "Weights",
            "How the weights of each layer are spread, and how that changed: each column is a "
            "moment of the training, the darker the more weights lie there. Healthy ones start "
            "narrow and widen slowly; ones that run away were updated by too much.",
            [look.weights for look in looks],
        ),
        (
            "activations",
            "What the layers give",
            "How the outputs of each activation are spread over rows and units, and how that "
            "changed. A layer whose values all lie at 0, or all at the ends, has little left to "
            "say.",
            [look.activations for look in looks],
        ),
    ):
        if values[0]:
            found.append(histograms(name, title, about, [look.step for look in looks], values))
    return found


def gradients(looks: Sequence[Look]) -> Picture:
    """The norm of the gradient of each layer's weights over the steps."""
    return Picture(
        "gradients",
        "Gradients by layer",
        "How strongly the loss pulls at the weights of each layer: the norm of their gradient, on "
        "the same rows each time. Layers that lie many powers of ten below the others hardly "
        "learn; curves that shoot up are a training about to fail.",
        Axis("step"),
        Axis("norm of the gradient", log=True),
        _lines([look.step for look in looks], [look.gradients for look in looks]),
    )


def updates(looks: Sequence[Look]) -> Picture:
    """How far a step moves the weights of each layer, as a share of their size, over the steps."""
    steps = [look.step for look in looks]
    usual = Line("usual", [steps[0], steps[-1]], [USUAL, USUAL], GUIDE)
    return Picture(
        "updates",
        "Updates by layer",
        "How far one step moves the weights of each layer, as a share of their own size. About a "
        "thousandth is usual: far above it a network forgets what it knew, far below it does not "
        "get on.",
        Axis("step"),
        Axis("share moved in a step", log=True),
        [usual, *_lines(steps, [look.shares for look in looks])],
    )


def histograms(
    name: str,
    title: str,
    about: str,
    steps: Sequence[int],
    values: Sequence[Mapping[str, NDArray[np.float64]]],
) -> Panels:
    """How values are spread at several steps: a panel for each layer; `values` are by layer."""
    edges = _between(steps)
    panels = [_panel(layer, edges, [found[layer] for found in values]) for layer in _some(values)]
    return Panels(name, title, about, panels)


def _panel(layer: str, edges: list[float], values: Sequence[NDArray[np.float64]]) -> Picture:
    low, high = (float(end) for end in np.percentile(np.concatenate(values), [0.1, 99.9]))
    room = (high - low) * 0.02 or 0.5
    places = np.linspace(low - room, high + room, BINS + 1)
    counts = [np.histogram(np.clip(found, places[0], places[-1]), places)[0] for found in values]
    shares = np.array(counts).T / np.maximum(1, [len(found) for found in values])
    # The square root: a few values far out are seen as well.
    shades = np.sqrt(shares / (shares.max() or 1.0))
    colors = np.zeros(shares.shape, np.int64)
    marks = [Cells(layer, edges, places.tolist(), shades, colors, numbers=shares)]
    value = Axis("value", tight=True, told=False)
    return Picture(layer, layer, "", Axis("step", tight=True), value, marks, "share", SMALL)


def _lines(steps: Sequence[int], values: Sequence[Mapping[str, float]]) -> list[Mark]:
    return [
        Line(layer.removesuffix(".weight"), steps, [found[layer] for found in values], color)
        for color, layer in enumerate(_some(values))
    ]


def _some(values: Sequence[Mapping[str, object]]) -> list[str]:
    """Layers to show, evenly spread over all, the first and the last among them."""
    layers = list(values[0])
    places = np.linspace(0, len(layers) - 1, min(COLORS, len(layers))).round().astype(int)
    return [layers[place] for place in places]


def _between(steps: Sequence[int]) -> list[float]:
    """The edges of columns around steps."""
    if len(steps) == 1:
        return [steps[0] - 0.5, steps[0] + 0.5]
    at = np.array(steps, np.float64)
    middles = (at[1:] + at[:-1]) / 2
    edges: list[float] = [2 * at[0] - middles[0], *middles.tolist(), 2 * at[-1] - middles[-1]]
    return [float(edge) for edge in edges]

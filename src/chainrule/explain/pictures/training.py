"""Pictures of how a training went: losses, learning rate, the loss of every step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from chainrule.explain.pictures.marks import COLORS, Line, Mark, Points
from chainrule.explain.pictures.picture import Axis, Picture
from chainrule.explain.pictures.scales import worth_logarithm


def losses(epochs: Sequence[int], train: Sequence[float], validation: Sequence[float]) -> Picture:
    """The two losses over the epochs; the lowest validation loss is marked."""
    marks: list[Mark] = [Line("training", epochs, train, 0)]
    if np.isfinite(validation).any():
        best = int(np.nanargmin(validation))
        marks.append(Line("validation", epochs, validation, 1))
        marks.append(Points("best epoch", [epochs[best]], [validation[best]], 4, 5.0))
    return Picture(
        "loss",
        "Loss",
        "How wrong the network was after each pass over the rows; lower is better. Where the loss "
        "of the training rows falls on and that of the validation rows rises, the network has "
        "begun to learn its rows by heart: the weights of the marked epoch were kept.",
        Axis("epoch"),
        Axis("loss", log=worth_logarithm(train, validation)),
        marks,
    )


def compared(courses: Mapping[str, tuple[Sequence[int], Sequence[float]]]) -> Picture:
    """The validation losses of several runs, each (epochs, losses), over their epochs."""
    marks = [
        Line(name, *course, color % COLORS) for color, (name, course) in enumerate(courses.items())
    ]
    return Picture(
        "compared",
        "Validation loss",
        "How wrong each network was, after each epoch, on rows that it did not learn from.",
        Axis("epoch"),
        Axis("validation loss", log=worth_logarithm(*(losses for _, losses in courses.values()))),
        marks,
    )


def rate(epochs: Sequence[int], rates: Sequence[float]) -> Picture:
    """The learning rate at the end of each epoch."""
    return Picture(
        "rate",
        "Learning rate",
        "How large a step the weights make against the gradient. Small steps at the end let the "
        "network settle.",
        Axis("epoch"),
        Axis("learning rate", also=[0.0]),
        [Line("learning rate", epochs, rates, 2)],
    )


def step_losses(found: NDArray[np.float64]) -> Picture:
    """The loss of every step, before its update, with a running mean."""
    steps = np.arange(1, len(found) + 1, dtype=np.float64)
    window = max(1, len(found) // 50)
    smooth = np.convolve(found, np.ones(window) / window, "valid")
    return Picture(
        "steps",
        "Loss of every step",
        "The loss of each batch just before the network learned from it. Single batches are easy "
        "or hard by chance; the running mean shows where it goes.",
        Axis("step"),
        Axis("loss of the batch", log=worth_logarithm(found)),
        [
            Line("one batch", steps.tolist(), found.tolist(), 5, faint=True),
            Line(f"mean of {window}", steps[window - 1 :].tolist(), smooth.tolist(), 1),
        ],
    )

"""Pictures of a model that predicts classes: confusion, ROC, precision-recall, calibration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.explain.pictures.marks import GUIDE, Bars, Cells, Line, Points
from chainrule.explain.pictures.picture import Axis, Picture

MOST_CLASSES = 12
"""So many classes have a row in the matrix: the most frequent ones."""

MOST_CURVES = 4
"""So many classes or labels have a curve of their own: the most frequent ones."""

Truth = NDArray[np.bool_]


def confusion(
    classes: Sequence[str], predicted: NDArray[np.int64], true: NDArray[np.int64]
) -> Picture:
    """How often a class was taken for which; `predicted` and `true` are positions in `classes`."""
    frequent = np.argsort(-np.bincount(true, minlength=len(classes)), kind="stable")
    shown = np.sort(frequent[:MOST_CLASSES])
    counts = np.array(
        [[np.count_nonzero((true == t) & (predicted == p)) for p in shown] for t in shown]
    )
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    wrong = ~np.eye(len(shown), dtype=bool)
    upwards = slice(None, None, -1)  # the first class stands at the top
    edges = [float(i) for i in range(len(shown) + 1)]
    places = [(i + 0.5, classes[at]) for i, at in enumerate(shown)]
    left_out = len(classes) - len(shown)
    more = (
        f" The {len(shown)} most frequent of {len(classes)} classes are shown." if left_out else ""
    )
    return Picture(
        "confusion",
        "Which class was taken for which",
        "Each row is a true class, each column what the network said. What lies on the diagonal is "
        f"right; a dark cell beside it is a pair that the network confuses.{more}",
        Axis("said", labels=places, tight=True),
        Axis("true", labels=[(len(shown) - at, name) for at, name in places], tight=True),
        [
            Cells(
                "rows",
                edges,
                edges,
                shares[upwards],
                wrong.astype(np.int64)[upwards],
                [
                    [str(count) if count else "" for count in row]
                    for row in counts[upwards].tolist()
                ],
            )
        ],
        third="rows",
    )


def roc(names: Sequence[str], scores: NDArray[np.float64], holds: Truth) -> Picture:
    """The ROC curve of each class: `scores` [rows, classes], `holds` [rows, classes]."""

    def curve(swept: Swept) -> Curve:
        return swept.false_alarms, swept.hits, float(np.trapezoid(swept.hits, swept.false_alarms))

    return Picture(
        "roc",
        "Hits against false alarms (ROC)",
        "As the network gets less strict it finds more of a class, and takes more of the others "
        "for it. A curve in the top left corner is good. The number is the area below the curve: "
        "1 is perfect, 0.5 is chance.",
        Axis("share of the others taken for it", tight=True, also=[0.0, 1.0]),
        Axis("share found", also=[0.0, 1.0]),
        [
            Line("by chance", [0.0, 1.0], [0.0, 1.0], GUIDE),
            *_curves(names, scores, holds, curve),
        ],
    )


def precision_recall(names: Sequence[str], scores: NDArray[np.float64], holds: Truth) -> Picture:
    """The precision-recall curve of each class; shapes as for `roc`."""

    def curve(swept: Swept) -> Curve:
        area = float(np.sum(np.diff(swept.hits) * swept.precision[1:]))
        return swept.hits, swept.precision, area

    return Picture(
        "precision-recall",
        "Precision against recall",
        "Of the rows that the network takes for a class, how many are (upwards), as it is asked to "
        "find more of them (across). Good curves stay high to the right. The number is the average "
        "precision: 1 is perfect.",
        Axis("share found", tight=True, also=[0.0, 1.0]),
        Axis("share of right ones", also=[0.0, 1.0]),
        list(_curves(names, scores, holds, curve)),
    )


def calibration(scores: NDArray[np.float64], holds: Truth, bins: int = 10) -> Picture:
    """Whether what is said with 70% holds in 70% of the rows; over all classes together."""
    said, held = scores.reshape(-1), holds.reshape(-1)
    place = np.minimum((said * bins).astype(np.int64), bins - 1)
    counts = np.bincount(place, minlength=bins)
    filled = np.flatnonzero(counts)
    x = np.bincount(place, said, bins)[filled] / counts[filled]
    y = np.bincount(place, held, bins)[filled] / counts[filled]
    share = counts / max(1, counts.sum()) * 0.25
    edges = np.linspace(0, 1, bins + 1).tolist()
    return Picture(
        "calibration",
        "Is it as sure as it should be?",
        "Across, how sure the network is; upwards, how often it is right then. On the dashed line "
        "its probabilities can be taken at their word; below it, it is too sure of itself. The "
        "bars show how often it is how sure (the tallest possible: a quarter of the height).",
        Axis("probability said", tight=True, also=[0.0, 1.0]),
        Axis("share that holds", also=[0.0, 1.0]),
        [
            Bars("how often", edges, share.tolist(), 5),
            Line("as sure as right", [0.0, 1.0], [0.0, 1.0], GUIDE),
            Line("", x.tolist(), y.tolist(), 1),
            Points("this model", x.tolist(), y.tolist(), 1, 4.0),
        ],
    )


class Swept(NamedTuple):
    """What happens to one class as the threshold falls, each from its start on."""

    false_alarms: NDArray[np.float64]
    hits: NDArray[np.float64]  # the recall
    precision: NDArray[np.float64]


Curve = tuple[NDArray[np.float64], NDArray[np.float64], float]
"""The places of a curve, and the area below it."""


def _curves(
    names: Sequence[str],
    scores: NDArray[np.float64],
    holds: Truth,
    curve: Callable[[Swept], Curve],
) -> Iterator[Line]:
    """A curve for each class that is drawn, its area beside its name."""
    for color, at in enumerate(_drawn(holds)):
        x, y, area = curve(_swept(scores[:, at], holds[:, at]))
        yield Line(f"{names[at]} {area:.3f}", x.tolist(), y.tolist(), color)


def _drawn(holds: Truth) -> list[int]:
    """The classes with a curve: of two only the second; of more the most frequent."""
    if holds.shape[1] == 2 and np.array_equal(holds[:, 0], ~holds[:, 1]):
        found = [1]
    else:
        found = np.argsort(-holds.sum(axis=0), kind="stable")[:MOST_CURVES].tolist()
    return [at for at in found if 0 < holds[:, at].sum() < len(holds)]


def _swept(scores: NDArray[np.float64], holds: Truth) -> Swept:
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    hits = np.cumsum(holds[order])[ends].astype(np.float64)
    said = ends + 1.0
    precision = hits / said
    wrong = (said - hits) / max(1, np.count_nonzero(~holds))
    recall = hits / max(1, np.count_nonzero(holds))
    starts = 0.0, 0.0, precision[0]
    return Swept(*map(np.append, starts, (wrong, recall, precision)))

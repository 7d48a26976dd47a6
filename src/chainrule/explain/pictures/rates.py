"""The picture of a search for the learning rate."""

from __future__ import annotations

from collections.abc import Sequence

from chainrule.explain.pictures.marks import Line, Mark, Points
from chainrule.explain.pictures.picture import Axis, Picture
from chainrule.explain.plain import number


def rate_search(
    rates: Sequence[float],
    losses: Sequence[float],
    smoothed: Sequence[float],
    chosen: float,
    reason: str,
) -> Picture:
    """The loss while the rate rose from update to update, and the rate that was chosen."""
    nearest = min(range(len(rates)), key=lambda place: abs(rates[place] - chosen), default=0)
    marks: list[Mark] = [
        Line("one batch", rates, losses, 5, faint=True),
        Line("smoothed", rates, smoothed, 1),
    ]
    if rates:
        marks.append(Points(f"chosen: {number(chosen)}", [chosen], [smoothed[nearest]], 4, 5.0))
    return Picture(
        "rate-search",
        "The search for the rate",
        "A copy of the network made updates at rates that rose, from far too small to far too "
        f"large. {number(chosen)} was taken: {reason}.",
        Axis("learning rate", log=True),
        Axis("loss of the batch"),
        marks,
    )

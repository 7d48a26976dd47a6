"""Curves drawn with characters, for a terminal and for plain text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import cycle

_BARS = "▁▂▃▄▅▆▇█"
_MARKS = "●○×+■□▲△"
_LONGEST = 105  # characters below a curve; if there are more, the legend has a line of its own


def sparkline(values: Sequence[float], width: int = 40) -> str:
    """The course of `values` in one line of at most `width` characters; nan leaves a gap.

    >>> sparkline([3, 2, 1, 2])
    '█▄▁▄'
    """
    shown = _thinned(values, width)
    finite = [v for v in shown if math.isfinite(v)]
    if not finite:
        return ""
    low, high = min(finite), max(finite)
    scale = (len(_BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(_BARS[int((v - low) * scale + 0.25)] if math.isfinite(v) else " " for v in shown)


def curve(
    series: Mapping[str, Sequence[float]],
    *,
    x: Sequence[float] | None = None,
    width: int = 60,
    height: int = 12,
    x_name: str = "",
    log: bool = False,
) -> str:
    """Curves over a common x as lines of text, each series with a mark of its own.

    `series`: name -> values, all as long as `x` (their positions from 1 where not given); the
    first is drawn on top, and values that are not finite are left out. With `log` the vertical
    axis is logarithmic and values not above 0 are left out too.

    >>> print(curve({"loss": [4, 2, 1]}, width=7, height=3, x_name="epoch"))
      4.00 │●
           │   ●
      1.00 │      ●
           └───────
            1     3  epoch      ● loss
    """
    length = max((len(values) for values in series.values()), default=0)
    places = list(x) if x is not None else [float(i + 1) for i in range(length)]
    shown = {name: [_height(v, log) for v in values] for name, values in series.items()}
    finite = [v for values in shown.values() for v in values if math.isfinite(v)]
    if not finite or not places:
        return "(nothing to draw)"
    low, high = min(finite), max(finite)
    grid = [[" "] * width for _ in range(height)]
    for mark, values in reversed(list(zip(cycle(_MARKS), shown.values(), strict=False))):
        for place, value in zip(places, values, strict=True):
            if math.isfinite(value):
                column = _step(place, min(places), max(places), width)
                grid[height - 1 - _step(value, low, high, height)][column] = mark
    labels = {0: _number(high, log), height - 1: _number(low, log)}
    wide = max(6, *map(len, labels.values()))
    lines = [f"{labels.get(i, ''):>{wide}} │{''.join(row).rstrip()}" for i, row in enumerate(grid)]
    lines.append(" " * wide + " └" + "─" * width)
    first, last = f"{min(places):g}", f"{max(places):g}"
    names = "  ".join(f"{mark} {name}" for mark, name in zip(cycle(_MARKS), series, strict=False))
    axis = f"{first}{last:>{max(1, width - len(first))}}  {x_name}"
    indent = " " * (wide + 2)
    below = f"\n{indent}" if len(indent + axis + names) + 6 > _LONGEST else "      "
    return "\n".join([*lines, f"{indent}{axis}{below}{names}".rstrip()])


def _thinned(values: Sequence[float], width: int) -> list[float]:
    if len(values) <= width:
        return [float(v) for v in values]
    return [float(values[round(i * (len(values) - 1) / (width - 1))]) for i in range(width)]


def _height(value: float, log: bool) -> float:
    if not log:
        return float(value)
    return math.log10(value) if value > 0 else math.nan


def _number(value: float, log: bool) -> str:
    shown = 10**value if log else value
    if 1000 <= abs(shown) < 1e6:
        return f"{shown:,.0f}"
    text = f"{shown:.3g}"
    return text if "e" in text or len(text) >= 4 else f"{float(text):.2f}"


def _step(value: float, low: float, high: float, steps: int) -> int:
    return round((value - low) / (high - low) * (steps - 1)) if high > low else 0

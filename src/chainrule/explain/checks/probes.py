"""Checks of states on the way: what the values, gradients and updates inside look like."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from chainrule.explain.evidence import Evidence, Probe
from chainrule.explain.findings import Check, Seen
from chainrule.explain.plain import number
from chainrule.explain.trace import parameters
from chainrule.explain.updates import rms

DEAD = 0.5
SATURATED = 0.6
"""Shares of a layer's units, or of its values, from which on it is said."""

FLAT = 0.05
"""A local derivative below this hardly passes anything back."""

FAR = 1e4
"""How many times the gradients of two layers may differ."""

HUGE = 300.0
"""How many times the size of its weights a gradient may have."""

USUAL_SHARE = 1e-3
"""About the share of their size that weights change by in an update of a good training."""


AT_ONCE = 1e-4
"""A rate is not changed by more than this factor, or its inverse, at once."""


def dead(evidence: Evidence) -> Iterator[Seen]:
    """Units that pass nothing back for any row."""
    if not evidence.probes:
        return
    for layer, share in _dead(evidence.probes[-1]).items():
        if share >= DEAD:
            steps = [p.step for p in evidence.probes if _dead(p).get(layer, 0.0) >= DEAD]
            what = f"{share:.0%} of the units of {layer} pass nothing back for any row, since step "
            what += f"{steps[0]}"
            where = {"layer": layer, "step": steps[0]}
            yield Seen(what, {"share": share, "since": steps[0]}, where, _slower(evidence))


def _dead(probe: Probe) -> dict[str, float]:
    return {layer: float((u == 0).all(axis=0).mean()) for layer, u in probe.units().items()}


def saturated(evidence: Evidence) -> Iterator[Seen]:
    """Activations in their flat ends, where they hardly change."""
    if not evidence.probes:
        return
    for layer, slopes in evidence.probes[-1].units().items():
        share = float(((slopes < FLAT) & (slopes > 0)).mean())
        rounded = float(((slopes == 0) & ~(slopes == 0).all(axis=0)).mean())
        if share >= SATURATED or (share > 0.2 and share + rounded >= SATURATED):
            what = f"{share + rounded:.0%} of the values of {layer} lie where it is flat"
            yield Seen(what, {"share": share + rounded}, {"layer": layer})


def vanishing(evidence: Evidence) -> Iterator[Seen]:
    """Gradients that get lost on the way to the first layer."""
    for probe in evidence.probes[:1]:
        sizes = list(probe.gradients().items())
        if len(sizes) >= 3 and 0 < sizes[0][1] < sizes[-1][1] / FAR:
            (first, low), (last, high) = sizes[0], sizes[-1]
            times = number(high / low)
            what = f"The gradient of {first} is {times} times smaller than that of {last}"
            yield Seen(what, {"first": low, "last": high}, {"layer": first, "step": probe.step})


def exploding(evidence: Evidence) -> Iterator[Seen]:
    """Gradients of many times the size of the weights that they are to change."""
    for probe in evidence.probes[:1]:
        sizes = {u.name: (rms(u.gradient), rms(u.before)) for u in probe.updates()}
        times = {name: g / w for name, (g, w) in sizes.items() if w > 0}
        worst = max(times, key=times.__getitem__, default="")
        if worst and times[worst] > HUGE:
            gradient, weight = sizes[worst]
            what = (
                f"The gradient of {worst} is {number(times[worst])} times the size of its weights"
            )
            numbers = {"gradient": gradient, "weight": weight}
            yield Seen(what, numbers, {"layer": worst, "step": probe.step})


def update_size(evidence: Evidence) -> Iterator[Seen]:
    """Updates that change weights by far too much, or by nothing."""
    sizes = [[u.share for u in probe.updates()] for probe in evidence.middle()]
    middle = [float(np.median(shares)) for shares in sizes if shares]
    if not middle:
        return
    usual = float(np.median(middle))
    if usual > 0.3 or usual < 1e-6:
        what = f"An update changes the weights by {usual:.2g} of their size"
        what += f"; usual is about {USUAL_SHARE}"
        rate = evidence.settings.get("lr")
        factor = min(1 / AT_ONCE, max(AT_ONCE, USUAL_SHARE / usual)) if usual else 1 / AT_ONCE
        remedy = {"lr": float(f"{rate * factor:.1g}")} if rate else {}
        yield Seen(what, {"share": usual}, {}, remedy)


def initial(evidence: Evidence) -> Iterator[Seen]:
    """First weights that make all units alike, or values that explode or fade."""
    if not evidence.probes:
        return
    trace = evidence.probes[0].trace
    hidden = [found for found in parameters(trace.program) if len(found.before.shape) == 2][:-1]
    for found in hidden:
        weights = trace[found.before]
        looked_up = found.gradient is None or weights.shape[0] < 2
        if not looked_up and (weights == weights[:1]).all() and "vectors" not in found.name:
            what = f"All units of {found.name} begin with the same weights"
            yield Seen(what, {"units": weights.shape[0], "different": 1}, {"layer": found.name})
    sizes = [(layer, rms(trace[out])) for layer, out in _before_units(evidence.probes[0])]
    for (first, low), (second, high) in pairwise(sizes):
        if low > 0 and (high > 30 * low or 0 < high < low / 30):
            what = (
                f"The values of {second} have size {number(high)}, those of {first} {number(low)}"
            )
            yield Seen(what, {"before": low, "after": high}, {"layer": second})


def _before_units(probe: Probe) -> list[tuple[str, Any]]:
    layers = probe.units()
    made = [m for m in probe.trace.program.instructions if m.phase == "forward"]
    return [(m.scope, m.inputs[0]) for m in made if m.scope in layers]


def _slower(evidence: Evidence) -> dict[str, float]:
    rate = evidence.settings.get("lr")
    return {"lr": float(f"{rate * 0.1:.3g}")} if rate else {}


PROBES = [
    Check(
        "dead units",
        "they give nothing, get no gradient, and so stay as they are.",
        "a smaller learning rate, scaled inputs, or another activation such as gelu.",
        dead,
        live=True,
    ),
    Check(
        "saturated activations",
        "where an activation is flat, hardly any gradient passes.",
        "smaller first weights, scaled inputs, or another activation such as relu.",
        saturated,
    ),
    Check(
        "vanishing gradients",
        "the first layers hardly learn.",
        "fewer layers, another activation such as relu, or normalisation between layers.",
        vanishing,
    ),
    Check(
        "exploding gradients",
        "the first layers jump while the last ones stand.",
        "smaller first weights, clipped gradients, or normalisation between layers.",
        exploding,
    ),
    Check(
        "update size",
        "weights that change too much forget; weights that hardly change do not learn.",
        "another learning rate.",
        update_size,
    ),
    Check(
        "first weights",
        "units that begin alike stay alike; values that explode or fade drown what follows.",
        "the layers' own initialisation, or one scaled by the number of inputs.",
        initial,
    ),
]

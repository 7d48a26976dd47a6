"""An opened step as a notebook shows it: its layers, each to be unfolded, and its updates."""

from __future__ import annotations

from chainrule.explain.layers import Layer
from chainrule.explain.opened import Opened
from chainrule.explain.plain import number, numbers
from chainrule.markup import Html, joined, notebook, table, tag


def step_html(opened: Opened) -> str:
    """The four steps in order; what is written out is folded away."""
    labels = opened.labels
    which = f"Step {labels.step:,} of {labels.steps or 0:,}" if labels.step else "A step"
    rows = f"{len(opened.rows)} row{'s' * (len(opened.rows) != 1)}"
    updates = [
        [one.name, numbers(one.before), numbers(one.gradient), f"{one.share:.2g}"]
        for one in opened.updates
    ]
    return notebook(
        tag("b", which),
        tag("span", f" {rows}, loss {number(opened.loss)}", class_="soft"),
        *(_layer(layer) for layer in opened.layers),
        _folded(
            f"update of {len(updates)} parameters",
            table(["parameter", "before", "gradient", "moved, of its size"], updates, left=3),
        ),
    )


def _layer(layer: Layer) -> Html:
    gradient = "none" if layer.gradient is None else numbers(layer.gradient)
    facts = table([], [["gives", numbers(layer.output)], ["gradient", gradient]], left=2)
    inside = [tag("pre", "\n".join(lines)) for lines in (layer.written, layer.passed) if lines]
    return _folded(f"{layer.name}: {layer.kind}" if layer.kind else layer.name, facts, *inside)


def _folded(summary: str, *inside: Html) -> Html:
    return tag("details", tag("summary", summary), joined(inside))

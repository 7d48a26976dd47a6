"""The scores of a model as a table of HTML, for reports and notebooks."""

from __future__ import annotations

from chainrule.markup import Html, table
from chainrule.model.card import Scores
from chainrule.wording import METRICS, scored


def score_table(found: Scores, baseline: Scores, trivial: str) -> Html:
    """The scores of a model beside those of the trivial answer, and what that is."""
    rows = [
        [METRICS.get(name, name), scored(name, value), scored(name, baseline.get(name))]
        for name, value in found.items()
    ]
    return table(["", "this network", trivial], rows)

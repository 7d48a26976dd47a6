"""What looks wrong with a run, as a section of its report."""

from __future__ import annotations

import re

from chainrule.explain import Finding
from chainrule.markup import Html, tag

SECTION = re.compile(r'<section class="findings">.*?</section>', re.DOTALL)
"""The section in a report; what comes from the data is escaped, and so no end of it."""


def told(found: list[Finding]) -> Html:
    """The section: each finding with its evidence, why it matters, what to do, what was tried."""
    if not found:
        return tag("section", class_="findings")
    return tag("section", tag("h2", "What looks wrong"), *map(_one, found), class_="findings")


def _one(finding: Finding) -> Html:
    what, *others = str(finding).split("\n")
    name, _, seen = what.partition(". ")
    lines = [tag("small", line.strip()) for line in others]
    return tag("p", tag("strong", name), f". {seen}", *lines, class_="finding")

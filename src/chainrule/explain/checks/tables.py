"""Checks of the data: what no network can mend."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from chainrule.explain.evidence import Evidence
from chainrule.explain.findings import Check, Seen

IMBALANCE = 3.0
"""The largest class has this many times the rows of the smallest, or more."""

WORTHLESS = 0.001
"""A column is worth nothing if the loss clearly grows by no more than this share without it."""

USELESS_GAIN = 0.1
"""Without the columns named the loss must fall by this share: they were picked by the same rows."""

UNSCALED = 30.0
"""Inputs or targets of this size or more, where about 1 is learned best."""


def imbalance(evidence: Evidence) -> Iterator[Seen]:
    """Classes of which one has many times the rows of another."""
    shares = evidence.shares
    if len(shares) < 2 or min(shares.values()) <= 0 or evidence.settings.get("class_weight"):
        return
    most, least = max(shares, key=shares.__getitem__), min(shares, key=shares.__getitem__)
    ratio = shares[most] / shares[least]
    if ratio >= IMBALANCE:
        what = f"{most} has {ratio:.1f} times the rows of {least}"
        numbers = {"largest share": shares[most], "smallest share": shares[least], "ratio": ratio}
        yield Seen(what, numbers, {"classes": [most, least]}, {"class_weight": "balanced"})


def unscaled(evidence: Evidence) -> Iterator[Seen]:
    """Columns of a float argument that are far from a size of about 1."""
    if not evidence.probes:
        return
    trace = evidence.probes[0].trace
    for place, arg in enumerate(trace.program.args):
        values = trace[arg]
        if values.dtype.kind != "f" or values.ndim != 2 or not values.size:
            continue
        sizes = np.sqrt(np.mean(np.square(values, dtype=np.float64), axis=0))
        large = [int(i) for i in np.flatnonzero(sizes > UNSCALED)]
        if large:
            what = f"{len(large)} columns of argument {place + 1} have numbers of size "
            what += f"{sizes.max():.3g}, where about 1 is learned best"
            yield Seen(what, {"largest": sizes.max()}, {"argument": place + 1, "columns": large})


def leaks(evidence: Evidence) -> Iterator[Seen]:
    """Columns that alone give the target away."""
    for note in evidence.notes:
        if note.about == "leak":
            numbers = {} if note.share is None else {"told alone": note.share}  # of older runs none
            yield Seen(note.text.partition(":")[0], numbers, {"column": note.column})


def useless(evidence: Evidence) -> Iterator[Seen]:
    """Columns without which the network would be better."""
    nothing = [name for name, worth in evidence.worth.items() if worth <= WORTHLESS]
    if nothing and len(nothing) < len(evidence.worth):
        what = f"The validation loss does not clearly grow when one of {len(nothing)} columns is "
        what += "shuffled, and falls when they are left out"
        worth = max(evidence.worth[name] for name in nothing)
        numbers = {"columns": len(nothing), "of": len(evidence.worth), "largest growth": worth}
        yield Seen(what, numbers, {"columns": nothing}, {"drop": nothing})


def shared(evidence: Evidence) -> Iterator[Seen]:
    """Rows that are in more than one part."""
    for note in evidence.notes:
        if note.about == "duplicates" and "training" in note.text:
            where = {"lines": note.lines} if note.lines else {}
            yield Seen(note.text, {"rows": note.count}, where)


TABLES = [
    Check(
        "class imbalance",
        "always giving the large class is often right, so accuracy says little.",
        "look at the balanced accuracy; --class-weight balanced lets all classes count the same.",
        imbalance,
    ),
    Check(
        "unscaled numbers",
        "one rate cannot suit columns of so different sizes: large ones jump, small ones stand.",
        "subtract the mean and divide by the deviation of the training rows.",
        unscaled,
    ),
    Check(
        "leaking column",
        "the score will not hold where the column is not known yet.",
        "--drop the column if it is not known when a prediction is to be made.",
        leaks,
    ),
    Check(
        "useless columns",
        "what they hold by chance is learned by heart, and misleads on new rows.",
        "--drop them.",
        useless,
        proof=USELESS_GAIN,
    ),
    Check(
        "rows in two parts",
        "the score is of rows that were learned by heart.",
        "take them out of one part, or split by --group.",
        shared,
    ),
]

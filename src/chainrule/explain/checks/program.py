"""Checks of the recorded program: what is wrong before the first step is made."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from chainrule.core.op import Pointwise, Reindex
from chainrule.core.value import Symbol
from chainrule.explain.evidence import Evidence
from chainrule.explain.findings import Check, Seen
from chainrule.explain.trace import parameters


def unreached(evidence: Evidence) -> Iterator[Seen]:
    """Parameters that no gradient reaches."""
    if evidence.program is None:
        return
    known = {found.name: found for found in parameters(evidence.program)}
    lost = [name for name in evidence.names if name not in evidence.program.reads]
    lost += [name for name, found in known.items() if found.gradient is None]
    for name in lost:
        yield Seen(f"The loss does not reach {name}", {"gradients": 0}, {"parameter": name})


def gathered(evidence: Evidence) -> Iterator[Seen]:
    """Gradients that are added to those of the steps before."""
    program = evidence.program
    names = {} if program is None else {id(cell): n for n, cell in program.cells.items()}
    read = program.reads if program is not None else {}
    kept = [
        name
        for name in read
        if program is not None
        and names.get(id(getattr(program.cells.get(name), "grad_cell", None))) in read
    ]
    if kept:
        what = f"The gradients of {len(kept)} parameters are added to those of the steps before"
        yield Seen(what, {"parameters": len(kept)}, {"parameters": kept})


def spread(evidence: Evidence) -> Iterator[Seen]:
    """Predictions and targets whose shapes are both spread to fit each other."""
    if evidence.program is None:
        return
    for made in evidence.program.instructions:
        out = made.outputs[0]
        real = isinstance(made.op.lower, Pointwise) and out.dtype.kind == "f"
        if made.phase != "loss" or not real:
            continue
        smaller = [_before(x) for x in made.inputs if isinstance(x, Symbol)]
        shapes = {x.shape for x in smaller if x is not None and x.size > 1}
        if None not in smaller and len(smaller) == 2 and len(shapes) == 2:
            left, right = (x.shape for x in smaller if x is not None)
            what = f"Predictions {left} and targets {right} are spread to {out.shape} to fit"
            yield Seen(
                what,
                {"compared": out.size, "expected": max(x.size for x in smaller if x is not None)},
                {"op": made.op.name, "line": made.line},
            )


def _before(symbol: Symbol) -> Symbol | None:
    """What a repeated value was before, if repeating made it larger."""
    made = symbol.made
    if made is None or not isinstance(made.op.lower, Reindex):
        return None
    before: Symbol = made.inputs[0]
    return before if before.size < symbol.size else None


def normalised_twice(evidence: Evidence) -> Iterator[Seen]:
    """Probabilities that are given to a loss which makes probabilities itself."""
    if not evidence.probes:
        return
    probe = evidence.probes[0]
    output = probe.output()
    if output is None or len(output.shape) != 2 or output.shape[1] < 2:
        return
    if not _sums_to_one(probe.trace[output]):
        return
    for made in probe.trace.program.instructions:
        out = made.outputs[0]
        if made.phase == "loss" and out.shape == output.shape and out.dtype.kind == "f":
            with np.errstate(all="ignore"):
                again = _sums_to_one(np.exp(probe.trace[out]))
            if again:
                what = "The network ends in probabilities, and the loss makes probabilities of them"
                sums = probe.trace[output].sum(axis=1)
                numbers = {"smallest row sum": sums.min(), "largest row sum": sums.max()}
                yield Seen(what, numbers, {"op": made.op.name, "line": made.line})
                return


def _sums_to_one(values: np.ndarray) -> bool:
    inside = bool((values >= 0).all() and (values <= 1).all())
    return inside and bool(np.allclose(values.sum(axis=1), 1.0, atol=1e-4))


PROGRAM = [
    Check(
        "unreached parameter",
        "it keeps its first value for ever: that part of the network does not learn.",
        "use it in the forward pass, or freeze it on purpose with requires_grad = False.",
        unreached,
    ),
    Check(
        "gradients not cleared",
        "each update then follows the sum of all gradients so far, not that of its own batch.",
        "call optimizer.zero_grad() before loss.backward().",
        gathered,
    ),
    Check(
        "shapes spread",
        "every prediction is compared with every target, so the best answer is one mean for all.",
        "give both the same shape, such as target.unsqueeze(1).",
        spread,
    ),
    Check(
        "probabilities twice",
        "a softmax before cross-entropy flattens the gradients: learning is slow and stays unsure.",
        "let the network end in its last linear layer; the loss takes its outputs as they are.",
        normalised_twice,
    ),
]

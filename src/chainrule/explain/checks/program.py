"""Checks of the recorded program: what is wrong before the first step is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from chainrule.core.op import Pointwise, Reindex
from chainrule.core.program import Program
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
    lost += [name for name, w in known.items() if w.gradient is None and w.after is None]
    for name in lost:
        yield Seen(f"The loss does not reach {name}", {"gradients": 0}, {"parameter": name})


def gathered(evidence: Evidence) -> Iterator[Seen]:
    """Gradients that a step adds to those of the steps before, updates by, and leaves behind."""
    program = evidence.program
    if program is None:
        return
    names = {id(cell): name for name, cell in program.cells.items()}
    kept = [
        found.name
        for found in parameters(program)
        if found.after is not None
        and found.gradient is not None
        and found.gradient.made is not None
        and _uses(found.gradient, program.reads.get(_gradient_name(program, names, found.name)))
    ]
    if kept:
        what = f"The gradients of {len(kept)} parameters are added to those of the steps before"
        yield Seen(what, {"parameters": len(kept)}, {"parameters": kept})


def _gradient_name(program: Program, names: Mapping[int, str], parameter: str) -> str:
    """What the cell of a parameter's gradient is called."""
    return names.get(id(program.cells[parameter].grad_cell), "")


def _uses(gathered: Symbol, before: Symbol | None) -> bool:
    """Whether a gradient was added to the one that was there on entry."""
    made = gathered.made
    return made is not None and before is not None and before in made.inputs


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
]

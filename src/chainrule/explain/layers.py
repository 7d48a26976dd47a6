"""The operations of a step by layer: what each made of its inputs, and what it passes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.core.program import Instruction, Program
from chainrule.core.value import Symbol
from chainrule.explain.plain import Shown, number
from chainrule.explain.trace import (
    LEARNED,
    Trace,
    local_derivatives,
    parameters,
    passed_on,
    repeated,
    wants_gradient,
)
from chainrule.explain.written import equation

FEW = 8
"""So many elements of a value are written out; of an unfolded layer `MANY`."""

MANY = 64


@dataclass(frozen=True, eq=False)
class Factor(Shown):
    """What an operation passes back to one input: incoming gradient times local derivative.

    `local` is the local derivative element by element, where the operation has one for each;
    `passed` is the product, in the input's shape.
    """

    to: str
    local: NDArray[Any] | None
    passed: NDArray[Any]


@dataclass(frozen=True, eq=False)
class Link(Shown):
    """One operation of the chain: what went in, what came out, and what is passed back."""

    name: str
    op: str
    what: str  # what the operation computes
    formula: str  # its local derivatives
    phase: str
    layer: str
    line: str
    inputs: list[str]
    output: NDArray[Any]
    gradient: NDArray[Any] | None  # the incoming one
    factors: list[Factor]


@dataclass(frozen=True, eq=False)
class Layer(Shown):
    """Some operations that belong together: a layer of the network, or the loss.

    `output` and `gradient` are of the whole batch. `written`: how the shown row's outputs come
    about. `passed`: how the gradient that came in becomes what is passed on, and what each
    parameter gets; both only where they fit on paper.
    """

    name: str
    kind: str
    phase: str
    output: NDArray[Any]
    gradient: NDArray[Any] | None
    written: list[str]
    passed: list[str]
    links: list[Link]


def names_of(program: Program, arguments: Sequence[str] = ()) -> dict[Symbol, str]:
    """What the values of a program are called: arguments, cells, and the others by number."""
    given = [*arguments, *(f"argument {i + 1}" for i in range(len(arguments), len(program.args)))]
    names = dict(zip(program.args, given, strict=True))
    return names | {symbol: name for name, symbol in program.reads.items()}


def layers_of(
    traced: Trace,
    row: int,
    names: Mapping[Symbol, str],
    kinds: Mapping[str, str],
    unfolded: str = "",
) -> list[Layer]:
    """The layers of a step in forward order, the loss last; of `unfolded` more is written out."""
    program = traced.program
    learned = [made for made in program.instructions if made.phase in LEARNED]
    found: dict[str, list[Instruction]] = {}
    for name, group in groupby(learned, key=_name):
        found.setdefault(name, []).extend(group)
    return [
        _layer(traced, row, names, kinds, made, MANY if name == unfolded else FEW)
        for name, made in found.items()
    ]


def _name(made: Instruction) -> str:
    return "loss" if made.phase == "loss" else made.scope or "network"


def _layer(
    traced: Trace,
    row: int,
    names: Mapping[Symbol, str],
    kinds: Mapping[str, str],
    group: list[Instruction],
    most: int,
) -> Layer:
    phase, scope = group[0].phase, group[0].scope
    last = group[-1].outputs[0]
    return Layer(
        _name(group[0]),
        kinds.get(scope, "") if phase == "forward" else "",
        phase,
        traced[last],
        traced.gradient(last),
        _written(traced, last, row, group, most),
        _passed(traced, row, names, group, most),
        [_link(traced, names, made) for made in group],
    )


def _written(
    traced: Trace, symbol: Symbol, row: int, inside: Sequence[Instruction], most: int
) -> list[str]:
    """How the elements of a value, of one row if it has rows, come about; none if too many."""
    places = _places(symbol, row, traced.rows, most)
    found = [equation(traced, symbol, at, inside) for at in places]
    return [text for text in found if text is not None] if None not in found else []


def _places(symbol: Symbol, row: int, rows: int, most: int) -> list[tuple[int, ...]]:
    """The elements of a value, of one row if it has rows; none if they are too many."""
    by_row = symbol.shape[:1] == (rows,)
    shape = symbol.shape[1:] if by_row else symbol.shape
    if int(np.prod(shape)) > most:
        return []
    return [((row, *at) if by_row else at) for at in np.ndindex(shape)]


def _passed(
    traced: Trace,
    row: int,
    names: Mapping[Symbol, str],
    group: list[Instruction],
    most: int,
) -> list[str]:
    """What comes back through a layer, written out: to its inputs, and to its parameters."""
    if len(group) == 1 and (products := _products(traced, row, group[0], most)):
        return products
    program, scopes = traced.program, {made.scope for made in group}
    back = [m for m in program.instructions if m.phase == "backward" and m.scope in scopes]
    made_here = {out for made in group for out in made.outputs}
    taken = {x for made in group for x in made.inputs if isinstance(x, Symbol)} - made_here
    weights = [p for p in parameters(program) if p.before in taken]
    others = taken - {p.before for p in weights}
    targets = [(x, program.gradients[x]) for x in others if x in program.gradients]
    inputs = [("its input", g) for x, g in sorted(targets, key=lambda pair: pair[0].id)]
    weighed = [(p.name, p.gradient) for p in weights if p.gradient is not None]
    lines = []
    for name, gradient in inputs + weighed:
        places = _places(gradient, row, traced.rows if name == "its input" else -1, most)
        for at in islice(places, most):
            text = equation(traced, gradient, at, back)
            if text is not None:
                where = at[1:] if name == "its input" and len(at) > 1 else at
                place = f"[{', '.join(map(str, where))}]" if where else ""
                lines.append(f"to {name}{place}: {text}")
    return lines


def _products(traced: Trace, row: int, made: Instruction, most: int) -> list[str]:
    """Incoming times local for a layer that is one pointwise operation of one input."""
    incoming, local = traced.gradient(made.outputs[0]), local_derivatives(traced, made).get(0)
    if incoming is None or local is None or len(made.inputs) > 1:
        return []
    largest = float(np.abs(incoming).max(initial=0.0))
    lines = []
    for at in _places(made.outputs[0], row, traced.rows, most):
        left, right = number(incoming[at], largest), number(local[at])
        place = f"[{', '.join(map(str, at[1:] or at))}]"
        result = number(incoming[at] * local[at], largest)
        lines.append(f"to its input{place}: {left}*{right} = {result}")
    return lines


def _link(traced: Trace, names: Mapping[Symbol, str], made: Instruction) -> Link:
    out = made.outputs[0]
    gradient = traced.gradient(out)
    return Link(
        str(out),
        made.op.name,
        made.op.doc,
        made.op.formula,
        made.phase,
        made.scope,
        made.line,
        [_operand(x, names) for x in made.inputs],
        traced[out],
        gradient,
        [] if gradient is None else _factors(traced, names, made, gradient),
    )


def _factors(
    traced: Trace, names: Mapping[Symbol, str], made: Instruction, gradient: NDArray[Any]
) -> list[Factor]:
    if not any(wants_gradient(traced, x) for x in made.inputs):
        return []

    def whole(operand: Any) -> Any:  # a parameter, not what repeats it
        return operand if operand in traced.program.gradients else repeated(operand) or operand

    local = local_derivatives(traced, made)
    return [
        Factor(_operand(whole(made.inputs[at]), names), local.get(at), passed)
        for at, passed in passed_on(traced, made, gradient).items()
    ]


def _operand(operand: Any, names: Mapping[Symbol, str]) -> str:
    return names.get(operand, str(operand)) if isinstance(operand, Symbol) else number(operand)

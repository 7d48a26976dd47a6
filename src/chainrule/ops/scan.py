"""A body recorded once and repeated along the first axis: recurrences.

The body is a Program from (carries, a slice of each sequence, shared inputs) to (new carries, an
element of each output). Its reverse sweep is another body, recorded once, and the gradient of a
scan is a scan of that body in the other direction: so any order of derivative follows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule.core.apply import Call, define
from chainrule.core.interpret import interpret, replay
from chainrule.core.op import CALLS, Scan
from chainrule.core.program import Program
from chainrule.core.record import mark, record
from chainrule.core.state import TRACKING
from chainrule.core.sweep import sweep
from chainrule.core.value import Value
from chainrule.errors import ShapeError
from chainrule.spec import Spec, spec_of


def _spec_of(symbol: Any) -> Spec:
    return Spec(symbol.shape, symbol.dtype)


def _parts(inputs: Sequence[Any], carries: int, sequences: int) -> tuple[Any, Any, Any]:
    """The inputs of a scan: first carries, sequences, shared."""
    middle = carries + sequences
    return inputs[:carries], inputs[carries:middle], inputs[middle:]


def _spec(
    *inputs: Spec, body: Program, carries: int, sequences: int, length: int, **_: Any
) -> tuple[Spec, ...]:
    init, xs, shared = _parts(inputs, carries, sequences)
    finals = tuple(map(_spec_of, body.returns[:carries]))
    if finals != tuple(init):
        raise ShapeError(
            "the body of a scan gives back its carry in the same shapes and dtypes",
            expected=", ".join(map(str, init)),
            got=", ".join(map(str, finals)),
        )
    if any(x.ndim == 0 or x.shape[0] != length for x in xs):
        raise ShapeError(
            "the sequences of a scan are of one length along their first axis",
            expected=f"length {length}",
            got=", ".join(map(str, xs)),
        )
    taken = (*init, *(Spec(x.shape[1:], x.dtype) for x in xs), *shared)
    if (takes := tuple(map(_spec_of, body.args))) != taken:
        raise ShapeError(
            "the body of a scan takes the carry, a slice of each sequence and what is shared",
            expected=", ".join(map(str, takes)),
            got=", ".join(map(str, taken)),
        )
    outs = map(_spec_of, body.returns[carries:])
    return (*finals, *(Spec((length, *out.shape), out.dtype) for out in outs))


def _forward(
    *inputs: Any, body: Program, carries: int, sequences: int, length: int, reverse: bool, **_: Any
) -> tuple[Any, ...]:
    carry, xs, shared = _parts(inputs, carries, sequences)
    outs = [np.empty((length, *s.shape), s.dtype) for s in map(_spec_of, body.returns[carries:])]
    for t in reversed(range(length)) if reverse else range(length):
        found = interpret(body, (*carry, *(x[t] for x in xs), *shared))
        carry = found[:carries]
        for out, one in zip(outs, found[carries:], strict=True):
            out[t] = one
    return (*carry, *outs)


def _backward_body(body: Program, carries: int, needed: tuple[bool, ...]) -> Program:
    """(g of new carries and outputs, then the body's inputs) -> a gradient per needed input.

    The body runs forward again inside: of a step, only its carry is stored.
    """
    key = ("backward", needed)
    if key not in body.derived:
        specs = [_spec_of(s) for s in [*body.returns, *body.args]]

        def back(*values: Value) -> tuple[Value, ...]:
            gs, inputs = values[: len(body.returns)], values[len(body.returns) :]
            leaves = [Value(v.array) for v in inputs]
            for leaf, wanted in zip(leaves, needed, strict=True):
                leaf.origin = leaf if wanted else None
            token = TRACKING.set(True)
            try:
                outs = replay(body, leaves)
            finally:
                TRACKING.reset(token)
            roots = [  # an output that depends on nothing is no Value
                (out.origin if isinstance(out, Value) else None, g.array)
                for out, g in zip(outs, gs, strict=True)
            ]
            found = {id(leaf): g for leaf, g in sweep(roots)}
            return tuple(
                Value(found[id(v)] if id(v) in found else _zeros(v))
                for v, wanted in zip(leaves, needed, strict=True)
                if wanted
            )

        body.derived[key] = record(back, specs)[0].pruned()
    backward: Program = body.derived[key]
    return backward


def _zeros(like: Any) -> Any:
    return CALLS["full"](shape=tuple(like.shape), value=0.0, dtype=np.dtype(like.dtype).name)


def _differentiable(body: Program) -> tuple[bool, ...]:
    return tuple(symbol.dtype.kind == "f" for symbol in body.args)


def _history(body: Program, carries: int) -> tuple[int, ...]:
    """The carries whose values the reverse sweep reads: only those are kept for every step."""
    backward = _backward_body(body, carries, _differentiable(body))
    used = {symbol for made in backward.instructions for symbol in made.inputs} | set(
        backward.returns
    )
    before = backward.args[len(body.returns) :][:carries]
    return tuple(i for i, symbol in enumerate(before) if symbol in used)


def _keeping_carries(body: Program, kept: tuple[int, ...]) -> Program:
    """The same body, giving out also the carries it was entered with."""
    key = ("keeping", kept)
    if key not in body.derived:
        returns = [*body.returns, *(body.args[i] for i in kept)]
        body.derived[key] = Program(
            body.args, {}, {}, body.constants, body.instructions, returns, {}
        )
    keeping: Program = body.derived[key]
    return keeping


def _grad(
    g: tuple[Any, ...],
    out: tuple[Any, ...],
    *inputs: Any,
    needed: tuple[bool, ...],
    body: Program,
    carries: int,
    sequences: int,
    length: int,
    reverse: bool,
    kept: tuple[int, ...],
) -> list[Any]:
    """A scan in the other direction, whose carry holds the carry's gradient and the sums of the
    shared inputs' gradients, and whose outputs are the sequences' gradients.
    """
    init, xs, shared = _parts(inputs, carries, sequences)
    flows = _differentiable(body)
    wanted = tuple(flows[i] and (i < carries or needed[i]) for i in range(len(inputs)))
    befores = out[len(out) - len(kept) :]
    if all(one is None for one in g[len(out) - len(kept) :]):  # not so in second order
        body, out, g = _without(body, len(kept)), *(x[: len(out) - len(kept)] for x in (out, g))
    step = _reverse_step(body, carries, sequences, wanted, kept)
    gs = [_zeros(o) if one is None else one for o, one in zip(out, g, strict=True)]
    totals = [
        _zeros(s) for s, want in zip(shared, wanted[carries + sequences :], strict=True) if want
    ]
    flowing = [one for one, flow in zip(gs[:carries], flows, strict=False) if flow]
    outputs = gs[carries:]
    found = repeat(
        step, [*flowing, *totals], [*outputs, *befores, *xs], list(shared), length, not reverse
    )
    return _placed(list(found), wanted, carries, sequences)


def _placed(found: list[Any], wanted: tuple[bool, ...], carries: int, sequences: int) -> list[Any]:
    """The reverse scan's results (carries, totals, then sequences) in the order of the inputs."""
    first, last = wanted[:carries], wanted[carries + sequences :]
    heads = found[: sum(first)]
    totals = found[sum(first) : sum(first) + sum(last)]
    rest = found[sum(first) + sum(last) :]
    return [
        parts.pop(0) if want else None
        for parts, flags in (
            (heads, first),
            (rest, wanted[carries : carries + sequences]),
            (totals, last),
        )
        for want in flags
    ]


def _without(body: Program, last: int) -> Program:
    """The body without the carries it gives out for its gradient."""
    if not last:
        return body
    key = ("without", last)
    if key not in body.derived:
        body.derived[key] = Program(
            body.args, {}, {}, body.constants, body.instructions, body.returns[:-last], {}
        )
    found: Program = body.derived[key]
    return found


def _reverse_step(
    body: Program, carries: int, sequences: int, wanted: tuple[bool, ...], kept: tuple[int, ...]
) -> Program:
    """The body of the reverse scan: one step of the reverse sweep, and adding up."""
    key = ("reverse", wanted, kept)
    if key not in body.derived:
        backward = _backward_body(body, carries, wanted)
        flows = _differentiable(body)
        init, xs, shared = _parts(body.args, carries, sequences)
        flowing = [i for i in range(carries) if flows[i]]
        summed = [s for s, want in zip(shared, wanted[carries + sequences :], strict=True) if want]
        outputs = body.returns[carries:]
        befores = [init[i] for i in kept]
        specs = [
            _spec_of(s)
            for s in [*(init[i] for i in flowing), *summed, *outputs, *befores, *xs, *shared]
        ]

        def step(*values: Value) -> tuple[Any, ...]:
            rest = list(values)

            def take(count: int) -> list[Value]:
                nonlocal rest
                taken, rest = rest[:count], rest[count:]
                return taken

            g_carry = dict(zip(flowing, take(len(flowing)), strict=True))
            totals, g_outs = take(len(summed)), take(len(outputs))
            before = dict(zip(kept, take(len(kept)), strict=True))
            gs = [g_carry[i] if i in g_carry else Value(_zeros(init[i])) for i in range(carries)]
            entered = [before[i] if i in before else Value(_zeros(init[i])) for i in range(carries)]
            found = list(replay(backward, [*gs, *g_outs, *entered, *rest]))
            d_carry = [found.pop(0) for _ in flowing]
            d_xs = [found.pop(0) for want in wanted[carries : carries + sequences] if want]
            with mark(phase="backward"):
                sums = [CALLS["add"](t, d) for t, d in zip(totals, found, strict=True)]
            return (*d_carry, *sums, *d_xs)

        body.derived[key] = record(step, specs)[0].pruned()
    found: Program = body.derived[key]
    return found


scan: Call = define(
    "scan",
    inputs="*inputs",
    doc="A body repeated along the first axis of its sequences: last carries, and every output.",
    formula="the body's own gradient, from the last step to the first",
    spec=_spec,
    forward=_forward,
    grad=_grad,
    lower=Scan(),
    onnx="Scan",
)


def _again(*inputs: Any, **settings: Any) -> tuple[Any, ...]:
    """How a scan inside a body is applied anew: differentiated now, it keeps its carries."""
    if settings["kept"] or not _tracked(inputs):
        found: tuple[Any, ...] = scan(*inputs, **settings)
        return found
    parts = _parts(inputs, settings["carries"], settings["sequences"])
    return repeat(settings["body"], *parts, settings["length"], settings["reverse"])


CALLS["scan"] = _again


def _tracked(inputs: Sequence[Any]) -> bool:
    return TRACKING.get() and any(isinstance(v, Value) and v.origin is not None for v in inputs)


def repeat(
    body: Program,
    init: Sequence[Any],
    xs: Sequence[Any],
    shared: Sequence[Any],
    length: int,
    reverse: bool = False,
) -> tuple[Any, ...]:
    """Apply `scan`; where a gradient may be asked for, the carries it will need are kept."""
    inputs = [*init, *xs, *shared]
    specs: list[Any] = [spec_of(v.array if isinstance(v, Value) else v) for v in inputs]
    _spec(*specs, body=body, carries=len(init), sequences=len(xs), length=length)
    kept = _history(body, len(init)) if _tracked(inputs) else ()
    found: tuple[Any, ...] = scan(
        *inputs,
        body=_keeping_carries(body, kept) if kept else body,
        carries=len(init),
        sequences=len(xs),
        length=length,
        reverse=reverse,
        kept=kept,
    )
    return found[: len(body.returns)]


def record_body(
    fn: Callable[..., Sequence[Value]], init: Sequence[Value], xs: Sequence[Value]
) -> tuple[Program, list[Value]]:
    """Record `fn(*carries, *slices) -> (*carries, *outputs)`; gives the body and the shared inputs.

    What `fn` uses from outside, cells and tensors, becomes shared inputs that keep their history.
    """
    specs = [Spec(v.shape, v.dtype) for v in init] + [Spec(v.shape[1:], v.dtype) for v in xs]
    program, recorder = record(fn, specs, inner=True)
    shared = [recorder.outside[s] for s in program.captured]
    body = Program(
        [*program.args, *program.captured],
        {},
        {},
        program.constants,
        program.instructions,
        program.returns,
        {},
    )
    return body, shared

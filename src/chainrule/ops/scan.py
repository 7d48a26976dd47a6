"""A body recorded once and repeated along the first axis: recurrences.

The body is a Program from (carries, a slice of each sequence, shared inputs) to (new carries, an
element of each output). Its reverse sweep is another body, recorded once, and the gradient of a
scan is a scan of that body in the other direction: so any order of derivative follows. The setting
`kept` says which of the body's values are given out as well, for its gradient to read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule.core.apply import Call, define
from chainrule.core.interpret import interpret
from chainrule.core.op import CALLS, Scan
from chainrule.core.program import Program
from chainrule.core.record import record
from chainrule.core.state import TRACKING
from chainrule.core.value import Value
from chainrule.errors import ShapeError
from chainrule.ops.scan_bodies import (
    differentiable,
    keeping,
    kept_values,
    reverse_step,
    spec_of,
    without,
    zeros,
)
from chainrule.spec import Spec
from chainrule.spec import spec_of as spec_of_raw


def _parts(inputs: Sequence[Any], carries: int, sequences: int) -> tuple[Any, Any, Any]:
    """The inputs of a scan: first carries, sequences, shared."""
    middle = carries + sequences
    return inputs[:carries], inputs[carries:middle], inputs[middle:]


def _spec(
    *inputs: Spec, body: Program, carries: int, sequences: int, length: int, **_: Any
) -> tuple[Spec, ...]:
    init, xs, shared = _parts(inputs, carries, sequences)
    finals = tuple(map(spec_of, body.returns[:carries]))
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
    if (takes := tuple(map(spec_of, body.args))) != taken:
        raise ShapeError(
            "the body of a scan takes the carry, a slice of each sequence and what is shared",
            expected=", ".join(map(str, takes)),
            got=", ".join(map(str, taken)),
        )
    outs = map(spec_of, body.returns[carries:])
    return (*finals, *(Spec((length, *out.shape), out.dtype) for out in outs))


def _forward(
    *inputs: Any, body: Program, carries: int, sequences: int, length: int, reverse: bool, **_: Any
) -> tuple[Any, ...]:
    carry, xs, shared = _parts(inputs, carries, sequences)
    outs = [np.empty((length, *s.shape), s.dtype) for s in map(spec_of, body.returns[carries:])]
    for t in reversed(range(length)) if reverse else range(length):
        found = interpret(body, (*carry, *(x[t] for x in xs), *shared))
        carry = found[:carries]
        for out, one in zip(outs, found[carries:], strict=True):
            out[t] = one
    return (*carry, *outs)


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
    flows = differentiable(body)
    wanted = tuple(flows[i] and (i < carries or needed[i]) for i in range(len(inputs)))
    values = out[len(out) - len(kept) :]
    if all(one is None for one in g[len(out) - len(kept) :]):  # not so in second order
        body, out, g = without(body, len(kept)), *(x[: len(out) - len(kept)] for x in (out, g))
    step = reverse_step(body, carries, sequences, wanted, kept)
    gs = [zeros(o) if one is None else one for o, one in zip(out, g, strict=True)]
    flowing = [one for one, flow in zip(gs[:carries], flows, strict=False) if flow]
    totals = [zeros(shared[i]) for i in step.totals]
    rows = [*gs[carries:], *values, *xs]
    found = list(repeat(step.body, [*flowing, *totals], rows, list(shared), length, not reverse))

    def take(count: int) -> list[Any]:
        taken = found[:count]
        del found[:count]
        return taken

    firsts = take(len(flowing))
    sums = dict(zip(step.totals, take(len(totals)), strict=True))
    d_xs = take(sum(wanted[carries : carries + sequences]))
    for i, later in step.later.items():
        sums[i] = later.over_all(rows, found)
    return _placed([*firsts, *d_xs, *(sums[i] for i in sorted(sums))], wanted)


def _placed(found: list[Any], wanted: tuple[bool, ...]) -> list[Any]:
    """What was found, in order, at the places where it was wanted."""
    return [found.pop(0) if want else None for want in wanted]


def _onnx(
    to: Any, *inputs: str, body: Program, carries: int, sequences: int, reverse: bool, **_: Any
) -> tuple[str, ...]:
    init, xs, shared = _parts(inputs, carries, sequences)
    backwards = int(reverse)  # the last slice first, and the outputs from the end
    written: tuple[str, ...] = to.several(
        len(body.returns),
        "Scan",
        *init,
        *xs,
        body=to.body(body, shared),
        num_scan_inputs=sequences,
        scan_input_directions=[backwards] * sequences,
        scan_output_directions=[backwards] * (len(body.returns) - carries),
    )
    return written


scan: Call = define(
    "scan",
    inputs="*inputs",
    doc="A body repeated along the first axis of its sequences: last carries, and every output.",
    formula="the body's own gradient, from the last step to the first",
    spec=_spec,
    forward=_forward,
    grad=_grad,
    lower=Scan(),
    onnx=_onnx,
)


def _again(*inputs: Any, **settings: Any) -> tuple[Any, ...]:
    """How a scan inside a body is applied anew: differentiated now, it keeps what that needs."""
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
    """Apply `scan`; where a gradient may be asked for, the values it will need are kept."""
    inputs = [*init, *xs, *shared]
    specs: list[Any] = [spec_of_raw(v.array if isinstance(v, Value) else v) for v in inputs]
    _spec(*specs, body=body, carries=len(init), sequences=len(xs), length=length)
    kept = kept_values(body, len(init), len(xs)) if _tracked(inputs) else ()
    found: tuple[Any, ...] = scan(
        *inputs,
        body=keeping(body, kept) if kept else body,
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

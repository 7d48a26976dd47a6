"""Which instructions are linear in which of their inputs, told from the ops' own derivatives."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from functools import cache

from chainrule.core.op import Op, Pointwise
from chainrule.core.program import Instruction


def is_linear(made: Instruction, places: Collection[int]) -> bool:
    """Whether twice these inputs together, the others as they are, give twice the result.

    So it is where no derivative towards them needs one of them, and each needs all others that are
    not 0: an input that it does not need is not multiplied but added, or taken instead.
    """
    if not isinstance(made.op.lower, Pointwise) or made.settings:
        return False
    named, inputs = _named(made.op), dict(zip(made.op.inputs, made.inputs, strict=True))
    others = {name for place, name in enumerate(inputs) if place not in places}
    factors = {name for name in others if not (type(inputs[name]) is float and inputs[name] == 0)}
    return bool(named) and all(
        (found := named[place]) is not None and factors <= found <= others for place in places
    )


def is_sum(made: Instruction) -> bool:
    """Whether it adds two values."""
    both = len(made.inputs) == 2 and is_linear(made, (0, 1))
    return both and made.op.forward(1.0, 0.0) == 1 == made.op.forward(0.0, 1.0)


@cache
def _named(op: Op) -> tuple[set[str] | None, ...]:
    """For each input what of the inputs and the output its derivative needs; None without one."""
    if not isinstance(op.grad, tuple):
        return ()
    return tuple(
        None if rule is None else {*inspect.signature(rule).parameters} - {"g"} for rule in op.grad
    )

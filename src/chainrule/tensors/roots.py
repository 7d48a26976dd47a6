"""Where a gradient may start: what is refused, and what flows in."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.core.state import RECORDER
from chainrule.core.value import Raw, Symbol
from chainrule.errors import GradientError, ShapeError
from chainrule.ops.create import full
from chainrule.spec import Spec


def check_root(out: Any, gradient: Any) -> None:
    """Refuse a result that no gradient can start from, saying where the chain is broken."""
    if not out.requires_grad:
        raise broken(out)
    if gradient is None and out.size != 1:
        raise GradientError(
            "a gradient is taken of one number",
            expected="a loss of one element",
            got=spec_of(out),
            hint="take the mean or the sum first, or pass gradient=",
        )
    if gradient is not None and gradient.shape != out.shape:
        raise ShapeError(
            "the incoming gradient has the output's shape",
            expected=spec_of(out),
            got=spec_of(gradient),
        )


def broken(out: Any) -> GradientError:
    """Why no gradient comes from a result."""
    recorder = RECORDER.get()
    made = recorder.breaks_at(out.array) if recorder is not None else None
    if made is not None:
        place = f"{made.line}, in layer {made.scope}" if made.scope else made.line
        why = made.op.formula.partition("none: ")[2] or "only real numbers have a slope"
        return GradientError(
            f"the chain from the parameters to this loss breaks at {made.op.name} ({place})",
            expected="ops with a gradient all the way",
            got=f"{made.op.name} to {Spec(made.outputs[0].shape, made.outputs[0].dtype)}: {why}",
            hint="a loss that bends: the MSE family for numbers, cross-entropy for classes",
        )
    return GradientError(
        "nothing that this tensor was computed from wants a gradient",
        got=spec_of(out),
        hint="is a parameter frozen, a tensor detached, or was it computed under no_grad or by "
        "an op without a gradient, such as a comparison or a cast to integers? "
        "In a step under cr.compile the error names the place",
    )


def ones_like_root(like: Any) -> Raw:
    """The gradient that flows into a result when none is given: 1."""
    raw = like.array
    if isinstance(raw, Symbol):
        return full(shape=raw.shape, value=1.0, dtype=raw.dtype.name)
    return raw.dtype.type(1) if not raw.shape else np.ones(raw.shape, raw.dtype)


def spec_of(x: Any) -> Spec:
    """The shape and dtype of a tensor."""
    return Spec(tuple(x.shape), x.dtype)

"""What is linear in what, against numbers: twice the inputs give twice the result."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.compiler.linear import is_linear, is_sum
from chainrule.core.op import OPS, Pointwise
from chainrule.core.program import Instruction
from chainrule.core.record import record
from chainrule.spec import spec_of


def instruction(fn: Any, *arrays: Any) -> Instruction:
    """The last instruction of what a function records."""
    program, _ = record(lambda *xs: (fn(*xs),), [spec_of(a) for a in arrays])
    return program.instructions[-1]


A, B, C = np.random.default_rng(0).uniform(0.5, 2.0, (3, 4))


@pytest.mark.parametrize(
    ("fn", "places", "expected"),
    [
        (lambda x, y: x + y, (0, 1), True),
        (lambda x, y: x + y, (0,), False),
        (lambda x, y: x - y, (0, 1), True),
        (lambda x, y: x * y, (0,), True),
        (lambda x, y: x * y, (0, 1), False),
        (lambda x, y: x / y, (0,), True),
        (lambda x, y: x / y, (1,), False),
        (lambda x, y: cr.where(x > 1.0, x, y), (1, 2), True),
        (lambda x, y: cr.where(x > 1.0, x, y), (1,), False),
        (lambda x, y: cr.where(y > 1.0, x, 0.0), (1,), True),
        (lambda x, y: cr.where(y > 1.0, x, 1.0), (1,), False),
        (lambda x, y: -x, (0,), True),
        (lambda x, y: x.tanh(), (0,), False),
        (lambda x, y: cr.maximum(x, y), (0, 1), False),
        (lambda x, y: x.sum(), (0,), False),
    ],
)
def test_examples(fn: Any, places: tuple[int, ...], expected: bool) -> None:
    assert is_linear(instruction(fn, A, B), places) == expected


@pytest.mark.parametrize("name", [n for n, op in OPS.items() if isinstance(op.lower, Pointwise)])
def test_what_is_called_linear_is(name: str) -> None:
    op = OPS[name]
    for arrays, settings in op.samples(np.random.default_rng(0)):
        made = Instruction(op, tuple(arrays), settings, (None,))  # type: ignore[arg-type]
        for places in [(0,), (1,), (0, 1), (1, 2)]:
            if places[-1] < len(arrays) and is_linear(made, places):
                doubled = [2 * a if i in places else a for i, a in enumerate(arrays)]
                np.testing.assert_array_equal(op.forward(*doubled), 2 * op.forward(*arrays))


def test_sums() -> None:
    found = [fn for fn in "+-*/" if is_sum(instruction(lambda x, y, f=fn: eval(f"x {f} y"), A, B))]
    assert found == ["+"]

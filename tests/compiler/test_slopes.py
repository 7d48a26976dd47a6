"""Gradients as a product with one slope: the same numbers, and fewer values kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule import functional as F
from chainrule.compiler.fuse import fuse
from chainrule.compiler.slopes import with_slopes
from chainrule.core.interpret import interpret
from chainrule.core.program import Program
from chainrule.core.record import record

W, V, X = (np.random.default_rng(i).standard_normal((8, 8)) for i in range(3))


def recorded(bend: Any) -> Program:
    """A layer, fn element by element and a layer: the loss and the gradients."""
    cells = [cr.Cell(a, name, True) for a, name in [(W, "w"), (V, "v"), (X, "x")]]

    def step() -> Any:
        w, v, x = cells
        loss = cr.square(cr.matmul(bend(cr.matmul(x, w)), v)).mean()
        loss.backward()
        return loss, *[cell.grad for cell in cells]

    return record(step, [])[0]


def same(program: Program, other: Program) -> None:
    for one, two in zip(interpret(program, []), interpret(other, []), strict=True):
        np.testing.assert_allclose(two, one, rtol=1e-12, atol=1e-13)


BENDS = {
    "gelu": F.gelu,
    "gelu, tanh": lambda x: F.gelu(x, "tanh"),
    "silu": F.silu,
    "mish": lambda x: x * cr.tanh(F.softplus(x)),
    "a polynomial": lambda x: x * x * x - x * x + 2.0 * x,
    "branches": lambda x: cr.where(x > 0.0, x * x, x.exp() - x.sigmoid() * x),
}


@pytest.mark.parametrize("name", BENDS)
def test_the_backward_pass_reads_one_value_of_a_bend(name: str) -> None:
    program = recorded(BENDS[name])
    changed = with_slopes(program).verify()
    same(program, changed)
    assert kept(changed) < kept(program)


def kept(program: Program) -> int:
    """How many values machine code keeps from one kernel to another."""
    return sum(len(kernel.stores) for kernel in fuse(program).kernels)


@pytest.mark.parametrize("bend", [cr.tanh, F.relu, cr.exp, lambda x: 2.0 * x + 3.0 * x])
def test_what_reads_one_value_anyway_stays(bend: Any) -> None:
    program = recorded(bend)
    changed = with_slopes(program)
    assert [made.op for made in changed.instructions] == [made.op for made in program.instructions]


@given(data=st.data())
def test_random_bends(data: Any) -> None:
    def bend(x: Any) -> Any:
        values = [x, cr.tanh(x)]
        for _ in range(data.draw(st.integers(1, 6))):
            one, two = (data.draw(st.sampled_from(values)) for _ in range(2))
            ways: list[Any] = [
                one + two, one * two, one - two, one / (two * two + 1.0), one.sigmoid(),
                -one, cr.where(one > two, one, two * 0.5), cr.sin(one),
            ]  # fmt: skip
            values.append(data.draw(st.sampled_from(ways)))
        return values[-1] + x

    program = recorded(bend)
    changed = with_slopes(program).verify()
    same(program, changed)

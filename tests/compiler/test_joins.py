"""Sums of padded parts as joins: the same numbers, and which sums become joins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.compiler.joins import joined
from chainrule.core.interpret import interpret
from chainrule.core.op import CALLS, Join, Place
from chainrule.core.program import Program
from chainrule.core.record import record
from chainrule.spec import spec_of


def kinds(program: Program) -> list[type]:
    return [type(made.op.lower) for made in program.instructions]


def gradient_of(fn: Any, *shape: int) -> tuple[Program, Program, Any]:
    """The gradient of fn's sum as recorded and with joins, checked to give the same."""
    x = np.random.default_rng(0).standard_normal(shape)
    cell = cr.Cell(x, "x", True)
    program, _ = record(lambda: (cr.grad(fn(cell).sum(), [cell])[0],), [])
    changed = joined(program)
    (one,), (other,) = interpret(program, []), interpret(changed, [])
    np.testing.assert_array_equal(one, other)
    return program, changed, one


@given(
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=5),
    axis=st.integers(0, 2),
    order=st.randoms(),
    leave=st.booleans(),
)
def test_slices_in_any_order(sizes: list[int], axis: int, order: Any, leave: bool) -> None:
    ends = np.cumsum(sizes)
    places = [(end - size, end) for size, end in zip(sizes, ends.tolist(), strict=True)]
    order.shuffle(places)
    shape = [2, 3, 2]
    shape[axis] = int(ends[-1]) + leave  # one element that no slice holds

    def fn(x: Any) -> Any:
        at: list[Any] = [slice(None)] * 3
        total = 0.0
        for i, place in enumerate(places):
            at[axis] = slice(*place)
            total = total + (x[tuple(at)] ** (i + 2)).sum()
        return total

    program, changed, _ = gradient_of(fn, *shape)
    if len(sizes) > 1 and not leave:
        assert Place in kinds(program)
        assert Place not in kinds(changed)
        assert kinds(changed).count(Join) == 1


@pytest.mark.parametrize(
    "fn",
    [
        lambda x: x[:3].exp().sum() + x[2:].exp().sum(),  # they overlap
        lambda x: x[:2].exp().sum() + x[3:].exp().sum(),  # a row is left out
        lambda x: x[::2].exp().sum() + x[1::2].exp().sum(),  # not side by side
        lambda x: x[:2, :3].exp().sum() + x[2:].exp().sum(),  # a part of a part
    ],
)
def test_other_sums_stay(fn: Any) -> None:
    program, changed, _ = gradient_of(fn, 5, 4)
    assert Join not in kinds(changed)
    assert kinds(changed).count(Place) == kinds(program).count(Place) > 0


def test_a_sum_of_parts_and_more() -> None:
    """The parts are joined, and what is no part is added to them."""
    _, changed, _ = gradient_of(
        lambda x: (x**3).sum() + (x[:2].exp().sum() + x[2:].exp().sum()), 5, 4
    )
    assert kinds(changed).count(Join) == 1
    assert Place not in kinds(changed)


def test_bodies_of_scans() -> None:
    def fn(x: Any) -> Any:
        def body(h: Any, row: Any) -> Any:
            both = cr.tanh(h * row)
            new = cr.concat([both[2:].tanh(), both[:2].exp()], 0)
            return new, new.sum()

        return cr.scan(body, x[0], x)[1]

    _, changed, _ = gradient_of(fn, 3, 4)
    bodies = [
        body
        for made in changed.instructions
        for body in made.settings.values()
        if isinstance(body, Program)
    ]
    assert any(Join in kinds(body) and Place not in kinds(body) for body in bodies[1:])


def test_a_padding_with_a_value_is_none_of_zeros() -> None:
    def pad(x: Any, low: int, high: int, value: float) -> Any:
        return CALLS["pad"](x, low=(low, 0), high=(high, 0), interior=(0, 0), value=value)

    x = np.ones((2, 3))
    program, _ = record(lambda x: (pad(x, 0, 2, 1.0) + pad(x, 2, 0, 0.0),), [spec_of(x)])
    np.testing.assert_array_equal(interpret(joined(program), [x]), interpret(program, [x]))

"""Rows that are windows: one kernel of several reductions, as many lanes as there are channels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.compiler.fuse import fuse
from chainrule.compiler.native import NativeProgram
from chainrule.compiler.passes import passed
from chainrule.core.interpret import interpret
from chainrule.core.record import record
from chainrule.nn import functional as F
from chainrule.ops import layout, pointwise, reduce
from chainrule.spec import Spec

SIZES = st.sampled_from([1, 2, 3, 5])


def same(fn: Any, xs: list[Any]) -> NativeProgram:
    """The function as machine code, found equal to the interpreter."""
    program, _ = record(fn, [Spec(x.shape, x.dtype) for x in xs])
    native = NativeProgram(program)
    with np.errstate(all="ignore"):
        for one, other in zip(native(xs), interpret(program, xs), strict=True):
            np.testing.assert_allclose(one, other, rtol=3e-5, atol=1e-6)
    return native


@settings(max_examples=40, deadline=None)
@given(
    lead=st.tuples(SIZES, SIZES),
    window=st.tuples(st.sampled_from([1, 2, 3, 4]), st.sampled_from([1, 2, 3, 4])),
    channels=st.sampled_from([2, 3, 8, 13, 16, 33, 70]),
    dtype=st.sampled_from(["float32", "float64"]),
    gaps=st.booleans(),
)
def test_reductions_of_windows_and_what_is_between_them(
    lead: tuple[int, int], window: tuple[int, int], channels: int, dtype: str, gaps: bool
) -> None:
    shape = (lead[0], window[0], lead[1], window[1], channels)
    kept = (lead[0], 1, lead[1], 1, channels)
    random = np.random.default_rng(0)
    x = random.integers(-3, 3, shape).astype(dtype)  # with ties
    if gaps:
        x[random.random(shape) < 0.1] = np.nan
    scale = random.random(kept).astype(dtype)

    def fn(x: Any, scale: Any) -> tuple[Any, ...]:
        most = reduce.max(x, axes=(1, 3))
        grown = pointwise.exp(x - layout.reshape(most, shape=kept)) * scale
        total = reduce.sum(grown, axes=(1, 3))
        return most, total, pointwise.log(total) + most, grown / layout.reshape(total, shape=kept)

    same(fn, [x, scale])


@pytest.mark.parametrize("side", [2, 3, 4])
def test_the_largest_of_a_window_and_where_it_was_are_one_kernel(side: int) -> None:
    weight = cr.Cell(np.full((8, 1, 3, 3), 0.1, np.float32), "weight", True)

    def step(x: Any) -> tuple[Any, ...]:
        pooled = F.max_pool2d(cr.relu(F.conv2d(x, weight)), side)
        loss = cr.exp(pooled).sum()
        return loss, cr.grad(loss, [weight])[0]

    x = np.random.default_rng(0).standard_normal((2, 1, 26, 26)).astype(np.float32)
    program = same(step, [x]).program
    windows = [k for k in fuse(program).kernels if k.rows is not None and k.rows.windows]
    assert [made.op.name for made in windows[0].members if made.op.name in ("max", "min")] == [
        "max",
        "min",
    ]


def test_wide_reductions_are_not_written_out() -> None:
    program, _ = record(
        lambda x: (reduce.max(x, axes=(0,)), reduce.max(x, axes=(1,))),
        [Spec((17, 16, 8), cr.float32)],
    )
    kernels = fuse(list(passed(program).values())[-1]).kernels
    assert [k.rows is not None for k in kernels] == [False, True]

"""Reductions of rows and the work around them: which become one kernel, and what they compute."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.nn.steps import assert_close

import chainrule as cr
from chainrule import functional as F
from chainrule.compiler.native import NativeProgram
from chainrule.compiler.row_stages import Stages
from chainrule.compiler.rows import Rows
from chainrule.compiler.views import View
from chainrule.core.interpret import interpret
from chainrule.core.record import record
from chainrule.core.value import Symbol
from chainrule.ops import layout, pointwise, reduce
from chainrule.spec import F32, spec_of


def native_of(fn: Callable[..., Any], xs: Sequence[Any]) -> NativeProgram:
    """The function as machine code, found equal to the interpreter."""
    program = record(lambda *values: fn(*values), [spec_of(x) for x in xs])[0]
    native = NativeProgram(program)
    with np.errstate(all="ignore"):
        for one, other in zip(native(xs), interpret(program, xs), strict=True):
            assert_close(one, other, 3e-5)
    return native


def shapes(native: NativeProgram) -> list[tuple[int, bool]]:
    """Of every kernel how many members it has, and whether it runs row by row."""
    return [(len(w.kernel.members), w.kernel.rows is not None) for w in native.written]


def drawn(*shape: int) -> Any:
    return np.random.default_rng(0).standard_normal(shape).astype("float32")


SHAPES = [(6, 5), (3, 4, 17), (2, 8, 64), (9, 40), (1, 7), (33, 8), (12,)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_softmax_and_its_gradient_are_one_kernel(shape: tuple[int, ...]) -> None:
    def step(x: Any, g: Any) -> tuple[Any, ...]:
        shifted = pointwise.exp(x - layout.reshape(reduce.max(x, axes=(x.ndim - 1,)), shape=kept))
        y = shifted / layout.reshape(reduce.sum(shifted, axes=(x.ndim - 1,)), shape=kept)
        spread = layout.reshape(reduce.sum(g * y, axes=(x.ndim - 1,)), shape=kept)
        return y, y * (g - spread)

    kept = (*shape[:-1], 1)
    native = native_of(step, [drawn(*shape), drawn(*shape) * 2])
    ((members, rows),) = shapes(native)
    assert rows
    assert members >= 8


def test_what_only_a_later_reduction_needs_is_not_stored_before_it() -> None:
    def step(x: Any, w: Any, g: Any) -> tuple[Any, ...]:
        product = x @ w
        weighted = product * g
        total = layout.reshape(reduce.sum(weighted * product, axes=(1,)), shape=(16, 1))
        return (weighted - total,)

    native = native_of(step, [drawn(16, 8), drawn(8, 24), drawn(16, 24)])
    contraction, rows = native.written
    assert [s.shape for s in contraction.kernel.stores] == [(16, 24)]
    assert len(contraction.kernel.members) == 1
    assert rows.kernel.rows == Rows((16, 24), (1,))


def test_kernels_never_wait_for_each_other() -> None:
    """The row kernel would need the quotient of sums that it makes itself."""

    def step(x: Any) -> tuple[Any, ...]:
        rows = reduce.sum(x, axes=(1,))
        one, other = reduce.sum(rows, axes=(0,)), reduce.max(rows, axes=(0,))
        return (x * pointwise.tanh(one) + layout.reshape(rows, shape=(6, 1)) * other / one,)

    native = native_of(step, [drawn(6, 10)])
    assert len(native.written) > 1


@pytest.mark.parametrize("width", [2047, 5000])
def test_long_rows_are_not_kept_in_a_scratch(width: int) -> None:
    def step(x: Any) -> tuple[Any, ...]:
        e = pointwise.exp(x)
        return (e / layout.reshape(reduce.sum(e, axes=(1,)), shape=(3, 1)),)

    native = native_of(step, [drawn(3, width)])
    assert len(native.written) == (1 if width == 2047 else 2)


def test_a_cell_is_not_written_while_rows_still_read_it() -> None:
    cell = cr.Cell(cr.from_numpy(drawn(5, 12)))
    expected = drawn(5, 12)

    def step(x: Any) -> Any:
        total = (cell * x).sum(-1, keepdims=True)
        cell.assign(cell - total * (cell * cell).sum(-1, keepdims=True) * 0.01)
        return total.sum()

    x = drawn(5, 12) + 1
    compiled = cr.compile(step, "native")
    for _ in range(3):
        compiled(cr.from_numpy(x))
        total = (expected * x).sum(-1, keepdims=True)
        expected = expected - total * (expected**2).sum(-1, keepdims=True) * np.float32(0.01)
    np.testing.assert_allclose(cell.numpy(), expected, rtol=2e-4)


def test_stages_compute_late_and_keep_little() -> None:
    def step(x: Any) -> tuple[Any, ...]:
        centred = x - layout.reshape(reduce.sum(x, axes=(1,)), shape=(4, 1))
        squares = pointwise.exp(centred)
        return (squares / layout.reshape(reduce.sum(squares, axes=(1,)), shape=(4, 1)) + centred,)

    native = native_of(step, [drawn(4, 9)])
    (written,) = native.written
    kernel, same = written.kernel, native.fused.same

    def read(made: Any) -> list[Symbol]:
        return [kernel.same.get(s) or same.get(s, s) for s in made.inputs]

    plan = Stages(kernel, read, lambda made: made.op.name == "sub")
    names = [[made.op.name for made in stage.members] for stage in plan.stages]
    assert names == [[], ["sub", "exp"], ["sub", "div", "add"]]
    assert [s.made.op.name for s in plan.scratch] == ["exp"]  # the rest is computed again
    assert [len(stage.folds) for stage in plan.stages] == [1, 1, 0]


def test_in_step_is_the_same_row() -> None:
    rows = Rows((4, 6), (1,))
    full, row = Symbol((4, 6), F32, 0), Symbol((4,), F32, 1)
    assert rows.in_step(View.of(full))
    assert rows.in_step(View.of(row))
    assert rows.in_step(View(row, (4, 6), (1, 0)))
    assert not rows.in_step(View(full, (4, 6), (1, 4)))
    assert not rows.in_step(View(full, (4, 6), (6, 1), 1))
    assert not rows.in_step(View(row, (4, 6), (0, 0)))
    square = Rows((4, 4), (1,))
    assert not square.in_step(View(Symbol((4,), F32, 2), (4, 4), (0, 1)))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([1, 2, 3, 5, 8, 9, 17]), min_size=1, max_size=4), st.integers(0, 15)
)
def test_any_axes_fold_as_in_numpy(shape: list[int], chosen: int) -> None:
    axes = tuple(i for i in range(len(shape)) if (chosen >> i) & 1)
    x = drawn(*shape)
    native_of(lambda x: (reduce.sum(x * 2.0, axes=axes), reduce.max(x, axes=axes)), [x])
    shifted = np.where(x > 1, np.nan, x)
    native_of(lambda x: (reduce.min(x, axes=axes),), [shifted])


def test_everything_is_reduced_in_two_stages_where_that_is_much() -> None:
    native = native_of(lambda x: (reduce.sum(pointwise.square(x), axes=(0, 1)),), [drawn(256, 64)])
    assert [w.kernel.stores[0].shape for w in native.written] == [(256,), ()]


def test_cross_entropy_goes_over_its_scores_once() -> None:
    target = np.random.default_rng(1).integers(0, 10, 32)

    def step(scores: Any) -> tuple[Any, ...]:
        return (F.cross_entropy(scores, cr.from_numpy(target)),)

    native = native_of(step, [drawn(32, 10)])
    assert sum(w.kernel.shape == (32, 10) for w in native.written) == 1

"""Convolution and pooling as machine code: random networks against NumPy, and what they become."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule import functional as F
from chainrule.compiler.expand import expand
from chainrule.compiler.fuse import fuse
from chainrule.compiler.native import NativeProgram
from chainrule.core.interpret import interpret
from chainrule.core.op import Composite, Contract
from chainrule.core.program import Program
from chainrule.core.record import record
from chainrule.spec import spec_of


def normal(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape)


def both(fn: Any, arrays: list[Any]) -> tuple[NativeProgram, list[Any], list[Any]]:
    """The machine code, and what it and NumPy give: fn's value, and its gradients."""
    cells = [cr.Cell(a, f"x{i}", True) for i, a in enumerate(arrays)]

    def step() -> tuple[Any, ...]:
        out = fn(*cells)
        return (out, *cr.grad((out * cr.tensor(normal(*out.shape, seed=7))).sum(), cells))

    program, _ = record(step, [])
    native = NativeProgram(program)
    native([])  # the second run finds memory that is not fresh
    return native, list(native([])), list(interpret(program, []))


def agree(fn: Any, arrays: list[Any]) -> None:
    """All of it is machine code, and gives the same."""
    native, found, expected = both(lambda *xs: cr.square(fn(*xs)), arrays)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-11)
    assert [is_native for is_native, _ in native.segments] == [True]


@settings(deadline=None, max_examples=12)
@given(axes=st.integers(1, 2), groups=st.integers(1, 3), channels=st.integers(1, 9), data=st.data())
def test_random_convolutions(axes: int, groups: int, channels: int, data: Any) -> None:
    def numbers(low: int, high: int) -> Any:
        return tuple(data.draw(st.integers(low, high)) for _ in range(axes))

    window, stride, padding, dilation = numbers(1, 3), numbers(1, 3), numbers(0, 3), numbers(1, 2)
    space = [d * (k - 1) + n for d, k, n in zip(dilation, window, numbers(1, 4), strict=True)]
    x = normal(2, groups * data.draw(st.integers(1, 2)), *space)
    w = normal(groups * channels, x.shape[1] // groups, *window, seed=1)
    conv = getattr(F, f"conv{axes}d")
    agree(
        lambda x, w, b: F.relu(conv(x, w, b, stride, padding, dilation, groups)),
        [x, w, normal(groups * channels, seed=2)],
    )


@settings(deadline=None, max_examples=12)
@given(kind=st.sampled_from(["max", "avg"]), axes=st.integers(1, 2), data=st.data())
def test_random_pooling(kind: str, axes: int, data: Any) -> None:
    def numbers(low: int, high: int) -> Any:
        return tuple(data.draw(st.integers(low, high)) for _ in range(axes))

    window, stride = numbers(1, 3), data.draw(st.sampled_from([None, numbers(1, 3)]))
    padding = tuple(min(p, k // 2) for p, k in zip(numbers(0, 1), window, strict=True))
    x = np.round(2 * normal(2, data.draw(st.integers(1, 9)), *numbers(3, 7)))
    options = {"ceil_mode": data.draw(st.booleans())}
    if kind == "max" and data.draw(st.booleans()):
        options["dilation"] = 2 if min(x.shape[2:]) > 4 else 1
    pool = getattr(F, f"{kind}_pool{axes}d")
    agree(lambda x: pool(cr.square(x), window, stride, padding, **options), [x])


def convolved_and_pooled(x: Any, w: Any, b: Any) -> Any:
    return F.max_pool2d(F.relu(F.conv2d(x, w, b, padding=1)), 2)


NETWORK = [normal(2, 3, 6, 6), normal(8, 3, 3, 3, seed=1), normal(8, seed=2)]


def recorded(fn: Any, arrays: list[Any]) -> Program:
    return record(lambda *xs: (fn(*xs),), [spec_of(x) for x in arrays])[0]


def test_what_follows_a_convolution_is_computed_on_its_sums() -> None:
    fused = fuse(expand(recorded(convolved_and_pooled, NETWORK)))
    roots = [
        k for k in fused.kernels if k.root is not None and isinstance(k.root.op.lower, Contract)
    ]
    assert [made.op.name for made in roots[0].pointwise] == ["add", "relu"]
    assert not [k for k in fused.kernels if k.root is None and not (k.rows and k.rows.windows)]


def test_gradients_of_windows_side_by_side_join_what_follows() -> None:
    def step() -> tuple[Any, ...]:
        x, w, b = (cr.Cell(a, f"x{i}", True) for i, a in enumerate(NETWORK))
        v = cr.Cell(normal(4, 8, 2, 2), "v", True)
        pooled = convolved_and_pooled(x, w, b)
        strided = F.conv2d(F.relu(F.conv2d(x, w, padding=1)), v, stride=2)
        return tuple(cr.grad(pooled.sum() + strided.sum(), [w]))

    kernels = fuse(expand(record(step, [])[0])).kernels
    alone = [[made.op.name for made in k.members] for k in kernels if k.root is None]
    assert ["equal", "where", "where"] in alone  # the pool's gradient, and that of ReLU
    products = [k for k in kernels if k.root is not None and isinstance(k.root.op.lower, Contract)]
    assert any([made.op.name for made in k.pointwise][-1:] == ["where"] for k in products)


def test_a_residual_block_keeps_one_layout() -> None:
    def block(x: Any, w: Any, v: Any) -> Any:
        inside = F.relu(F.conv2d(x, w, padding=1))
        return F.relu(F.conv2d(inside, v, padding=1) + inside).mean((2, 3))

    arrays = [NETWORK[0], NETWORK[1], normal(8, 8, 3, 3, seed=3)]
    agree(block, arrays)
    fused = fuse(expand(recorded(block, arrays)))
    sums = [
        k for k in fused.kernels if k.root is not None and isinstance(k.root.op.lower, Contract)
    ]
    assert [made.op.name for made in sums[1].pointwise] == ["add", "relu"]


def test_instructions_keep_phase_layer_and_line() -> None:
    program = recorded(convolved_and_pooled, NETWORK)
    before = {(made.phase, made.scope, made.line) for made in program.instructions}
    after = expand(program)
    assert {(made.phase, made.scope, made.line) for made in after.instructions} <= before
    assert not [
        made for made in after.verify().instructions if isinstance(made.op.lower, Composite)
    ]


def test_weights_are_updated_where_they_lie() -> None:
    weight = cr.Parameter(cr.tensor(NETWORK[1]))
    bias = cr.Parameter(cr.tensor(NETWORK[2]))
    optimizer = cr.optim.Adam([weight, bias], lr=0.1)

    def step(x: Any) -> tuple[Any, ...]:
        optimizer.zero_grad()
        loss = convolved_and_pooled(x, weight, bias).sum()
        loss.backward()
        optimizer.step()
        return (loss,)

    step(cr.tensor(NETWORK[0]))
    native = NativeProgram(record(step, [spec_of(NETWORK[0])])[0])
    assert native.runs_epochs


@pytest.mark.parametrize("size", [1, (2, 3)])
def test_adaptive_pooling(size: Any) -> None:
    agree(lambda x: F.adaptive_avg_pool2d(x, size), [normal(2, 3, 5, 4)])


def test_convolution_in_the_body_of_a_scan() -> None:
    def grown(x: Any, w: Any) -> Any:
        carry, _ = F.scan(lambda c, _: (F.relu(F.conv2d(c, w, padding=1)), None), x, None, 3)
        return carry

    agree(grown, [NETWORK[0], normal(3, 3, 3, 3, seed=4)])


def test_nan_wins_natively_too() -> None:
    x = np.array([[[1.0, np.nan, np.nan, 2.0, -np.inf, -np.inf, 3.0, 3.0]]])
    _, found, expected = both(lambda x: F.max_pool1d(x, 3, 2, 1), [x])
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "dtypes", [("int64", "int64"), ("float32", "float64"), ("uint8", "float32")]
)
def test_other_dtypes(dtypes: tuple[str, str]) -> None:
    arrays = [
        np.random.default_rng(3).integers(0, 9, a.shape).astype(d)
        for a, d in zip(NETWORK, dtypes, strict=False)
    ]
    program = recorded(lambda x, w: F.max_pool2d(F.conv2d(x, w, padding=1), 2), arrays)
    (found,), (expected,) = NativeProgram(program)(arrays), interpret(program, arrays)
    assert spec_of(found) == spec_of(expected)
    np.testing.assert_array_equal(found, expected)

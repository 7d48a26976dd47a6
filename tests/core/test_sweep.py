"""The reverse sweep: memory, depth, order, what is left out, and derivatives of derivatives."""

from __future__ import annotations

import gc
import itertools
import math
import weakref
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.core.op import CALLS, OPS
from chainrule.core.record import mark, record
from chainrule.spec import spec_of


@pytest.fixture
def _no_collector() -> Any:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_no_collector")
def test_history_is_freed_by_reference_counts_alone() -> None:
    x = cr.tensor(np.ones(10), requires_grad=True)
    y = x * 2.0
    z = y.exp()
    total = z.sum()
    kept = weakref.ref(z.array)
    del y, z
    assert kept() is not None, "exp's rule needs its output"
    total.backward()
    del total
    assert kept() is None


@pytest.mark.usefixtures("_no_collector")
def test_a_cell_is_freed_by_reference_counts_alone() -> None:
    """Also one that wants a gradient, with its numbers and its gradient."""
    x = cr.tensor(np.ones(10), requires_grad=True)
    (x * 2.0).sum().backward()
    assert x.grad is not None
    kept = [weakref.ref(x), weakref.ref(x.held()), weakref.ref(x.grad.array)]
    del x
    assert [ref() for ref in kept] == [None] * 3


@pytest.mark.usefixtures("_no_collector")
def test_history_keeps_only_what_the_rules_need() -> None:
    x = cr.tensor(np.ones(10), requires_grad=True)
    y = x * 2.0  # neither adding nor summing needs what went in, and relu only what came out
    z = y + 1.0
    out = z.relu()
    kept = [weakref.ref(value.array) for value in (y, z, out)]
    total = out.sum()
    del y, z, out
    assert [ref() is None for ref in kept] == [True, True, False]
    total.backward()
    assert x.grad is not None
    assert x.grad.tolist() == [2.0] * 10


def test_a_cell_that_is_gone_before_backward() -> None:
    w, temporary = cr.tensor(2.0, requires_grad=True), cr.tensor(3.0, requires_grad=True)
    loss = w * temporary
    del temporary
    loss.backward()
    assert w.grad is not None
    assert w.grad.item() == 3.0


def test_as_deep_as_one_likes() -> None:
    v = x = cr.tensor(np.ones(1), requires_grad=True)
    for _ in range(100_000):
        v = v + 1.0
    v.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1.0]
    del v


def test_deep_gradients_of_gradients() -> None:
    x = cr.tensor(np.float64(1.0), requires_grad=True)
    v = x
    for _ in range(2_000):
        v = v * 1.001
    (slope,) = cr.grad(v * v, x, create_graph=True)
    assert slope is not None
    (curvature,) = cr.grad(slope, x)
    assert curvature is not None
    assert curvature.item() == pytest.approx(2 * 1.001**4000)


def test_each_rule_runs_once() -> None:
    """However often a value is used afterwards."""
    calls = []
    counted = cr.define(
        "counted",
        inputs="x",
        doc="x.",
        forward=lambda x: x * 1.0,
        grad=(lambda g, x_shape: calls.append(1) or g,),  # type: ignore[func-returns-value]
        replace=True,
    )
    try:
        x = cr.tensor([1.0, 2.0], requires_grad=True)
        y = counted(x)
        for _ in range(5):
            y = y + y
        y.sum().backward()
        assert x.grad is not None
        assert x.grad.tolist() == [32.0, 32.0]
        assert len(calls) == 1
    finally:
        del OPS["counted"], CALLS["counted"]


def test_only_the_work_that_is_wanted() -> None:
    calls: list[str] = []

    def spy(name: str) -> Any:
        return cr.define(
            "spy_" + name,
            inputs="x",
            doc="x.",
            forward=lambda x: x * 1.0,
            grad=(lambda g: calls.append(name) or g,),  # type: ignore[func-returns-value]
            replace=True,
        )

    try:
        a, b = cr.tensor(2.0, requires_grad=True), cr.tensor(3.0, requires_grad=True)
        c = spy("left")(a) * spy("right")(b)
        loss = spy("top")(c)
        cr.grad(loss, a)
        assert calls == ["top", "left"]
        calls.clear()
        cr.grad(loss, c)
        assert calls == ["top"]
        calls.clear()
        b.requires_grad_(False)
        (spy("left")(a) * spy("right")(b)).backward()
        assert calls == ["left"]
    finally:
        for name in ("left", "right", "top"):
            OPS.pop("spy_" + name, None)
            CALLS.pop("spy_" + name, None)


def test_only_the_rules_that_are_wanted() -> None:
    calls: list[str] = []

    def rule(name: str) -> Any:
        return lambda g: calls.append(name) or g  # type: ignore[func-returns-value]

    both = cr.define(
        "spy_both",
        inputs="x y",
        doc="x + y.",
        forward=lambda x, y: x + y,
        grad=(rule("left"), rule("right")),
        replace=True,
    )
    try:
        a, b = cr.tensor(2.0, requires_grad=True), cr.tensor(3.0, requires_grad=True)
        out = both(a * 1.0, b * 1.0)
        cr.grad(out, b)
        assert calls == ["right"]
        out.backward()
        assert calls == ["right", "left", "right"]
    finally:
        del OPS["spy_both"], CALLS["spy_both"]


def test_gradients_towards_what_lies_between() -> None:
    x = cr.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3.0
    z = (y * y).sum()
    found = cr.grad(z, [x, y, z])
    assert [g.tolist() for g in found if g is not None] == [[18.0, 36.0], [6.0, 12.0], 1.0]


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
def test_higher_orders(order: int) -> None:
    x = cr.tensor(np.float64(0.7), requires_grad=True)
    found: Any = (x * 2.0).sin()
    for _ in range(order):
        (found,) = cr.grad(found, x, create_graph=True)
    by_hand = 2.0**order * math.sin(1.4 + order * math.pi / 2)
    assert found.item() == pytest.approx(by_hand, rel=1e-12)


def test_backward_keeps_no_history_but_create_graph_does() -> None:
    x = cr.tensor([1.0, 2.0], requires_grad=True)
    (plain,) = cr.grad((x * x).sum(), x)
    (graph,) = cr.grad((x * x).sum(), x, create_graph=True)
    assert plain is not None
    assert graph is not None
    assert (plain.requires_grad, graph.requires_grad) == (False, True)


def test_gradients_add_up_in_a_fixed_order() -> None:
    """Floating-point sums depend on order: the same history gives the same bits, always."""
    rng = np.random.default_rng(0)
    parts = [rng.standard_normal(100).astype("float32") * 10.0**k for k in range(-4, 5)]

    def run() -> bytes:
        x = cr.tensor(np.ones(100, "float32"), requires_grad=True)
        total: Any = 0.0
        for part in parts:
            total = (x * cr.from_numpy(part)).sum() + total
        total.backward()
        assert x.grad is not None
        return bytes(x.grad.numpy().tobytes())

    assert len({run() for _ in range(3)}) == 1


def test_assignment_between_forward_and_backward() -> None:
    """Backward differentiates what was computed, with the numbers of that time."""
    w = cr.tensor(3.0, requires_grad=True)
    loss = w * w
    w.assign(100.0)
    loss.backward()
    assert w.grad is not None
    assert w.grad.item() == 6.0
    v = cr.tensor([1.0, 2.0], requires_grad=True)
    y = (v * v).sum()
    with cr.no_grad():
        v -= 10.0
    y.backward()
    assert v.grad is not None
    assert v.grad.tolist() == [2.0, 4.0]


shapes = st.lists(st.integers(1, 3), max_size=3).map(tuple)


@given(shapes, st.data())
def test_broadcasting_is_summed_back(shape: tuple[int, ...], data: st.DataObject) -> None:
    """For any shape that broadcasts to another: sizes of 1, missing axes, 0-d on either side."""
    small = tuple(n if data.draw(st.booleans()) else 1 for n in shape)
    small = small[data.draw(st.integers(0, len(small))) :]
    a = cr.Cell(np.full(shape, 2.0), "a", True)
    b = cr.Cell(np.full(small, 3.0), "b", True)
    for out in (a * b, b * a):
        a.grad = b.grad = None
        out.sum().backward()
        assert a.grad is not None
        assert b.grad is not None
        assert (a.grad.shape, b.grad.shape) == (shape, small)
        np.testing.assert_array_equal(a.grad.numpy(), np.full(shape, 3.0))
        repeats = math.prod(shape) // math.prod(small)
        np.testing.assert_array_equal(b.grad.numpy(), np.full(small, 2.0 * repeats))


@pytest.mark.parametrize("size", [0, 1])
def test_broadcast_from_one_to_none(size: int) -> None:
    a = cr.Cell(np.ones((1, 3)), "a", True)
    (a * cr.tensor(np.ones((size, 3)))).sum().backward()
    assert a.grad is not None
    assert a.grad.tolist() == [[float(size)] * 3]


def test_each_cell_gets_a_gradient_in_its_own_dtype() -> None:
    rate = cr.Cell(np.float64(2.0), "rate", True)
    x = cr.Cell(np.ones(3, "float32"), "x", True)
    wide = cr.Cell(np.ones(3), "wide", True)
    out = rate * x
    assert out.dtype == np.float32
    (out * wide).sum().backward()
    for cell in (rate, x, wide):
        assert cell.grad is not None
        assert cell.grad.dtype == cell.dtype
    assert rate.grad is not None
    assert rate.grad.item() == 3.0
    (found,) = cr.grad((rate * x).sum(), rate)
    assert found is not None
    assert found.dtype == np.float64


def test_several_outputs_with_their_own_gradients() -> None:
    x = cr.tensor([1.0, 2.0], requires_grad=True)
    outs = [x * 2.0, x * x]
    (found,) = cr.grad(outs, x, grad_outputs=[cr.tensor([1.0, 1.0]), cr.tensor([10.0, 100.0])])
    assert found is not None
    assert found.tolist() == [22.0, 402.0]
    (same,) = cr.grad([outs[0], outs[0]], x, grad_outputs=[cr.tensor([1.0, 1.0])] * 2)
    assert same is not None
    assert same.tolist() == [4.0, 4.0]


def test_where_no_gradient_flows_nothing_waits_for_it() -> None:
    """Towards integers the gradient ends; what lies behind still gets it from the other side."""
    x = cr.tensor([1.5, -2.5], requires_grad=True)
    y = x * 2.0
    (y * y.long().float()).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [6.0, -10.0]


def test_backward_goes_through_the_branches_from_the_last_made() -> None:
    x = cr.Parameter([1.0, 2.0], name="x")

    def step(y: Any) -> tuple[Any, ...]:
        with mark(scope="first"):
            first = (x * y).exp()
        with mark(scope="second"):
            second = x.sin()
        with mark(scope="joined"):
            joined = (second * first).sum()
        joined.backward()
        return (joined,)

    made = record(step, [spec_of(x.held())])[0].instructions
    scopes = [m.scope for m in made if m.phase == "backward" and m.scope]
    assert [scope for scope, _ in itertools.groupby(scopes)] == ["joined", "second", "first"]

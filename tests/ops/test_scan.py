"""scan against the loop that it stands for: values, gradients of both orders, recorded too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.core.interpret import interpret
from chainrule.core.op import CALLS
from chainrule.core.program import Program
from chainrule.core.record import record
from chainrule.errors import RecordingError, ShapeError
from chainrule.ops.pointwise import where
from chainrule.ops.scan import record_body, repeat
from chainrule.spec import spec_of

Step = Callable[..., tuple[Any, ...]]
RNG = np.random.default_rng(0)


def scanned(fn: Step, init: Sequence[Any], xs: Sequence[Any], length: int, reverse: bool) -> Any:
    body, shared = record_body(fn, init, xs)
    return repeat(body, init, xs, shared, length, reverse)


def looped(fn: Step, init: Sequence[Any], xs: Sequence[Any], length: int, reverse: bool) -> Any:
    carry, rows = tuple(init), []
    for t in reversed(range(length)) if reverse else range(length):
        found = fn(*carry, *(x[t] for x in xs))
        carry, row = found[: len(init)], found[len(init) :]
        rows.append(row)
    if reverse:
        rows.reverse()
    outs = [
        CALLS["concat"](*(one.reshape(1, *one.shape) for one in column), axis=0)
        for column in zip(*rows, strict=True)
    ]
    return (*carry, *outs)


W = cr.Cell(RNG.standard_normal((3, 3)) * 0.5, "w", True)
B = cr.Cell(RNG.standard_normal(3), "b", True)


def recurrent(h: Any, x: Any) -> tuple[Any, ...]:
    h = (h @ W + x + B).tanh()
    return (h, h * 2.0)


def two_carries(h: Any, c: Any, x: Any, y: Any) -> tuple[Any, ...]:
    gate = (x + h).sigmoid()
    c = gate * c + y * h
    return (c.tanh() * W[0], c, gate, c * c)


def masked(h: Any, count: Any, x: Any, mask: Any) -> tuple[Any, ...]:
    """An integer carry, a bool sequence: the carry stands still where the mask is false."""
    new = (h * x + B).tanh()
    return (where(mask, new, h), count + mask.long(), where(mask, new, 0.0), count)


def no_outputs(h: Any, x: Any) -> tuple[Any, ...]:
    return ((h * x).sin() + h,)


def outputs_only(x: Any) -> tuple[Any, ...]:
    return (x.exp() * B,)


def carry_unused(h: Any, x: Any) -> tuple[Any, ...]:
    return (x * 2.0, x * B)


def sequence_unused(h: Any, x: Any) -> tuple[Any, ...]:
    return (h * B.tanh(), h)


def carry_passed_on(h: Any, k: Any, x: Any) -> tuple[Any, ...]:
    return (h * k * x, k, h)


def rows(n: int) -> Any:
    return RNG.standard_normal((n, 3)) * 0.7


def flags(n: int) -> Any:
    return np.arange(n) % 3 != 1


START, COUNT = RNG.standard_normal(3), np.int64(0)
CASES: dict[str, tuple[Step, Callable[[int], tuple[list[Any], list[Any]]]]] = {
    "recurrent": (recurrent, lambda n: ([START], [rows(n)])),
    "two carries": (two_carries, lambda n: ([START, START * 2], [rows(n), rows(n)])),
    "masked": (masked, lambda n: ([START, COUNT], [rows(n), flags(n)])),
    "no outputs": (no_outputs, lambda n: ([START], [rows(n)])),
    "outputs only": (outputs_only, lambda n: ([], [rows(n)])),
    "carry unused": (carry_unused, lambda n: ([START], [rows(n)])),
    "sequence unused": (sequence_unused, lambda n: ([START], [rows(n)])),
    "carry passed on": (carry_passed_on, lambda n: ([START, START], [rows(n)])),
}


def leaves(init: list[Any], xs: list[Any]) -> tuple[list[Any], list[Any], list[Any]]:
    cells = [
        cr.Cell(a, f"a{i}", np.asarray(a).dtype.kind == "f") for i, a in enumerate([*init, *xs])
    ]
    wanted = [c for c in cells if c.requires_grad] + [W, B]
    return cells[: len(init)], cells[len(init) :], wanted


def total_of(outs: Sequence[Any]) -> Any:
    """A number that each float result goes into with weights of its own."""
    total: Any = cr.tensor(np.float64(0.0))
    for k, out in enumerate(outs):
        if out.dtype.kind == "f" and out.requires_grad:
            weights = np.random.default_rng(k).standard_normal(out.shape)
            total = total + (out * cr.from_numpy(weights)).sum()
    return total


def arrays(tensors: Sequence[Any]) -> list[Any]:
    return [None if t is None else t.numpy() for t in tensors]


def close(ours: Sequence[Any], theirs: Sequence[Any]) -> None:
    for one, other in zip(ours, theirs, strict=True):
        if one is None or other is None:
            zero = other if one is None else one
            assert zero is None or not np.any(zero)
        else:
            assert (one.shape, one.dtype) == (other.shape, other.dtype)
            np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


def of_both_orders(apply: Any, fn: Step, init: Any, xs: Any, n: int, reverse: bool) -> list[Any]:
    first, sequences, wanted = leaves(init, xs)
    outs = apply(fn, first, sequences, n, reverse)
    slopes = cr.grad(total_of(outs), wanted, create_graph=True, allow_unused=True)
    squares = [(g * g).sum() for g in slopes if g is not None and g.requires_grad]
    second: Sequence[Any] = [None] * len(wanted)
    if squares:
        second = cr.grad(squares, wanted, allow_unused=True)
    return [*arrays(outs), *arrays(slopes), *arrays(second)]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("name", CASES)
def test_like_the_loop(name: str, n: int, reverse: bool) -> None:
    fn, make = CASES[name]
    init, xs = make(n)
    ours = of_both_orders(scanned, fn, init, xs, n, reverse)
    close(ours, of_both_orders(looped, fn, init, xs, n, reverse))


@pytest.mark.parametrize("name", ["recurrent", "two carries", "masked"])
def test_of_no_steps(name: str) -> None:
    """The carries come out as they went in, with a gradient of 1; the outputs are empty."""
    fn, make = CASES[name]
    init, xs = make(0)
    first, sequences, _ = leaves(init, xs)
    outs = scanned(fn, first, sequences, 0, False)
    for before, after in zip(first, outs, strict=False):
        np.testing.assert_array_equal(before.numpy(), after.numpy())
    assert all(out.shape[0] == 0 for out in outs[len(init) :])
    (g,) = cr.grad(outs[0].sum(), first[0])
    assert g is not None
    assert g.tolist() == [1.0] * 3


@pytest.mark.parametrize("name", CASES)
def test_recorded_is_eager_and_survives_json(name: str) -> None:
    fn, make = CASES[name]
    init, xs = make(4)
    inputs = [np.asarray(a) for a in [*init, *xs]]

    def step(*values: Any) -> tuple[Any, ...]:
        for cell in (W, B):
            cell.grad = None
        outs = scanned(fn, values[: len(init)], values[len(init) :], 4, False)
        total = total_of(outs)
        if total.requires_grad:
            total.backward()
        return (*outs, *(c.grad for c in (W, B) if c.grad is not None))

    program, _ = record(step, [spec_of(a) for a in inputs])
    eager = arrays(step(*map(cr.from_numpy, inputs)))
    saved = Program.from_json(program.verify().to_json(), [W, B, W.grad_cell, B.grad_cell])
    assert saved.listing() == program.listing()
    for one in (program, saved):
        for ours, theirs in zip(interpret(one, inputs), eager, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_gradient_check() -> None:
    def fn(h: Any, x: Any, w: Any) -> Any:
        return total_of(scanned(lambda h, e: ((h * w * e).tanh() + h, h * e), [h], [x], 4, True))

    for order in (1, 2):
        cr.gradient_check(fn, [START, rows(4), START * 0.3], order=order)


@pytest.mark.parametrize("order", [1, 2])
def test_scan_inside_scan(order: int) -> None:
    """The inner one reads the outer's carry, a slice, and a cell from outside."""

    def inner(c: Any, e: Any) -> tuple[Any, ...]:
        return ((c * e * W[0, 1]).tanh() + c * 0.5, c * e)

    def fn(apply: Any, h: Any, x: Any) -> Any:
        def outer(h: Any, row: Any) -> tuple[Any, ...]:
            last, outs = apply(lambda c, e: inner(c, e * h), [h], [row], 3, False)
            return (last * 0.9, outs.sum() + h)

        return total_of(apply(outer, [h], [x], 4, True))

    h, x = np.float64(0.4), RNG.standard_normal((4, 3))
    cr.gradient_check(lambda *vs: fn(scanned, *vs), [h, x], order=order)
    results = []
    for apply in (scanned, looped):
        cells = [cr.Cell(h, "h", True), cr.Cell(x, "x", True)]
        results.append(arrays(cr.grad(fn(apply, *cells), [*cells, W])))
    close(*results)


def test_captured_tensors_with_history() -> None:
    """What a body uses from outside gets its gradient through its own history."""
    results = []
    for apply in (scanned, looped):
        k = cr.Cell(np.full(3, 0.5), "k", True)
        outside, plain = k.exp() * B, cr.tensor(np.ones(3))
        body = lambda h, x, o=outside, p=plain: ((h * o + x).tanh() * p, h)
        outs = apply(body, [cr.from_numpy(START)], [cr.from_numpy(X4)], 4, False)
        results.append(arrays(cr.grad(total_of(outs), [k, B])))
    close(*results)


X4 = rows(4)


@pytest.mark.parametrize("how", ["detach", "no_grad", "detached outside", "frozen"])
def test_where_the_gradient_stops(how: str) -> None:
    """As in the loop: what is detached inside the body, or before it, gets nothing."""
    results = []
    for apply in (scanned, looped):
        h, w = cr.Cell(START, "h", True), cr.Cell(START * 0.5, "w", how != "frozen")
        outside = (w * 2.0).detach() if how == "detached outside" else w * 2.0
        both = w.detach()

        def body(h: Any, x: Any, w: Any = w, outside: Any = outside, both: Any = both) -> Any:
            new = (h * x * outside + w + both).tanh()
            if how == "detach":
                return (new.detach() * h + new, new)
            if how == "no_grad":
                with cr.no_grad():
                    stopped = (new * 2.0).exp()
                return (stopped * new, stopped)
            return (new, new * h)

        outs = apply(body, [h], [cr.from_numpy(X4)], 4, False)
        wanted = [h] if how == "frozen" else [h, w]
        results.append(arrays(cr.grad(total_of(outs[:1]), wanted)))
    close(*results)


def test_detached_and_tracked_of_one_array() -> None:
    """Inside a recorded step, too, a tensor and its detached self are two things to a body."""

    def step(apply: Any, x: Any) -> tuple[Any, ...]:
        k = B * 2.0
        stopped = k.detach()
        last = apply(lambda h, e: ((h * k + stopped * e).tanh(),), [x[0]], [x], 4, False)[0]
        return cr.grad(last.sum(), [B])

    program, _ = record(lambda x: step(scanned, x), [spec_of(X4)])
    found = interpret(program, [X4])
    close(found, arrays(step(looped, cr.from_numpy(X4))))
    close(found, arrays(step(scanned, cr.from_numpy(X4))))


def test_no_history_no_kept_carries() -> None:
    """Without anything to differentiate, a scan stores only what it gives out."""
    program, _ = record(
        lambda x: scanned(lambda h, e: ((h * e).tanh(),), [x[0]], [x], 4, False), [spec_of(X4)]
    )
    assert "kept=()" in program.listing()


def test_a_body_that_assigns_a_cell() -> None:
    cell = cr.Cell(np.float64(0.0), "running")

    def body(h: Any, x: Any) -> tuple[Any, ...]:
        cell.assign(cell + 1.0)
        return (h + x,)

    with pytest.raises(RecordingError, match="running is assigned inside the body") as caught:
        scanned(body, [cr.from_numpy(START)], [cr.from_numpy(X4)], 4, False)
    assert "carry" in str(caught.value.hint)
    assert "test_scan.py" in str(caught.value)
    assert cell.item() == 0.0


@pytest.mark.parametrize(
    ("body", "length", "words"),
    [
        (lambda h, x: (h.sum(),), 4, "gives back its carry"),
        (lambda h, x: (h.float(),), 4, "gives back its carry"),
        (lambda h, x: (h + x,), 5, "of one length"),
    ],
)
def test_what_does_not_fit(body: Step, length: int, words: str) -> None:
    with pytest.raises(ShapeError, match=words):
        scanned(body, [cr.from_numpy(START)], [cr.from_numpy(X4)], length, False)


def test_a_module_inside_a_body_guards_the_step() -> None:
    """Switching a network to eval is noticed where it runs inside a scan, too."""

    class Part(cr.nn.Module):
        def forward(self, h: Any) -> Any:
            return h * 2.0 if self.training else h

    # Out of sight of the code's names, so that only the recorder can know of it.
    holder = [Part().train()] * 100
    part = holder[0]

    def hidden(h: Any) -> Any:
        return holder[50](h)

    step = cr.compile(lambda x: scanned(lambda h, e: (hidden(h) + e,), [x[0]], [x], 4, False)[0])
    x = cr.from_numpy(X4)
    train = step(x).tolist()
    part.eval()
    assert step(x).tolist() == pytest.approx((X4.sum(axis=0) + X4[0]).tolist())
    part.train()
    assert step(x).tolist() == train
    assert len(step.programs) == 2


KINDS, PICK = st.sampled_from(["add", "mul", "tanh", "where"]), st.integers(0, 9)


@settings(deadline=None, max_examples=25)
@given(
    n=st.integers(1, 5),
    carries=st.integers(0, 2),
    sequences=st.integers(1, 2),
    reverse=st.booleans(),
    plan=st.lists(st.tuples(KINDS, PICK, PICK), min_size=1, max_size=6),
    picks=st.lists(PICK, min_size=3, max_size=4),
)
def test_random_bodies(
    n: int, carries: int, sequences: int, reverse: bool, plan: Any, picks: list[int]
) -> None:
    def fn(*values: Any) -> tuple[Any, ...]:
        pool = [*values, B[:2]]
        for kind, i, j in plan:
            a, b = pool[i % len(pool)], pool[j % len(pool)]
            if kind == "tanh":
                pool.append(a.tanh())
            elif kind == "where":
                pool.append(where(a > b, a, b * 0.5))
            else:
                pool.append(a + b if kind == "add" else a * b)
        chosen = [pool[pick % len(pool)] for pick in picks]
        return tuple(one.tanh() for one in chosen[: carries + 1])

    rng = np.random.default_rng(n)
    init = [rng.standard_normal(2) for _ in range(carries)]
    xs = [rng.standard_normal((n, 2)) for _ in range(sequences)]
    results = []
    for apply in (scanned, looped):
        first, sequence, wanted = leaves(init, xs)
        outs = apply(fn, first, sequence, n, reverse)
        results.append([*arrays(outs), *arrays(cr.grad(total_of(outs), wanted, allow_unused=True))])
    close(*results)

"""Scans as loops in machine code, against the interpreter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.compiler.test_native_ops import agree

import chainrule as cr
from chainrule.compiler import writer
from chainrule.compiler.native import NativeProgram
from chainrule.core.record import record
from chainrule.gradient import grad
from chainrule.spec import spec_of

RNG = np.random.default_rng(0)


def normal(*shape: int) -> Any:
    return RNG.standard_normal(shape)


def program_of(fn: Callable[..., Any], xs: list[Any]) -> Any:
    def step(*values: Any) -> tuple[Any, ...]:
        out = fn(*values)
        return out if isinstance(out, tuple) else (out,)

    return record(step, [spec_of(x) for x in xs])[0]


def add_up(total: Any, x: Any) -> Any:
    return total + x, (total + x) * 2.0


def swapped(carry: Any, x: Any) -> Any:
    a, b = carry
    return (b, a + x), (a, b)


def unchanged(carry: Any, x: Any) -> Any:
    a, b = carry
    return (a, b * a + x), None


def constant(carry: Any, x: Any) -> Any:
    return carry.exp() * 0.5, (cr.ones((3,)), x, carry)


CASES: dict[str, tuple[Callable[..., Any], list[Any]]] = {
    "sums": (lambda c, x: cr.scan(add_up, c, x), [normal(3), normal(5, 3)]),
    "reverse": (lambda c, x: cr.scan(add_up, c, x, reverse=True), [normal(3), normal(5, 3)]),
    "one step": (lambda c, x: cr.scan(add_up, c, x), [normal(3), normal(1, 3)]),
    "no step": (lambda c, x: cr.scan(add_up, c, x), [normal(3), normal(0, 3)]),
    "numbers": (lambda c, x: cr.scan(add_up, c, x), [normal()[()], normal(7)]),
    "swapped": (
        lambda a, b, x: [leaf for part in cr.scan(swapped, (a, b), x) for leaf in part],
        [normal(3), normal(3), normal(4, 3)],
    ),
    "unchanged": (
        lambda a, b, x: cr.scan(unchanged, (a, b), x)[0],
        [normal(3), normal(3), normal(4, 3)],
    ),
    "constant": (
        lambda c, x: (lambda found: (found[0], *found[1]))(cr.scan(constant, c, x)),
        [normal(3), normal(4, 3)],
    ),
    "strided": (lambda c, x: cr.scan(add_up, c[::2], x.T), [normal(6), normal(3, 5)]),
    "no sequence": (
        lambda c: cr.scan(lambda c, _: (c * 0.5, c), c, None, length=3),
        [normal(2, 2)],
    ),
    "scan in scan": (
        lambda c, x: cr.scan(lambda c, row: cr.scan(add_up, c, row), c, x),
        [normal(3), normal(4, 5, 3)],
    ),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_scan_is_a_loop(name: str, dtype: str) -> None:
    fn, xs = CASES[name]
    xs = [np.asarray(x, dtype) for x in xs]
    program = program_of(lambda *values: tuple(fn(*values)), xs)
    agree(program, xs)
    assert all(w.native for w in NativeProgram(program).written)


def recurrent(x: Any, h: Any, w: Any, u: Any, b: Any) -> Any:
    def cell(carry: Any, row: Any) -> Any:
        h, c = carry
        gates = row @ w + h @ u.T + b
        n = h.shape[-1]
        i, f, o = (gates[:, k * n : (k + 1) * n].sigmoid() for k in range(3))
        c = f * c + i * gates[:, 3 * n :].tanh()
        h = o * c.tanh()
        return (h, c), h

    (last, _), hs = cr.scan(cell, (h, h * 0.5), x)
    return (last * last).sum() + hs.tanh().sum()


def recurrent_inputs(dtype: str) -> list[Any]:
    shapes = [(6, 4, 3), (4, 5), (3, 20), (20, 5), (20,)]
    return [np.asarray(normal(*shape) * 0.5, dtype) for shape in shapes]


def test_a_recurrence_and_its_gradients() -> None:
    leaves = [cr.Cell(v, f"x{i}", True) for i, v in enumerate(recurrent_inputs("float64"))]

    def step() -> tuple[Any, ...]:
        out = recurrent(*leaves)
        found = grad(out, leaves, create_graph=True)
        total: Any = sum((g * g).sum() for g in found if g is not None)
        return (out, *found, *grad(total, leaves))

    program = record(step, [])[0]
    agree(program, [])
    assert all(w.native for w in NativeProgram(program).written)


def test_a_recurrence_is_the_same_on_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "ENOUGH", 0)
    leaves = [cr.Cell(v, f"x{i}", True) for i, v in enumerate(recurrent_inputs("float32"))]

    def step() -> tuple[Any, ...]:
        out = recurrent(*leaves)
        return (out, *grad(out, leaves))

    native = NativeProgram(record(step, [])[0])
    found = []
    for threads in (1, 2, 3, 2):
        native.choice.pick = lambda threads=threads: threads  # type: ignore[misc]
        found.append([np.asarray(one).tobytes() for one in native([])])
    assert found[0] == found[1] == found[2] == found[3]

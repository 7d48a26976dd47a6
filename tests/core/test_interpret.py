"""Running a Program: the microscope, and how long values live."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.core.interpret import interpret, replay
from chainrule.core.op import CALLS, OPS
from chainrule.core.record import record
from chainrule.errors import IndexRangeError, ProgramError
from chainrule.ops.index import take
from chainrule.spec import Spec

ONE = Spec((4,), np.dtype("float64"))
X = np.arange(4.0)


def test_watch_sees_every_instruction_with_its_numbers() -> None:
    w = cr.Cell(np.ones(4), "w")

    def step(x: Any) -> tuple[Any, ...]:
        y = (x * w).exp()
        w.assign(y)
        return (y.sum(), x.max(), y + 2)

    program, _ = record(step, [ONE])
    seen: list[Any] = []
    found = interpret(program, [X], watch=lambda made, ins, outs: seen.append((made, ins, outs)))
    assert [made for made, _, _ in seen] == program.instructions
    for made, ins, outs in seen:
        assert len(ins) == len(made.inputs)
        assert [np.shape(x) for x in outs] == [s.shape for s in made.outputs]
        np.testing.assert_array_equal(made.op.forward(*ins, **made.settings), outs[0])
    w.assign(np.ones(4))
    for one, other in zip(found, interpret(program, [X]), strict=True):
        np.testing.assert_array_equal(one, other)


def test_values_are_freed_after_their_last_use() -> None:
    """Of a chain of ten arrays at most three are alive at any time, and none afterwards."""

    def step(x: Any) -> tuple[Any, ...]:
        for _ in range(10):
            x = x + 1.0
        return (x.sum(),)

    program, _ = record(step, [ONE])
    alive: list[Any] = []
    counts = []

    def watch(made: Any, ins: Any, outs: Any) -> None:
        alive.append(weakref.ref(outs[0]) if isinstance(outs[0], np.ndarray) else lambda: None)
        del ins, outs
        counts.append(sum(ref() is not None for ref in alive))

    gc.disable()
    try:
        interpret(program, [X.copy()], watch)
        assert max(counts) <= 3
        assert counts[-2] >= 1
        assert all(ref() is None for ref in alive)
    finally:
        gc.enable()


def test_values_are_freed_without_a_microscope_too() -> None:
    alive: list[Any] = []
    counts = []

    def forward(x: Any) -> Any:
        out = x + 1.0
        alive.append(weakref.ref(out))
        counts.append(sum(ref() is not None for ref in alive))
        return out

    spy = cr.define("spy_alive", inputs="x", doc=".", forward=forward, grad=(None,), replace=True)
    try:

        def step(x: Any) -> tuple[Any, ...]:
            for _ in range(10):
                x = spy(x)
            return (x.sum(),)

        program, _ = record(step, [ONE])
        alive.clear()
        counts.clear()
        interpret(program, [X.copy()])
        assert len(counts) == 10
        assert max(counts) <= 3
    finally:
        del OPS["spy_alive"], CALLS["spy_alive"]


def test_results_that_nothing_reads_are_freed_too() -> None:
    def step(x: Any) -> tuple[Any, ...]:
        x.exp()
        return (x + 1,)

    program, _ = record(step, [ONE])
    assert interpret(program, [X])[0].tolist() == [1, 2, 3, 4]
    assert program.derived["steps"][1][0][4], "the exp dies where it is made"


def test_the_number_of_arguments_is_checked() -> None:
    program, _ = record(lambda x, y: (x + y,), [ONE, ONE])
    for args in ([X], [X, X, X], []):
        with pytest.raises(ProgramError, match="a value per argument"):
            interpret(program, args)


def test_a_failed_run_assigns_nothing() -> None:
    w = cr.Cell(np.ones((3, 2)), "w")

    def step(index: Any) -> tuple[Any, ...]:
        w.assign(w * 2)
        return (take(w, index),)

    program, _ = record(step, [Spec((1,), np.dtype("int64"))])
    with pytest.raises(IndexRangeError):
        interpret(program, [np.array([5])])
    assert w.tolist() == [[1, 1]] * 3
    interpret(program, [np.array([2])])
    assert w.tolist() == [[2, 2]] * 3


def test_runs_do_not_disturb_each_other() -> None:
    """Nested and interleaved runs of one program share nothing."""
    program, _ = record(lambda x: (x * 2 + 1,), [ONE])
    found: list[Any] = []

    def watch(*_: Any) -> None:
        if len(found) < 1:
            found.append(None)
            found[0] = interpret(program, [X + 10])[0]

    outer = interpret(program, [X], watch)[0]
    assert outer.tolist() == [1, 3, 5, 7]
    assert found[0].tolist() == [21, 23, 25, 27]


def test_no_warnings_of_numpy() -> None:
    program, _ = record(lambda x: (x.log(), 1.0 / x, (x * 1e300).square()), [ONE])
    found = interpret(program, [X])
    assert found[0][0] == -np.inf


def test_replay_is_the_same_and_can_be_differentiated() -> None:
    kept = cr.tensor(np.array([2.0, 0.5, 1.0, 3.0]))
    fn = lambda x: ((x * kept).exp().sum(), x + cr.tensor(np.ones(4)))
    program, _ = record(fn, [ONE])
    x = cr.Cell(X * 0.1, "x", True)
    found = replay(program, [x, kept])
    expected = fn(x)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    for one, other in zip(cr.grad(found[0], x), cr.grad(expected[0], x), strict=True):
        assert one is not None
        assert other is not None
        np.testing.assert_array_equal(one.numpy(), other.numpy())

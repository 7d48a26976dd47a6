"""Threads share a program's phases: the results do not depend on how many there are."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from tests.compiler.test_native_ops import CASES

import chainrule as cr
from chainrule.compiler import threads, writer
from chainrule.compiler.epoch import run_epoch
from chainrule.compiler.native import NativeProgram
from chainrule.compiler.threads import Choice
from chainrule.core.op import CALLS, Op
from chainrule.core.record import record
from chainrule.errors import SettingError
from chainrule.spec import spec_of


@pytest.fixture
def everything_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "ENOUGH", 0)


def on(native: NativeProgram, threads: int, args: list[Any]) -> tuple[Any, ...]:
    native.choice.pick = lambda: threads  # type: ignore[method-assign]
    return native(args)


@pytest.mark.usefixtures("everything_shared")
@pytest.mark.parametrize(("op", "number"), CASES)
def test_op_is_the_same_on_any_number_of_threads(op: Op, number: int) -> None:
    xs, settings = op.samples(np.random.default_rng(number))[number]
    xs = [np.asarray(x, np.float32 if np.asarray(x).dtype.kind == "f" else None) for x in xs]

    def step(*values: Any) -> tuple[Any, ...]:
        out = CALLS[op.name](*values, **settings)
        return out if isinstance(out, tuple) else (out,)

    native = NativeProgram(record(step, [spec_of(x) for x in xs])[0])
    alone = on(native, 1, xs)
    for count in (2, 3):
        for one, other in zip(on(native, count, xs), alone, strict=True):
            assert np.asarray(one).tobytes() == np.asarray(other).tobytes()


@pytest.mark.usefixtures("everything_shared")
def test_training_is_the_same_on_any_number_of_threads() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((96, 24)).astype("float32")
    y = rng.standard_normal((96, 5)).astype("float32")

    def trained(threads: int) -> list[bytes]:
        cr.manual_seed(0)
        net = cr.nn.Sequential(
            cr.nn.Linear(24, 40), cr.nn.LayerNorm(40), cr.nn.GELU(), cr.nn.Dropout(0.2),
            cr.nn.Linear(40, 5),
        )  # fmt: skip
        optimizer = cr.optim.AdamW(net.parameters(), lr=1e-2)

        def step(x: Any, y: Any) -> Any:
            loss = ((net(x) - y) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss

        compiled = cr.compile(step, "native")
        run = compiled.variant(cr.from_numpy(x[:32]), cr.from_numpy(y[:32])).run
        run.choice.pick = lambda: threads  # type: ignore[attr-defined]
        losses = [run_epoch(compiled, [x, y], rng.permutation(96), 32) for rng in [
            np.random.default_rng(epoch) for epoch in range(3)
        ]]  # fmt: skip
        assert losses[-1].mean() < losses[0].mean()
        return [np.concatenate(losses).tobytes(), *(p.numpy().tobytes() for p in net.parameters())]

    alone = trained(1)
    assert trained(2) == alone
    assert trained(3) == alone


@pytest.mark.parametrize(("alone", "together", "best"), [(1.0, 0.95, 1), (1.0, 0.8, 2), (1, 2, 1)])
def test_several_threads_are_taken_where_they_gain_a_tenth(
    alone: float, together: float, best: int
) -> None:
    before = cr.get_num_threads()
    cr.set_num_threads(2)
    try:
        choice = Choice(shares=True)
        choice.note(2, together)
        assert choice.best == 2  # nothing else is known
        choice.note(1, alone)
        assert choice.best == best
    finally:
        cr.set_num_threads(before)


def test_the_quickest_number_is_chosen_and_the_other_tried_again() -> None:
    before = cr.get_num_threads()
    cr.set_num_threads(4)
    try:
        now = 0.0
        choice = Choice(shares=True, clock=lambda: now)
        seconds = {1: 0.02, 4: 0.01}

        def run(times: int) -> list[int]:
            nonlocal now
            picked = []
            for _ in range(times):
                threads = choice.pick()
                picked.append(threads)
                now += seconds[threads] * choice.steps(threads, 0.05)
                choice.note(threads, seconds[threads])
            return picked

        assert run(6) == [1, 1, 1, 4, 4, 4]
        found = run(200)
        assert 1 in found
        assert found.count(4) >= 185
        assert choice.best == 4
        assert choice.steps(4, 0.05) == 5
        assert choice.steps(1, 1.0) == 10  # a trial is short
        now += 10.0
        assert choice.pick() == 4  # caches are cold: no trial now, and it says nothing
        choice.note(4, 0.001)
        assert choice.expected(4) == pytest.approx(0.01)
        seconds[4] = 0.05  # somebody else took the cores
        run(30)
        assert run(30).count(1) > 25
        seconds[4] = 0.01
        run(200)
        assert run(30).count(4) > 25
        assert Choice(shares=False).pick() == 1
    finally:
        cr.set_num_threads(before)


def test_the_number_of_threads_is_set_and_read(monkeypatch: pytest.MonkeyPatch) -> None:
    from chainrule.compiler import threads

    monkeypatch.setattr(threads._Settings, "most", None)
    monkeypatch.setenv("CHAINRULE_THREADS", "3")
    assert cr.get_num_threads() == 3
    cr.set_num_threads(2)
    assert cr.get_num_threads() == 2
    with pytest.raises(SettingError, match="number of threads"):
        cr.set_num_threads(0)


def test_a_trial_keeps_to_the_most_that_is_allowed() -> None:
    before = cr.get_num_threads()
    try:
        cr.set_num_threads(4)
        choice = Choice(shares=True)
        for _ in range(4):  # among them the first on all four
            choice.note(choice.pick(), 0.01)
        cr.set_num_threads(2)
        assert {choice.pick() for _ in range(6)} <= {1, 2}
    finally:
        cr.set_num_threads(before)


@pytest.mark.skipif(threads.core() < 0, reason="this system does not say where a thread runs")
def test_a_thread_leaves_the_core_of_who_woke_it() -> None:
    allowed = os.sched_getaffinity(0)
    taken = threads.core()
    threads.leave(taken)
    assert os.sched_getaffinity(0) == allowed
    if len(allowed) > 1:
        assert threads.core() != taken
    threads.leave(-1)  # nobody knows where


def test_a_thread_without_another_core_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(threads, "core", lambda: 3)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3}, raising=False)
    monkeypatch.setattr(os, "sched_setaffinity", lambda *a: asked.append(a), raising=False)
    threads.leave(3)
    assert asked == []

"""When a step becomes machine code: never where it would be slower, and always the same answer."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.compiler import worth
from chainrule.compiler.epoch import expect_epochs, run_epoch, run_rows
from chainrule.compiler.worth import breakeven
from chainrule.core.program import Program

X = np.linspace(-1, 1, 46, dtype=np.float32).reshape(23, 2)


def program(ops: int, rows: int) -> Program:
    def fn(x: Any) -> Any:
        for _ in range(ops):
            x = x * 2.0
        return x

    return cr.compile(fn).program(cr.zeros(rows))


@given(st.integers(1, 20), st.integers(0, 5000), st.integers(0, 10**6), st.integers(0, 10**6))
def test_more_runs_and_more_rows_never_speak_against_it(
    ops: int, rows: int, runs: int, more: int
) -> None:
    if runs >= breakeven(program(ops, rows)):
        assert runs + more >= breakeven(program(ops, rows))
        assert runs >= breakeven(program(ops, rows + more))


def test_both_ends() -> None:
    assert breakeven(program(3, 10**6)) > 0
    assert 100 < breakeven(program(200, 32)) < 10_000  # a tenth of a second is no use
    assert breakeven(program(3, 10**6)) < 1000
    assert breakeven(cr.compile(lambda x: x).program(cr.zeros(3))) > 10**9


def test_the_smaller_last_batch_is_not_compiled_for_few_epochs() -> None:
    """There are two whole batches and one of three rows; some 9,000 runs make up for compiling."""
    for epochs, expected in (
        (20_000, ["native", "native"]),
        (6_000, ["native", "interpret"]),
        (100, ["interpret", "interpret"]),
    ):
        step = cr.compile(lambda x: (x * 2.0).sum(), "native")
        expect_epochs(step, [X], 10, epochs)
        found = step.variant(cr.from_numpy(X[:10])), step.variant(cr.from_numpy(X[:3]))
        assert [variant.backend for variant in found] == expected


def test_what_was_not_announced_is_native_as_asked() -> None:
    step = cr.compile(lambda x: x * 2.0, "native")
    step.expect(1, cr.zeros(3))
    assert step.variant(cr.zeros(3)).backend == "interpret"
    assert step.variant(cr.zeros(4)).backend == "native"
    assert cr.compile(lambda x: x * 2.0).variant(cr.zeros(3)).backend == "native"
    assert cr.compile(lambda x: x * 2.0, "interpret").variant(cr.zeros(3)).backend == "interpret"


def test_where_nobody_knows_machine_code_is_made_once_it_would_have_paid() -> None:
    step = cr.compile(lambda x: x * 2.0)
    x = cr.ones(3)
    step.expect(None, x)
    variant = step.variant(x)
    variant.waits = 3
    made = []
    for _ in range(5):
        assert step(x).tolist() == [2.0, 2.0, 2.0]
        made.append("run" in vars(variant))
    assert made == [False, False, False, True, True]


def test_the_smaller_last_batch_of_a_step_of_ones_own_waits() -> None:
    step = cr.compile(lambda x: (x * 2.0).sum())
    assert len(step.epoch([X], batch_size=10)) == 3
    whole, last = (step.variant(cr.from_numpy(X[:rows])) for rows in (10, 3))
    assert ("run" in vars(whole), "run" in vars(last)) == (True, False)


def test_an_epoch_half_native_half_interpreted_is_the_same() -> None:
    found = {}
    for backend in ("interpret", "native"):
        weight = cr.Parameter(np.ones(2, np.float32))

        def step(x: Any, weight: Any = weight) -> Any:
            weight.assign((weight + x.mean(axis=0) * 0.1).detach())
            return (x * weight).sum().detach()

        compiled = cr.compile(step, backend)
        compiled.expect(10**6, cr.zeros(5, 2))
        compiled.expect(1, cr.zeros(3, 2))
        losses = [run_epoch(compiled, [X], np.roll(np.arange(23), e), 5) for e in range(3)]
        found[backend] = np.concatenate(losses), weight.numpy()
    np.testing.assert_allclose(found["native"][0], found["interpret"][0], rtol=1e-5)
    np.testing.assert_allclose(found["native"][1], found["interpret"][1], rtol=1e-6)


def test_rows_run_natively() -> None:
    double = cr.compile(lambda x: x * 2.0, "native")
    found = np.concatenate([y.numpy() for _, y in run_rows(double, [X], 10)])
    np.testing.assert_array_equal(found, X * 2)


def test_without_llvmlite_it_is_interpreted_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llvmlite.binding", None)
    worth.no_machine_code.cache_clear()
    try:
        assert worth.no_machine_code().startswith("llvmlite cannot be loaded (")
        with pytest.warns(UserWarning, match="llvmlite cannot be loaded .*; the step is interpret"):
            assert cr.compile(lambda x: x * 2.0, "native")(cr.ones(2)).tolist() == [2.0, 2.0]
    finally:
        monkeypatch.undo()
        worth.no_machine_code.cache_clear()
    assert worth.no_machine_code() == ""

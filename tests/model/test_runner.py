"""Blocks of a few sizes: any number of rows, machine code when it has paid, threads together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule import nn
from chainrule.model.forward import record_forward
from chainrule.model.runner import SIZES, Runner
from chainrule.spec import F32, I64, Spec


def layers() -> nn.Module:
    cr.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 2)).eval()


def runner() -> Runner:
    network = layers()
    return Runner(
        record_forward(lambda x, codes: network(x), [Spec((1, 3), F32), Spec((1, 0), I64)])
    )


def arrays(rows: int) -> tuple[np.ndarray, np.ndarray]:
    numbers = np.random.default_rng(rows).normal(size=(rows, 3)).astype(np.float32)
    return numbers, np.zeros((rows, 0), np.int64)


INTERPRETED, NATIVE = runner(), runner()
NATIVE.compile()


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(0, 3000))
def test_any_number_of_rows_is_as_eager(rows: int) -> None:
    numbers, codes = arrays(rows)
    wanted = layers()(cr.tensor(numbers)).numpy()
    for run in (INTERPRETED, NATIVE):
        np.testing.assert_allclose(run(numbers, codes), wanted, rtol=1e-5, atol=1e-6)


def test_machine_code_comes_when_it_has_paid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chainrule.model.runner.breakeven", lambda program: 3)
    run = runner()
    for _ in range(2):
        run(*arrays(1))
    assert not run.native
    run(*arrays(1))
    assert list(run.native) == [1]
    run(*arrays(3 * SIZES[-1] + 5))  # many blocks in one call count as many runs
    assert set(run.native) == {1, SIZES[-1]}


def test_where_there_is_no_machine_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chainrule.model.runner.no_machine_code", lambda: "no llvmlite here")
    run = runner()
    run.compile()
    assert run(*arrays(7)).shape == (7, 2)
    assert not run.native


def test_threads_share_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chainrule.model.runner.breakeven", lambda program: 20)
    run, sizes = runner(), [1, 2, 9, 64, 70, 1024] * 15
    wanted = {rows: INTERPRETED(*arrays(rows)) for rows in sizes}
    with ThreadPoolExecutor(8) as pool:
        for rows, found in zip(sizes, pool.map(lambda n: run(*arrays(n)), sizes), strict=True):
            np.testing.assert_allclose(found, wanted[rows], rtol=1e-5, atol=1e-6)

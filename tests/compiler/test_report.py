"""The report of a compiled step: what it counts, and that it says what there is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.core.op import CALLS
from chainrule.errors import SettingError


def trained() -> tuple[Any, list[Any]]:
    net = cr.nn.Sequential(cr.nn.Linear(8, 16), cr.nn.Tanh(), cr.nn.Linear(16, 3))
    optimizer = cr.optim.Adam(net.parameters())

    def step(x: Any, y: Any) -> Any:
        loss = ((net(x) - y) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return cr.compile(step, "native"), [cr.zeros((4, 8)), cr.zeros((4, 3))]


def test_everything_is_in_the_report() -> None:
    step, args = trained()
    report = step.report(*args)
    text = str(report)
    assert next(iter(report.passes)) == "recorded"
    assert all(
        f"{len(p.instructions):>5} instructions  {name}" in text
        for name, p in report.passes.items()
    )
    assert all(kernel.what in text for kernel in report.kernels)
    assert f"memory: {report.memory.peak_bytes:,} bytes" in text
    assert "define void @run0" in report.llvm
    assert "one; there is too little work to share" in text
    # Products: forward, the weights' gradients, and the second layer's input's.
    products = 2 * 4 * (2 * 8 * 16 + 3 * 16 * 3)
    assert sum(k.operations for k in report.kernels if "->" in k.what) >= products
    assert report.operations < 3 * products


def test_values_that_live_at_the_same_time_share_no_memory() -> None:
    step, args = trained()
    memory = step.report(*args).memory
    lives = memory.lifetimes
    for i, one in enumerate(lives):
        for other in lives[:i]:
            if one.first <= other.last and other.first <= one.last:
                (_, a, b), (_, c, d) = memory.region(one.symbol), memory.region(other.symbol)
                assert b <= c or d <= a
    assert memory.arena_bytes <= sum(life.bytes for life in lives)


def test_measuring_leaves_everything_as_it_was() -> None:
    step, args = trained()
    step(*args)
    program = step.program(*args)
    before = {name: np.array(cell.held()) for name, cell in program.cells.items()}
    report = step.measured(*args)
    assert all(k.seconds is not None and k.seconds > 0 for k in report.kernels)
    assert "GFLOP/s" in str(report)
    for name, cell in program.cells.items():
        np.testing.assert_array_equal(cell.held(), before[name])


def test_what_is_left_to_numpy_is_named() -> None:
    cr.define(
        "test_report_only_numpy",
        inputs="x",
        doc="x doubled.",
        forward=lambda x: x * 2,
        grad=(lambda g: g * 2,),
        replace=True,
    )
    only_numpy = CALLS["test_report_only_numpy"]
    report = cr.compile(lambda x: only_numpy(x).sum(), "native").report(cr.ones(3))
    assert "left to NumPy, so that epochs are loops of steps: test_report_only_numpy" in str(report)
    assert [kernel.native for kernel in report.kernels] == [False, True]


def test_a_scan_counts_every_round() -> None:
    def fn(c: Any, x: Any) -> Any:
        return cr.scan(lambda c, row: (c * row, None), c, x)[0]

    report = cr.compile(fn, "native").report(cr.ones(8), cr.ones((5, 8)))
    assert [(k.what, k.times, k.operations) for k in report.kernels if k.operations] == [
        ("mul", 5, 40)
    ]


def test_threads_are_told_when_they_were_tried() -> None:
    before = cr.get_num_threads()
    cr.set_num_threads(2)
    try:
        step = cr.compile(lambda x: (x.exp() * 2).tanh(), "native")
        x = cr.from_numpy(np.zeros((64, 4096), "float32"))
        assert "chosen when it has run a few times" in str(step.report(x))
        for _ in range(4):
            step(x)
        assert " us on 1" in str(step.report(x))
        assert " us on 2" in str(step.report(x))
    finally:
        cr.set_num_threads(before)


def test_only_machine_code_has_a_report() -> None:
    with pytest.raises(SettingError, match="only a step that became machine code"):
        cr.compile(lambda x: x * 2, "interpret").report(cr.ones(3))

"""An epoch: which rows each step gets, schedules, stopping early, and running without history."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest

import chainrule as cr
from chainrule.compiler.epoch import run_epoch, run_rows
from chainrule.errors import SettingError, ShapeError
from chainrule.tensors import Cell

X = np.arange(10.0)[:, None]


def test_every_row_once_in_the_order_given() -> None:
    total = cr.compile(lambda x, n: (x.sum() * 100 + n.sum()).detach())
    order = np.array([9, 0, 1, 2, 3, 4, 5, 6, 7, 8])
    found = run_epoch(total, [X, np.ones(10)], order, 4)
    assert found.tolist() == [(9 + 0 + 1 + 2) * 100 + 4, (3 + 4 + 5 + 6) * 100 + 4, 1500 + 2]
    assert len(total.programs) == 2  # the last batch is smaller


def test_some_rows_only() -> None:
    total = cr.compile(lambda x: x.sum())
    assert run_epoch(total, [X], np.array([3, 3, 5]), 2).tolist() == [6.0, 5.0]
    assert run_epoch(total, [X], np.arange(0), 2).tolist() == []


def test_a_schedule_gives_each_step_its_value() -> None:
    rate = Cell(np.array(0.0), "rate")
    scaled = cr.compile(lambda x: x.sum() * 0.0 + rate)
    found = run_epoch(scaled, [X], np.arange(10), 4, {rate: [0.1, 0.2, 0.3]})
    assert found.tolist() == pytest.approx([0.1, 0.2, 0.3])
    with pytest.raises(ShapeError, match="the schedule of rate needs a value per step"):
        run_epoch(scaled, [X], np.arange(10), 4, {rate: [0.1, 0.2]})


def test_it_ends_when_it_is_told_to() -> None:
    told = list[int]()

    def after(number: int) -> bool:
        told.append(number)
        return number == 1

    total = cr.compile(lambda x: x.sum(), "interpret")
    assert run_epoch(total, [X], np.arange(10), 3, after_step=after).tolist() == [3.0, 12.0]
    assert told == [0, 1]


@pytest.mark.parametrize("backend", ["interpret", "native"])
def test_no_smaller_batch_after_it_was_told_to_end(backend: Literal["interpret", "native"]) -> None:
    total = cr.compile(lambda x: x.sum(), backend)
    found = run_epoch(total, [X], np.arange(10), 9, after_step=lambda number: True)
    assert found.tolist() == [36.0]


@pytest.mark.parametrize("backend", ["interpret", "native"])
def test_a_scheduled_cell_keeps_the_last_value(backend: Literal["interpret", "native"]) -> None:
    rate = Cell(np.array(0.0), "rate")
    scaled = cr.compile(lambda x: (x * 0.0 + rate).mean(), backend)
    assert run_epoch(scaled, [X], np.arange(10), 5, {rate: [0.5, 0.25]}).tolist() == [0.5, 0.25]
    assert rate.item() == 0.25


def test_a_schedule_for_a_cell_that_the_step_changes_too() -> None:
    """No native call can set it between two steps: the epoch is a loop of them."""
    found = {}
    for backend in ("interpret", "native"):
        count = Cell(np.array(0.0), "count")

        def step(x: Any, count: Cell = count) -> Any:
            count.assign(count + 1.0)
            return x.sum() * 0.0 + count

        compiled = cr.compile(step, backend)
        found[backend] = run_epoch(compiled, [X], np.arange(10), 5, {count: [10.0, 20.0]}).tolist()
    assert found["native"] == found["interpret"] == [11.0, 21.0]


def test_rows_without_history() -> None:
    w = cr.Parameter(np.ones((1, 1)))
    found = list(run_rows(cr.compile(lambda x: x * w), [X], 4))
    assert [count for count, _ in found] == [4, 4, 2]
    assert not any(y.requires_grad for _, y in found)
    np.testing.assert_array_equal(np.concatenate([y.numpy() for _, y in found]), X)


def test_arrays_of_different_lengths() -> None:
    step = cr.compile(lambda x, y: x.sum())
    with pytest.raises(ShapeError, match="one row each for every sample"):
        run_epoch(step, [X, X[:3]], np.arange(3), 2)
    with pytest.raises(SettingError, match="at least one row"):
        list(run_rows(step, [X, X], 0))


@pytest.mark.parametrize("backend", ["interpret", "native"])
def test_metrics_come_in_the_form_that_the_step_gives(
    backend: Literal["interpret", "native"],
) -> None:
    def step(x: Any) -> Any:
        return {"sum": x.sum(), "range": (x.min(), x.max()), "name": "x"}

    compiled = cr.compile(step, backend)
    found = compiled.epoch([X], batch_size=4)
    assert found["name"] == "x"
    assert found["sum"].tolist() == [6.0, 22.0, 17.0]
    assert [part.tolist() for part in found["range"]] == [[0.0, 4.0, 8.0], [3.0, 7.0, 9.0]]
    backwards = compiled.epoch([X], batch_size=5, order=np.arange(9, -1, -1))
    assert backwards["range"][1].tolist() == [9.0, 4.0]


def test_a_step_that_returns_more_than_numbers() -> None:
    with pytest.raises(ShapeError, match="a step of an epoch returns numbers"):
        cr.compile(lambda x: x * 2).epoch([X], batch_size=4)

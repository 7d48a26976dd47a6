"""Tensors out of nothing: shapes, dtypes, numbers, and that a recorded step makes them itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import creation as c
from chainrule.core.interpret import interpret
from chainrule.core.record import record
from chainrule.errors import SettingError
from chainrule.generator import Generator

X = cr.tensor(np.ones((2, 3), "float64"))

MADE: list[tuple[Callable[[], Any], Any]] = [
    (lambda: c.zeros(2, 3), np.zeros((2, 3), "float32")),
    (lambda: c.zeros((2, 0)), np.zeros((2, 0), "float32")),
    (lambda: c.zeros(()), np.zeros((), "float32")),
    (lambda: c.ones(2, dtype="int64"), np.ones(2, "int64")),
    (lambda: c.empty(3), np.zeros(3, "float32")),
    (lambda: c.full((2,), 7), np.full(2, 7, "int64")),
    (lambda: c.full(2, 0.5), np.full(2, 0.5, "float32")),
    (lambda: c.full((2,), True), np.full(2, True)),
    (lambda: c.full((2,), 7, dtype=cr.float64), np.full(2, 7.0)),
    (lambda: c.zeros_like(X), np.zeros((2, 3))),
    (lambda: c.ones_like(X, dtype="float32"), np.ones((2, 3), "float32")),
    (lambda: c.full_like(X, 3), np.full((2, 3), 3.0)),
    (lambda: c.arange(4), np.arange(4)),
    (lambda: c.arange(5, 1, -2), np.arange(5, 1, -2)),
    (lambda: c.arange(3, 3), np.arange(0)),
    (lambda: c.arange(0.0, 1.0, 0.3), np.arange(0.0, 1.0, 0.3).astype("float32")),
    (lambda: c.arange(3, dtype="float64"), np.arange(3.0)),
    (lambda: c.linspace(0, 1, 11, dtype="float64"), np.linspace(0, 1, 11)),
    (lambda: c.linspace(5, -5, 4), np.linspace(5, -5, 4, dtype="float32")),
    (lambda: c.linspace(2, 3, 1), np.array([2.0], "float32")),
    (lambda: c.linspace(2, 3, 0), np.array([], "float32")),
    (lambda: c.eye(3), np.eye(3, dtype="float32")),
    (lambda: c.eye(2, 3, dtype="int64"), np.eye(2, 3, dtype="int64")),
]


@pytest.mark.parametrize(("make", "wanted"), MADE)
def test_made(make: Callable[[], Any], wanted: Any) -> None:
    found = make().numpy()
    assert found.dtype == wanted.dtype
    np.testing.assert_allclose(found, wanted, rtol=1e-15 if wanted.dtype == "float64" else 1e-7)
    assert found.shape == wanted.shape


@pytest.mark.parametrize(("make", "wanted"), MADE)
def test_recorded_as_instructions(make: Callable[[], Any], wanted: Any) -> None:
    program = record(lambda: (make(),), [])[0].verify()
    assert not program.constants
    assert not program.captured
    (found,) = interpret(program, [])
    assert found.dtype == wanted.dtype
    assert found.tolist() == make().tolist()


@pytest.mark.parametrize("steps", [2, 7, 100])
def test_linspace_meets_both_ends(steps: int) -> None:
    found = c.linspace(0.1, 0.7, steps, dtype="float64").tolist()
    assert (found[0], found[-1]) == (0.1, 0.7)


RANDOM: list[tuple[Callable[[Generator], Any], tuple[int, ...], str]] = [
    (lambda g: c.rand(2, 3, generator=g), (2, 3), "float32"),
    (lambda g: c.rand((4,), dtype="float64", generator=g), (4,), "float64"),
    (lambda g: c.randn(2, 3, generator=g), (2, 3), "float32"),
    (lambda g: c.randint(5, (3,), generator=g), (3,), "int64"),
    (lambda g: c.randint(-5, 5, (3, 1), dtype="float32", generator=g), (3, 1), "float32"),
    (lambda g: c.randperm(6, generator=g), (6,), "int64"),
]


@pytest.mark.parametrize(("draw", "shape", "dtype"), RANDOM)
def test_random(draw: Callable[[Generator], Any], shape: Any, dtype: str) -> None:
    first, second = draw(Generator(1)), draw(Generator(1))
    assert first.shape == shape
    assert first.dtype == dtype
    assert first.tolist() == second.tolist()
    assert first.tolist() != draw(Generator(2)).tolist()


@pytest.mark.parametrize(
    "draw", [lambda: c.rand(3), lambda: c.rand_like(X), lambda: c.randn_like(X)]
)
def test_the_seed_is_of_the_default_generator(draw: Callable[[], Any]) -> None:
    cr.manual_seed(3)
    first, other = draw(), draw()
    cr.manual_seed(3)
    assert draw().tolist() == first.tolist() != other.tolist()


def test_like() -> None:
    assert c.rand_like(X).shape == c.randn_like(X).shape == (2, 3)
    assert c.rand_like(X).dtype == c.randn_like(X).dtype == np.float64


def test_a_recorded_step_draws_anew() -> None:
    @cr.compile
    def step() -> Any:
        return c.rand(3)

    cr.manual_seed(5)
    recorded = [step().tolist() for _ in range(3)]
    cr.manual_seed(5)
    assert recorded == [c.rand(3).tolist() for _ in range(3)]
    assert recorded[0] != recorded[1]


@pytest.mark.parametrize(
    "make",
    [
        lambda: c.zeros(2, requires_grad=True),
        lambda: c.randn(2, requires_grad=True),
        lambda: c.arange(2.0, requires_grad=True),
        lambda: c.eye(2, requires_grad=True),
    ],
)
def test_cells(make: Callable[[], Any]) -> None:
    w = make()
    assert isinstance(w, cr.Cell)
    (w * 3).sum().backward()
    assert w.grad is not None
    assert set(w.grad.numpy().ravel().tolist()) == {3.0}


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: c.zeros(-1), "(?s)not a shape.*-1"),
        (lambda: c.zeros(2.5, 1), "not a shape"),
        (lambda: c.arange(0, 5, 0), "(?s)towards end.*0, 5, 0"),
        (lambda: c.arange(0, 5, -1), "towards end"),
        (lambda: c.linspace(0, 1, -1), "at least 0"),
        (lambda: c.randint(0, (3,), (2,)), "an integer"),
        (lambda: c.zeros(2, dtype="int64", requires_grad=True), "floating-point"),
    ],
)
def test_errors(make: Callable[[], Any], says: str) -> None:
    with pytest.raises(SettingError, match=says):
        make()

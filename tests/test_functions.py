"""Function forms: NumPy's numbers, PyTorch's names for axes, gradients at the kinks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import functions as f
from chainrule.core.interpret import interpret
from chainrule.core.record import record
from chainrule.errors import IndexRangeError, RecordingError, SettingError, ShapeError
from chainrule.spec import Spec

RNG = np.random.default_rng(0)
A, B = RNG.standard_normal((3, 4)), RNG.standard_normal((3, 4))

SAME: list[tuple[Callable[[Any], Any], Any]] = [
    (lambda x: f.exp(x), np.exp(A)),
    (lambda x: f.abs(x), np.abs(A)),
    (lambda x: f.maximum(x, B), np.maximum(A, B)),
    (lambda x: f.where(x > 0, x, 0.0), np.where(A > 0, A, 0)),
    (lambda x: f.isnan(f.log(x)), A < 0),
    (lambda x: f.isfinite(f.log(x)), A > 0),
    (lambda x: f.clamp(x, -0.5, 0.5), A.clip(-0.5, 0.5)),
    (lambda x: f.clamp(x, min=0.1), A.clip(0.1)),
    (lambda x: f.clip(x, max=0.1), A.clip(max=0.1)),
    (lambda x: f.clamp(x, min=0.5, max=-0.5), np.full((3, 4), -0.5)),
    (lambda x: f.sum(x), A.sum()),
    (lambda x: f.sum(x, 1), A.sum(1)),
    (lambda x: f.sum(x, dim=0, keepdim=True), A.sum(0, keepdims=True)),
    (lambda x: f.mean(x, (0, 1)), A.mean()),
    (lambda x: f.mean(x, axis=-1, keepdims=True), A.mean(-1, keepdims=True)),
    (lambda x: f.amax(x, dim=1), A.max(1)),
    (lambda x: f.amin(x, 0), A.min(0)),
    (lambda x: f.argmax(x), A.argmax()),
    (lambda x: f.argmax(x, dim=1), A.argmax(1)),
    (lambda x: f.argmin(x, 0), A.argmin(0)),
    (lambda x: f.norm(x), np.linalg.norm(A)),
    (lambda x: f.norm(x, 1, 0), np.abs(A).sum(0)),
    (lambda x: f.norm(x, 3.0, dim=1), (np.abs(A) ** 3).sum(1) ** (1 / 3)),
    (lambda x: f.norm(x, float("inf"), 1, keepdim=True), np.abs(A).max(1, keepdims=True)),
    (lambda x: f.cat([x, B]), np.concatenate([A, B])),
    (lambda x: f.concat([x, B, x], dim=-1), np.concatenate([A, B, A], -1)),
    (lambda x: f.stack([x, B]), np.stack([A, B])),
    (lambda x: f.stack([x, B], dim=-1), np.stack([A, B], -1)),
    (lambda x: f.reshape(x, (2, -1)), A.reshape(2, 6)),
    (lambda x: f.flatten(f.unsqueeze(x, 0), 1), A.reshape(1, 12)),
    (lambda x: f.squeeze(f.unsqueeze(x, 1), dim=1), A),
    (lambda x: f.transpose(x, 0, 1), A.T),
    (lambda x: f.permute(x, (1, 0)), A.T),
    (lambda x: f.var(x, dim=0, correction=1), A.var(0, ddof=1)),
    (lambda x: f.std(x, 1, True), A.std(1, keepdims=True)),
    (lambda x: f.argmax(x, 1, keepdims=True), A.argmax(1, keepdims=True)),
    (lambda x: f.all(x > -1, 1), (A > -1).all(1)),
    (lambda x: f.any(x > 1, keepdim=True), (A > 1).any(keepdims=True)),
    (lambda x: f.softmax(x, 1), np.exp(A) / np.exp(A).sum(1, keepdims=True)),
    (lambda x: f.masked_fill(x, x > 0, 7.0), np.where(A > 0, 7, A)),
    (lambda x: f.rsqrt(f.square(x)), 1 / np.abs(A)),
    (lambda x: f.reciprocal(x), 1 / A),
    (lambda x: f.cat(f.split(x, [1, 2, 1], 1)[::-1], 1), A[:, [3, 1, 2, 0]]),
    (lambda x: f.stack(f.unbind(x, 1)), A.T),
    (lambda x: f.chunk(x, 2, 1)[1], A[:, 2:]),
    (lambda x: f.flip(x, 0), A[::-1]),
    (lambda x: f.gather(x, 1, f.argmin(x, 1, True)), A.min(1, keepdims=True)),
    (lambda x: f.index_select(x, 1, [3, 0]), A[:, [3, 0]]),
    (lambda x: f.tril(x, 1), np.tril(A, 1)),
    (lambda x: f.triu(x), np.triu(A)),
    (lambda x: f.mm(x, x.t()), A @ A.T),
    (lambda x: x.repeat(2, 3), np.tile(A, (2, 3))),
    (lambda x: x.unsqueeze(1).expand(-1, 2, -1), np.repeat(A[:, None], 2, 1)),
]


@pytest.mark.parametrize(("fn", "wanted"), SAME)
def test_eager_and_recorded(fn: Callable[[Any], Any], wanted: Any) -> None:
    with np.errstate(invalid="ignore"):
        eager = fn(cr.tensor(A))
    assert isinstance(eager, cr.Tensor)
    assert eager.shape == wanted.shape
    np.testing.assert_allclose(eager.numpy(), wanted, rtol=1e-14)
    program = record(lambda x: (fn(x),), [Spec(A.shape, A.dtype)])[0].verify()
    np.testing.assert_array_equal(interpret(program, [A])[0], eager.numpy())


def slope(fn: Callable[[Any], Any], at: list[float]) -> list[float]:
    x = cr.tensor(at, requires_grad=True)
    fn(x).sum().backward()
    assert x.grad is not None
    found: list[float] = x.grad.tolist()
    return found


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda x: x.gather(1, cr.tensor([[4], [0], [0]])), IndexRangeError, "-1"),
        (lambda x: x.gather(1, cr.tensor([0, 0])), ShapeError, "index has the axes"),
        (lambda x: x.split([1, 1]), ShapeError, "add up"),
        (lambda x: x.split(0), ShapeError, "1 or more"),
        (lambda x: x.chunk(0), ShapeError, "1 or more"),
        (lambda x: x.repeat(2), ShapeError, "for each axis"),
        (lambda x: x.expand(3, 5), ShapeError, "repeats"),
        (lambda x: x[0].tril(), ShapeError, "two axes"),
        (lambda x: x.sum(axis=0, dim=0), SettingError, "two names"),
        (lambda x: x.to("cuda"), SettingError, "one device, the CPU"),
    ],
)
def test_what_methods_refuse(call: Callable[[Any], Any], error: type, says: str) -> None:
    with pytest.raises(error, match=says):
        call(cr.tensor(A))


def test_the_slope_of_a_numbers_power_is_as_precise_as_the_exponent() -> None:
    y = cr.Cell(A, "y", True)
    (2.0**y).sum().backward()
    np.testing.assert_allclose(y.grad.numpy(), 2.0**A * np.log(2.0), rtol=1e-15)


def test_a_clone_of_a_cell_stays_as_it_was() -> None:
    w = cr.tensor([1.0, 2.0], requires_grad=True)
    before = w.clone()
    before.sum().backward()
    with cr.no_grad():
        w -= 1.0
    assert before.tolist() == [1, 2]
    assert w.grad is not None
    assert w.grad.tolist() == [1, 1]


def test_the_slope_of_clamp_is_one_at_its_bounds() -> None:
    assert slope(lambda x: f.clamp(x, -1, 1), [-2.0, -1.0, 0.0, 1.0, 2.0]) == [0, 1, 1, 1, 0]


def test_bounds_of_clamp_have_gradients() -> None:
    low = cr.tensor([0.0, 0.0], requires_grad=True)
    f.clamp(cr.tensor([-1.0, 1.0]), min=low).sum().backward()
    assert low.grad is not None
    assert low.grad.tolist() == [1, 0]


def test_clamp_keeps_nan() -> None:
    assert np.isnan(f.clamp(cr.tensor([float("nan")]), -1, 1).item())


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
def test_norm_of_zeros(p: float) -> None:
    assert f.norm(cr.tensor([0.0, 0.0]), p).item() == 0
    assert slope(lambda x: f.norm(x, p), [0.0, 0.0]) == [0, 0]


def test_norm_of_nan_is_nan() -> None:
    assert np.isnan(f.norm(cr.tensor([float("nan"), 1.0])).item())


def test_answers_are_pythons() -> None:
    x = cr.tensor([1.0, float("nan")])
    assert f.allclose(cr.tensor([1.0]), [1.0 + 1e-6])
    assert not f.allclose(cr.tensor([1.0]), [1.1])
    assert f.allclose(cr.tensor([1.0]), [1.1], atol=0.2)
    assert not f.allclose(x, x)
    assert f.allclose(x, x, equal_nan=True)
    assert f.equal(cr.tensor([1, 2]), cr.tensor([1, 2])) is True
    assert f.equal(cr.tensor([1, 2]), cr.tensor([1, 2, 3])) is False
    with pytest.raises(RecordingError):
        record(lambda x: (f.equal(x, x),), [Spec(A.shape, A.dtype)])


def test_functions_serve_in_the_rules_of_an_op_of_ones_own() -> None:
    softsign = cr.define(
        "softsign of test_functions",
        inputs="x",
        doc="x / (1 + |x|).",
        forward=lambda x: x / (1 + np.abs(x)),
        grad=(lambda g, x: g / (1 + f.abs(x)) ** 2,),
        replace=True,
    )
    cr.gradient_check(softsign, [A])
    cr.gradient_check(softsign, [A], order=2)
    w = cr.tensor(A, requires_grad=True)

    def step() -> Any:
        w.grad = None
        softsign(w).sum().backward()
        return w.grad * 1

    assert cr.compile(step)().tolist() == step().tolist()


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda x: f.sum(x, axis=0, dim=1), SettingError, "two names"),
        (lambda x: f.clamp(x), SettingError, "needs a bound"),
        (lambda x: f.norm(x, 0), SettingError, "above 0"),
        (lambda x: f.cat([]), SettingError, "(?s)cat takes a list.*none"),
        (lambda x: f.stack(x), SettingError, "(?s)stack takes a list.*one tensor"),
        (lambda x: f.cat([x, x], 2), ShapeError, "(?s)no such axis.*-2 to 1"),
        (lambda x: f.stack([x, x[0]]), ShapeError, "stack needs equal shapes"),
        (lambda x: f.cat([x, x[:, :2]]), ShapeError, "equal sizes on the other axes"),
    ],
)
def test_errors(call: Callable[[Any], Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        call(cr.tensor(A))

"""Clipping by norm and by value, eager and recorded."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.core.interpret import interpret
from chainrule.core.record import record
from chainrule.errors import RecordingError, SettingError, TrainingError
from chainrule.nn.utils import clip_grad_norm_, clip_grad_value_


def parameters(*gradients: object) -> list[cr.Parameter]:
    made = []
    for gradient in gradients:
        parameter = cr.Parameter(np.ones_like(gradient, dtype="float64"))
        parameter.grad = cr.tensor(np.array(gradient, "float64"))
        made.append(parameter)
    return made


def gradients(cells: list[cr.Parameter]) -> list[float]:
    return np.concatenate([np.ravel(c.grad.numpy()) for c in cells]).tolist()


@pytest.mark.parametrize(
    ("kind", "norm"), [(2.0, 13.0), (1.0, 19.0), (float("inf"), 12.0), (3.0, 1819 ** (1 / 3))]
)
def test_scales_all_together(kind: float, norm: float) -> None:
    cells = parameters([3.0, -4.0], [[12.0]])
    total = clip_grad_norm_(cells, 1.0, kind)
    assert total.item() == pytest.approx(norm, rel=1e-12)
    expected = np.array([3.0, -4.0, 12.0]) / (norm + 1e-6)
    np.testing.assert_allclose(gradients(cells), expected)


def test_a_small_norm_is_left_alone() -> None:
    cells = parameters([0.3, 0.4])
    assert clip_grad_norm_(cells, 1.0).item() == pytest.approx(0.5)
    assert gradients(cells) == [0.3, 0.4]


def test_parameters_without_gradients_are_left_out() -> None:
    cells = [*parameters([3.0, 4.0]), cr.Parameter([1.0])]
    assert clip_grad_norm_(iter(cells), 1.0).item() == 5.0
    assert cells[1].grad is None
    assert clip_grad_norm_([cells[1]], 1.0).item() == 0.0


def test_one_parameter_alone() -> None:
    (cell,) = parameters([3.0, 4.0])
    clip_grad_norm_(cell, 2.5)
    np.testing.assert_allclose(cell.grad.numpy(), [1.5, 2.0], rtol=1e-6)


def test_a_norm_that_is_not_finite() -> None:
    cells = parameters([np.inf, 1.0])
    with pytest.raises(TrainingError, match="not finite"):
        clip_grad_norm_(cells, 1.0, error_if_nonfinite=True)
    assert gradients(cells) == [np.inf, 1.0]
    with pytest.raises(RecordingError, match="error_if_nonfinite"):
        record(lambda: (clip_grad_norm_(cells, 1.0, error_if_nonfinite=True),), [])
    with pytest.raises(SettingError, match="above 0"):
        clip_grad_norm_(cells, 1.0, norm_type=0.0)


def test_by_value() -> None:
    cells = parameters([3.0, -4.0, 0.5], [[np.nan]])
    clip_grad_value_(cells, 1.0)
    np.testing.assert_array_equal(gradients(cells), [1.0, -1.0, 0.5, np.nan])


@pytest.mark.parametrize("clip", [clip_grad_norm_, clip_grad_value_])
def test_recorded_it_belongs_to_the_update(clip: object) -> None:
    w = cr.Parameter(np.array([3.0, 4.0]), name="w")

    def step(x: cr.Tensor) -> tuple[cr.Tensor, ...]:
        (w * x).sum().backward()
        clip([w], 0.5)  # type: ignore[operator]
        return (w.grad,)

    x = cr.tensor(np.array([3.0, 4.0]))
    program, _ = record(step, [cr.spec.Spec((2,), np.dtype("float64"))])
    assert {made.phase for made in program.instructions} == {"forward", "backward", "update"}
    (got,) = interpret(program, [x.numpy()])
    w.grad = None
    (expected,) = step(x)
    np.testing.assert_array_equal(got, expected.numpy())

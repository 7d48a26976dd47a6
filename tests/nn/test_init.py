"""Initialisers: bounds and deviations of large draws, gains, fans, errors."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import SettingError, ShapeError
from chainrule.nn import init

OUT, IN = 300, 200


def weight() -> cr.Parameter:
    return cr.Parameter(np.full((OUT, IN), 7.0))


@pytest.mark.parametrize(
    ("fill", "deviation"),
    [
        (init.xavier_normal_, math.sqrt(2 / (IN + OUT))),
        (lambda w: init.xavier_normal_(w, 3.0), 3 * math.sqrt(2 / (IN + OUT))),
        (init.kaiming_normal_, math.sqrt(2 / IN)),
        (lambda w: init.kaiming_normal_(w, mode="fan_out"), math.sqrt(2 / OUT)),
        (lambda w: init.kaiming_normal_(w, a=2.0), math.sqrt(2 / 5 / IN)),
        (lambda w: init.kaiming_normal_(w, nonlinearity="tanh"), 5 / 3 / math.sqrt(IN)),
        (lambda w: init.normal_(w, 0.0, 0.5), 0.5),
    ],
)
def test_normal_ones(fill: Callable[[cr.Cell], cr.Cell], deviation: float) -> None:
    w = weight()
    assert fill(w) is w
    values = w.numpy()
    assert values.dtype == np.float64
    assert abs(values.std() / deviation - 1) < 5 / math.sqrt(2 * values.size)
    assert abs(values.mean()) < 5 * deviation / math.sqrt(values.size)
    # about 0.27 % of a normal distribution lie beyond 3 deviations: it is not a uniform one
    assert 0.001 < (np.abs(values) > 3 * deviation).mean() < 0.005


@pytest.mark.parametrize(
    ("fill", "bound"),
    [
        (init.xavier_uniform_, math.sqrt(6 / (IN + OUT))),
        (init.kaiming_uniform_, math.sqrt(6 / IN)),
        (lambda w: init.kaiming_uniform_(w, a=math.sqrt(5)), 1 / math.sqrt(IN)),
        (
            lambda w: init.kaiming_uniform_(w, mode="fan_out", nonlinearity="relu"),
            math.sqrt(6 / OUT),
        ),
        (lambda w: init.uniform_(w, -2.0, 2.0), 2.0),
    ],
)
def test_uniform_ones(fill: Callable[[cr.Cell], cr.Cell], bound: float) -> None:
    w = weight()
    fill(w)
    values = w.numpy()
    assert 0.999 * bound < np.abs(values).max() <= bound
    assert abs(values.std() / (bound / math.sqrt(3)) - 1) < 5 / math.sqrt(values.size)


def test_constant_ones() -> None:
    assert init.constant_(weight(), 0.25).numpy().min() == 0.25
    assert init.zeros_(weight()).numpy().max() == 0.0
    assert init.ones_(weight()).numpy().min() == 1.0


def test_a_mean() -> None:
    assert abs(init.normal_(weight(), 5.0, 0.1).numpy().mean() - 5.0) < 0.01


@pytest.mark.parametrize(
    ("name", "gain"),
    [("linear", 1), ("sigmoid", 1), ("relu", math.sqrt(2)), ("selu", 0.75), ("tanh", 5 / 3)],
)
def test_gains(name: str, gain: float) -> None:
    assert init.calculate_gain(name) == gain
    assert init.calculate_gain("leaky_relu", 0.5) == math.sqrt(2 / 1.25)


def test_errors() -> None:
    with pytest.raises(SettingError, match="no gain is known"):
        init.calculate_gain("swoosh")
    with pytest.raises(SettingError, match="no such mode"):
        init.kaiming_normal_(weight(), mode="fan")
    with pytest.raises(ShapeError, match="need a weight"):
        init.xavier_uniform_(cr.Parameter([1.0, 2.0]))

"""Pooling: by hand, its gradients, recorded as eager, and the words of its errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.nn.steps import assert_same, run

import chainrule as cr
from chainrule import functional as F
from chainrule.errors import SettingError, ShapeError


def normal(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(0, 1), st.integers(3, 7), st.booleans())
def test_by_hand(window: int, stride: int, padding: int, size: int, up: bool) -> None:
    """Every window cut out of the padded input."""
    padding = min(padding, window // 2)
    x = np.round(normal(2, 3, size, seed=size))
    around = np.pad(x, [(0, 0), (0, 0), (padding, padding)], constant_values=np.nan)
    starts = range(0, size + padding, stride)
    parts = [around[..., s : s + window] for s in starts if up or s + window <= size + 2 * padding]
    if up:  # the first window that reaches the end is the last
        enough = [s + window >= size + 2 * padding for s in starts]
        parts = parts[: enough.index(True) + 1] if True in enough else parts
    largest = np.stack([np.nanmax(part, -1) for part in parts], -1)
    mean = np.stack([np.nanmean(part, -1) for part in parts], -1)
    found = F.max_pool1d(cr.tensor(x), window, stride, padding, ceil_mode=up).numpy()
    np.testing.assert_array_equal(found, largest)
    found = F.avg_pool1d(cr.tensor(x), window, stride, padding, up, False).numpy()
    np.testing.assert_allclose(found, mean, rtol=1e-12)


GRADED: dict[str, tuple[Callable[..., Any], list[Any]]] = {
    "max_pool1d": (lambda x: F.max_pool1d(x, 3, 2, 1, 2), [normal(2, 3, 9)]),
    "max_pool2d": (lambda x: F.max_pool2d(x, 2), [normal(2, 5, 4)]),
    "max_pool2d, overlapping": (
        lambda x: F.max_pool2d(x, (3, 2), (2, 1), 1, ceil_mode=True),
        [normal(1, 2, 5, 4)],
    ),
    "avg_pool1d": (lambda x: F.avg_pool1d(x, 3, 2, 1, True), [normal(2, 3, 8)]),
    "avg_pool2d": (lambda x: F.avg_pool2d(x, 2, divisor_override=3), [normal(2, 5, 4)]),
    "adaptive_avg_pool2d": (lambda x: F.adaptive_avg_pool2d(x, (2, 3)), [normal(2, 5, 4)]),
}


@pytest.mark.parametrize("name", GRADED)
def test_gradients_and_recording(name: str) -> None:
    fn, arrays = GRADED[name]

    def curved(x: Any) -> Any:
        return cr.square(fn(x))

    cr.gradient_check(curved, arrays, order=1)
    cr.gradient_check(curved, arrays, order=2, tolerance=1e-5)
    eager = run(curved, arrays, order=2)
    assert_same(run(curved, arrays, order=2, recorded=True), eager, 1e-12)


def test_the_first_of_equal_ones_takes_the_gradient() -> None:
    x = cr.Cell(np.ones((1, 4, 4)), "x", True)
    F.max_pool2d(x, 2).sum().backward()
    assert x.grad is not None
    expected = [[1, 0, 1, 0], [0] * 4, [1, 0, 1, 0], [0] * 4]
    np.testing.assert_array_equal(x.grad.numpy()[0], expected)


def test_what_does_not_fit() -> None:
    x = cr.tensor(normal(2, 3, 7))
    with pytest.raises(SettingError, match="half a window"):
        F.max_pool1d(x, 3, padding=2)
    with pytest.raises(SettingError, match="one per axis"):
        F.avg_pool1d(x, (2, 2))
    with pytest.raises(ShapeError, match="larger than"):
        F.max_pool1d(x, 8)
    with pytest.raises(ShapeError, match="2 spatial axes"):
        F.max_pool2d(cr.tensor(normal(7)), 2)
    with pytest.raises(ShapeError, match="2 spatial axes"):
        F.adaptive_avg_pool2d(cr.tensor(normal(7)), 2)

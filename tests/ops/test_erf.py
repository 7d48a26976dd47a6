"""erf against Python's own, which is exact to the last bits."""

from __future__ import annotations

import math

import numpy as np

from chainrule.ops.erf import erf


def test_on_a_dense_grid() -> None:
    borders = [b + k * 2.0**-50 for b in (0.46875, 0.5, 4.0) for k in range(-4, 5)]
    x = np.concatenate([np.linspace(-7, 7, 20_001), 10.0 ** np.arange(-300, 3), borders])
    expected = np.array([math.erf(v) for v in x])
    np.testing.assert_allclose(erf(x), expected, rtol=5e-16, atol=0)
    np.testing.assert_array_equal(erf(-x), -erf(x))


def test_special_values() -> None:
    found = erf(np.array([0.0, -0.0, np.inf, -np.inf, 1e308]))
    assert found.tolist() == [0.0, -0.0, 1.0, -1.0, 1.0]
    assert math.copysign(1, found[1]) == -1
    assert np.isnan(erf(np.array(np.nan)))


def test_dtypes() -> None:
    x = np.linspace(-4, 4, 101, dtype="float32")
    assert erf(x).dtype == np.float32
    exact = np.array([math.erf(v) for v in x])
    np.testing.assert_array_equal(erf(x), exact.astype("float32"))
    assert erf(np.float32(0.3)).dtype == np.float32
    assert erf(np.arange(3)).dtype == np.float64

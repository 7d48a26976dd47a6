"""erf against the integral that defines it."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from chainrule.ops.erf import erf


@given(st.floats(-6, 6))
def test_it_is_the_integral(x: float) -> None:
    """Gauss-Legendre's rule with 40 points integrates exp(-t^2) to the last bits."""
    points, weights = np.polynomial.legendre.leggauss(40)
    t = x / 2 * (points + 1)
    expected = x / 2 * np.sum(weights * np.exp(-(t**2))) * 2 / math.sqrt(math.pi)
    np.testing.assert_allclose(erf(np.array(x)), expected, rtol=2e-14, atol=1e-320)


def test_special_values() -> None:
    found = erf(np.array([0.0, -0.0, np.inf, -np.inf, 1e308]))
    assert found.tolist() == [0.0, -0.0, 1.0, -1.0, 1.0]
    assert math.copysign(1, found[1]) == -1
    assert np.isnan(erf(np.array(np.nan)))


def test_dtypes_and_shapes() -> None:
    x = np.linspace(-4, 4, 24, dtype="float32").reshape(4, 6).T
    assert erf(x).dtype == np.float32
    exact = np.array([[math.erf(v) for v in row] for row in x])
    np.testing.assert_array_equal(erf(x), exact.astype("float32"))
    assert erf(np.float32(0.3)).dtype == np.float32
    assert erf(np.array(0.3)).shape == ()
    assert erf(np.zeros((0, 3))).shape == (0, 3)
    assert erf(np.arange(3)).dtype == np.float64

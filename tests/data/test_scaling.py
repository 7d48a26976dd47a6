"""Scalings: robust to far values, straight for logarithms, even for ranks; and the way back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.data import Column, Numeric
from chainrule.data.numeric import SCALINGS
from chainrule.data.scaling import Log, Ranks, heavy_tailed

RNG = np.random.default_rng(0)


@given(
    st.lists(st.floats(-1e12, 1e12), min_size=3, max_size=50), st.sampled_from([*SCALINGS, None])
)
def test_every_scaling_is_finite_bounded_and_in_order(values, scaling):
    record = Numeric.fit("x", Column.of(values), 0, scaling)
    made = record.apply(Column.of([*sorted(values), 1e150]))[:, 0]
    assert np.isfinite(made).all()
    assert np.abs(made).max() <= 5
    assert (np.diff(made) >= 0).all()


@pytest.mark.parametrize("scaling", SCALINGS)
def test_numbers_come_back(scaling):
    values = RNG.gamma(2.0, size=200)
    record = Numeric.fit("x", Column.of(values), 0, scaling)
    near = np.sort(values)[10:150]
    np.testing.assert_allclose(record.inverse(record.apply(Column.of(near))), near, rtol=1e-4)


def test_far_values_do_not_move_robust_scaling():
    values = np.append(RNG.normal(10, 2, 999), 1e9)
    record = Numeric.fit("x", Column.of(values), 0, "robust")
    assert record.mean == pytest.approx(10, abs=0.3)
    assert record.std == pytest.approx(2, abs=0.3)
    assert Numeric.fit("x", Column.of(values), 0, "standard").std > 1e7


def test_ranks_are_evenly_spread():
    values = np.exp(RNG.normal(0, 3, 5000))
    made = Numeric.fit("x", Column.of(values), 0, "quantile").apply(Column.of(values))[:, 0]
    low, middle, high = np.quantile(made, [0.25, 0.5, 0.75])
    assert high - middle == pytest.approx(middle - low, abs=0.02)


def test_a_heavy_tail_becomes_a_logarithm_unless_asked_otherwise():
    tail = np.exp(RNG.normal(0, 3, 1000))
    assert isinstance(Numeric.fit("x", Column.of(tail), 0).curve, Log)
    assert Numeric.fit("x", Column.of(tail), 0, "standard").curve is None
    assert isinstance(Numeric.fit("x", Column.of(tail), 0, "quantile").curve, Ranks)
    assert not heavy_tailed(RNG.normal(size=1000))
    assert not heavy_tailed(np.array([40.0] * 90 + [0.0, 20.0, 60.0, 80.0] * 3))

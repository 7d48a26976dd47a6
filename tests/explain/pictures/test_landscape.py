"""The plane of a way: its principal components, as NumPy's singular values know them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from chainrule.explain.pictures.landscape import around, over_weight, plane_of_way, surface


@pytest.mark.parametrize("weights", [5, 400])
def test_directions_are_the_singular_vectors_of_the_way(weights: int) -> None:
    states = np.random.default_rng(weights).standard_normal((8, weights)).astype(np.float32)
    plane = plane_of_way(states)
    assert plane is not None
    moved = states - states[-1]
    left, sizes, right = np.linalg.svd(moved.astype(np.float64), full_matrices=False)
    alike = np.abs((plane.directions * right[:2]).sum(axis=1))  # up to their sign
    assert np.allclose(alike, 1, atol=1e-4)
    assert np.allclose(np.abs(plane.way), np.abs(left[:, :2] * sizes[:2]), rtol=1e-3, atol=1e-3)
    assert np.allclose(plane.shares, sizes[:2] ** 2 / (sizes**2).sum(), atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(arrays(np.float32, (6, 2), elements=st.floats(-5, 5, width=16)), st.integers(2, 50))
def test_a_way_in_a_plane_is_all_in_the_picture(steps: np.ndarray, weights: int) -> None:
    basis = np.linalg.qr(np.random.default_rng(weights).standard_normal((weights, 2)))[0]
    states = (steps @ basis.T).astype(np.float32) + 1
    plane = plane_of_way(states)
    if plane is not None:
        assert sum(plane.shares) == pytest.approx(1, abs=1e-3)
        assert np.allclose(states[-1] + plane.way @ plane.directions, states, atol=0.02)


def test_a_straight_way_spans_no_plane() -> None:
    assert plane_of_way(np.outer(np.arange(5), np.ones(4)).astype(np.float32)) is None
    assert plane_of_way(np.eye(2, 4, dtype=np.float32)) is None


def test_a_surface_tells_its_losses_and_its_way() -> None:
    plane = plane_of_way(np.array([[2, 1, 0], [1, 1, 0], [0, 0, 0]], np.float32))
    assert plane is not None
    across, upwards = (around(part, 5) for part in plane.way.T)
    losses = np.arange(25.0).reshape(5, 5)
    losses[2, 2] = np.inf  # a place where the loss is not finite is drawn all the same
    picture = surface(plane, across, upwards, losses)
    told = [float(line.rpartition(",")[2]) for line in picture.csv().splitlines()[1:26]]
    assert told == losses.reshape(-1).tolist()
    assert "nan" not in picture.svg(alone=False)


def test_the_valley_of_the_lesson_is_drawn_with_its_steps() -> None:
    way = [0.6, 1.08, 1.464], [5.76, 3.6864, 2.3593]
    picture = over_weight("w", [0.0, 3.0, 6.0], [9.0, 0.0, 9.0], way)
    assert "steps,0.6,5.76\n" in picture.csv()
    assert "first,0.6,5.76\nlast,1.464,2.3593\n" in picture.csv()
    assert "● steps" in picture.text()

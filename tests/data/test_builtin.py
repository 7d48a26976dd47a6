"""The tables made by a recipe."""

import numpy as np
import pytest

from chainrule.data import courier, spirals


def test_courier_charges_are_100_a_kilogram_and_50():
    table = courier()
    kilograms, charge = (column.numbers for column in table.columns.values())
    np.testing.assert_allclose(charge, 100 * kilograms + 50)
    assert sorted(kilograms)[:2] == [0.1, 0.2]
    assert (np.diff(kilograms) < 0).any()


def test_noise_is_what_is_asked_for():
    rest = (
        courier(5000, noise=3.0).column("charge").numbers - courier(5000).column("charge").numbers
    )
    assert rest.std() == pytest.approx(3.0, rel=0.05)
    assert rest.mean() == pytest.approx(0.0, abs=0.2)


def test_spirals_are_two_arms_turned_half_around():
    table = spirals(noise=0.0)
    x, y, arm = (table.column(name) for name in ("x", "y", "arm"))
    first = arm.cells == "first"
    assert first.sum() == 300
    points = {(a, b) for a, b in zip(x.numbers[first], y.numbers[first], strict=True)}
    turned = {
        (-a + 0.0, -b + 0.0) for a, b in zip(x.numbers[~first], y.numbers[~first], strict=True)
    }
    assert points == turned

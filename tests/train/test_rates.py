"""The learning rate of every step."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule import optim
from chainrule.optim.lr_scheduler import OneCycleLR
from chainrule.tensors import Parameter
from chainrule.train.rates import rates


def test_constant() -> None:
    assert rates("constant", 0.3, 3).tolist() == [0.3, 0.3, 0.3]


def test_cosine() -> None:
    np.testing.assert_allclose(
        rates("cosine", 0.2, 5),
        [0.2, 0.1 + 0.1 * np.sqrt(0.5), 0.1, 0.1 - 0.1 * np.sqrt(0.5), 0],
        atol=1e-15,
    )


def test_one_cycle() -> None:
    found = rates("one-cycle", 1.0, 1001)
    assert found[0] == pytest.approx(0.04)
    assert found[150] == pytest.approx(0.52)
    assert found[300] == pytest.approx(1.0)
    assert found[650] == pytest.approx(0.50005)
    assert found[-1] == pytest.approx(0.0001)
    assert (np.diff(found)[:300] > 0).all()
    assert (np.diff(found)[300:] < 0).all()


def test_one_cycle_is_the_schedule_of_that_name() -> None:
    """The same curve as OneCycleLR's, but for where it ends and half a step's shift."""
    optimizer = optim.SGD([Parameter(0.0)], lr=1.0, momentum=0.9)
    schedule = OneCycleLR(optimizer, max_lr=1.0, total_steps=1001, final_div_factor=400.0)
    theirs = [schedule.rate(0, step) for step in range(1001)]
    np.testing.assert_allclose(rates("one-cycle", 1.0, 1001), theirs, atol=0.01)


@pytest.mark.parametrize("schedule", ["constant", "cosine", "one-cycle"])
def test_a_single_step(schedule: str) -> None:
    assert rates(schedule, 1.0, 1).shape == (1,)
    assert rates(schedule, 1.0, 1)[0] > 0

"""Recommendations from vectors: scores as the network gives them, neighbours, newcomers."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import IndexRangeError
from chainrule.nn.networks import MatrixFactorization, MatrixFactorizationConfig

USERS, ITEMS = 6, 9


@pytest.fixture
def model() -> MatrixFactorization:
    rng = np.random.default_rng(0)
    made = MatrixFactorization(MatrixFactorizationConfig(USERS, ITEMS, 4, 3.5))
    for cell in made.parameters():
        cell.assign(rng.standard_normal(cell.shape).astype("float32"))
    return made


def test_scores_are_those_of_the_forward_pass(model: MatrixFactorization) -> None:
    users, items = np.divmod(np.arange(USERS * ITEMS), ITEMS)
    expected = model(cr.tensor(users), cr.tensor(items)).numpy().reshape(USERS, ITEMS)
    np.testing.assert_allclose(model.scores(), expected, rtol=1e-5)
    np.testing.assert_allclose(model.scores([4, 1]), expected[[4, 1]], rtol=1e-5)


def test_similar_items_point_the_same_way(model: MatrixFactorization) -> None:
    vectors = model.items.weight.numpy().copy()
    vectors[7], vectors[5] = 10 * vectors[2], -vectors[2]
    model.items.weight.assign(vectors)
    found = model.similar(2, 20)
    assert found[0] == 7
    assert found[-1] == 5
    assert sorted(found) == [item for item in range(ITEMS) if item != 2]


def test_a_newcomers_scores_are_sums_over_what_they_liked(model: MatrixFactorization) -> None:
    scores, due_to = model.newcomer([3, 8])
    rest = model.item_biases.weight.numpy()[:, 0] + 3.5
    np.testing.assert_allclose(scores, due_to.sum(1) + rest, rtol=1e-5)
    vector = np.linalg.lstsq(model.items.weight.numpy(), scores - rest, rcond=None)[0]
    usual = np.linalg.norm(model.users.weight.numpy(), axis=1).mean()
    assert np.linalg.norm(vector) == pytest.approx(usual, rel=1e-4)


def test_a_newcomer_is_the_solution_of_weighted_least_squares(model: MatrixFactorization) -> None:
    """Rows of 1 for what was liked, rows of 0 a tenth as long for all items, and a ridge of 1."""
    items = model.items.weight.numpy()
    rows = np.concatenate([items[[3, 8]], 0.1 * items, np.eye(4)])
    vector = np.linalg.lstsq(rows, np.r_[1, 1, np.zeros(ITEMS + 4)], rcond=None)[0]
    found = model.newcomer([3, 8])[1].sum(1)
    along = items @ vector
    assert np.corrcoef(found, along)[0, 1] == pytest.approx(1, abs=1e-6)


def test_somebody_who_liked_nothing_gets_the_biases(model: MatrixFactorization) -> None:
    scores, due_to = model.newcomer([])
    assert due_to.shape == (ITEMS, 0)
    np.testing.assert_allclose(scores, model.item_biases.weight.numpy()[:, 0] + 3.5, rtol=1e-6)


@pytest.mark.parametrize("ask", ["scores([6])", "similar(9)", "newcomer([0, -1])"])
def test_the_unknown_are_refused(model: MatrixFactorization, ask: str) -> None:
    with pytest.raises(IndexRangeError, match=r"no such (users|items)\n.*expected: 0 to [58]"):
        eval(f"model.{ask}")

"""A loss that no gradient leads back from: the error says where the chain breaks."""

from __future__ import annotations

import pytest

import chainrule as cr
from chainrule import nn
from chainrule.errors import GradientError

X, TARGET = cr.tensor([[1.0, 2.0]]), cr.tensor([0])


def error_of(loss):
    """The error of a recorded step with this loss of scores and target."""
    model = nn.Sequential(nn.Linear(2, 3))

    @cr.compile
    def step(x, target):
        found = loss(model(x), target)
        found.backward()
        return found

    with pytest.raises(GradientError) as caught:
        step(X, TARGET)
    return str(caught.value)


@pytest.mark.parametrize(
    ("loss", "op"),
    [
        (lambda scores, target: (scores.argmax(1) != target).float().mean(), "argmax"),
        (lambda scores, target: (scores > 0).float().mean(), "greater"),
        (lambda scores, target: (scores.long() - target).float().mean(), "cast"),
    ],
)
def test_the_op_and_the_line_are_named(loss, op):
    assert f"breaks at {op} (test_broken_chain.py:" in error_of(loss)


def test_the_reason_that_the_op_states_is_given():
    message = error_of(lambda scores, target: (scores.argmax(1) != target).float().mean())
    assert "argmax to i64[1]: a position has no slope" in message
    assert "cross-entropy for classes" in message


def test_what_was_detached_leaves_no_place_where_it_breaks():
    message = error_of(lambda scores, target: ((scores.detach() - 1) ** 2).mean())
    assert "a tensor detached" in message


def test_a_frozen_network_has_no_place_where_it_breaks():
    model = nn.Linear(2, 3).freeze()

    @cr.compile
    def step(x):
        model(x).sum().backward()

    with pytest.raises(GradientError, match="is a parameter frozen"):
        step(X)


def test_outside_of_a_recording_the_error_says_how_to_find_the_place():
    loss = (nn.Linear(2, 3)(X).argmax(1) != TARGET).float().mean()
    with pytest.raises(GradientError, match=r"under cr\.compile the error names the place"):
        loss.backward()

"""grad(), backward() and gradient_check: what they give, and how they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.core.op import CALLS, OPS
from chainrule.errors import GradientError, SettingError, ShapeError


@pytest.fixture
def x() -> Any:
    return cr.tensor([1.0, 2.0], requires_grad=True)


def test_grad_gathers_nothing(x: Any) -> None:
    (found,) = cr.grad((x * x).sum(), x)
    assert found is not None
    assert found.tolist() == [2.0, 4.0]
    assert x.grad is None


def test_several_inputs(x: Any) -> None:
    y = cr.tensor([3.0, 4.0], requires_grad=True)
    found = cr.grad((x * y).sum(), [x, y, x])
    assert [g.tolist() for g in found if g is not None] == [[3.0, 4.0], [1.0, 2.0], [3.0, 4.0]]


def test_an_input_that_is_not_used(x: Any) -> None:
    other = cr.tensor([1.0], requires_grad=True)
    with pytest.raises(GradientError, match="do not depend on input 1") as caught:
        cr.grad((x * x).sum(), [x, other])
    assert "allow_unused" in str(caught.value)
    assert cr.grad((x * x).sum(), [x, other], allow_unused=True)[1] is None


def test_an_input_without_history(x: Any) -> None:
    with pytest.raises(GradientError, match=r"input 1 of grad\(\) does not keep"):
        cr.grad((x * x).sum(), [x, cr.tensor([1.0])])


def test_grad_outputs(x: Any) -> None:
    (found,) = cr.grad(x * x, x, grad_outputs=cr.tensor([1.0, 10.0]))
    assert found is not None
    assert found.tolist() == [2.0, 40.0]
    with pytest.raises(ShapeError, match="the output's shape"):
        cr.grad(x * x, x, grad_outputs=cr.tensor([1.0]))


def test_grad_outputs_with_a_history_of_their_own(x: Any) -> None:
    """A Jacobian-vector product by two reverse sweeps."""
    v = cr.tensor([0.0, 0.0], requires_grad=True)
    (g,) = cr.grad(x * x * x, x, grad_outputs=v, create_graph=True)
    assert g is not None
    (product,) = cr.grad(g, v, grad_outputs=cr.tensor([1.0, 2.0]))
    assert product is not None
    assert product.tolist() == [3.0, 24.0]


BROKEN = {
    "no cell that wants one": lambda w: cr.tensor([1.0]).sum(),
    "detached": lambda w: w.detach().sum(),
    "under no_grad": lambda w: untracked(w),
    "frozen": lambda w: w.requires_grad_(False).sum(),
    "of a comparison": lambda w: (w > 0).sum(),
    "of integers": lambda w: w.long().sum(),
    "cast to integers and back": lambda w: w.long().float().sum(),
    "of a position": lambda w: w.argmax(),
    "through a step": lambda w: CALLS["floor"](w).sum(),
}


def untracked(w: Any) -> Any:
    with cr.no_grad():
        return w.sum()


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_chain_is_an_error(how: str, x: Any) -> None:
    with pytest.raises(GradientError, match="wants a gradient") as caught:
        BROKEN[how](x).backward()
    assert "frozen" in str(caught.value.hint)
    assert x.grad is None


def test_a_chain_that_is_whole_in_one_place_is_enough(x: Any) -> None:
    (x.detach() * x + (x > 1.5)).sum().backward()
    assert x.grad.tolist() == [1.0, 2.0]


def test_a_loss_of_several_numbers(x: Any) -> None:
    with pytest.raises(GradientError, match="of one number") as caught:
        (x * x).backward()
    assert "f32[2]" in str(caught.value)
    (x * x)[1:].backward()
    assert x.grad.tolist() == [0.0, 4.0]


def test_a_gradient_that_flows_in(x: Any) -> None:
    (x * x).backward(gradient=cr.tensor([1.0, 0.5]))
    assert x.grad.tolist() == [2.0, 2.0]
    with pytest.raises(ShapeError, match="the output's shape"):
        (x * x).backward(gradient=np.ones(3))


def test_backward_twice(x: Any) -> None:
    """History is not used up: the second time adds the same again."""
    loss = (x * x).sum()
    loss.backward()
    loss.backward()
    assert x.grad.tolist() == [4.0, 8.0]


def test_no_history_of_integers() -> None:
    with pytest.raises(SettingError, match="only floating-point"):
        cr.tensor([1, 2], requires_grad=True)
    cell = cr.Cell(np.arange(3), "counts")
    with pytest.raises(SettingError, match="counts: i64"):
        cell.requires_grad = True


def test_grad_modes_nest(x: Any) -> None:
    with cr.no_grad():
        assert not cr.is_grad_enabled()
        with cr.enable_grad():
            assert (x * 2).requires_grad
            with cr.set_grad_enabled(False):
                assert not (x * 2).requires_grad
        assert not (x * 2).requires_grad

    @cr.no_grad()
    def quiet() -> Any:
        return x * 2

    assert not quiet().requires_grad
    with pytest.raises(KeyError), cr.no_grad():
        raise KeyError
    assert cr.is_grad_enabled()


# -- gradient_check


def wrong(**rule: Any) -> Any:
    return cr.define("wrong", inputs="x", doc="x^3.", forward=lambda x: x**3, replace=True, **rule)


@pytest.fixture
def _no_trace() -> Any:
    yield
    OPS.pop("wrong", None)
    CALLS.pop("wrong", None)


@pytest.mark.usefixtures("_no_trace")
@pytest.mark.parametrize(
    "rule",
    [
        lambda g, x: g * x * x * 3.001,
        lambda g, x: g * x * x * -3.0,
        lambda g, x: g * x * x,
        lambda g: g * 0.0,
        lambda g, x: g * x * x * 3.0 + 1e-4,
    ],
    ids=["a bit off", "of the wrong sign", "of the wrong scale", "zero", "with an offset"],
)
def test_a_wrong_rule_is_refused(rule: Any) -> None:
    op = wrong(grad=(rule,))
    with pytest.raises(GradientError, match="order 1 does not agree"):
        cr.gradient_check(op, [np.array([0.7, -1.3, 2.0])])


@pytest.mark.usefixtures("_no_trace")
def test_a_rule_right_in_first_order_only() -> None:
    """The value of the rule is right, but it hides how it depends on x."""
    op = wrong(grad=(lambda g, x: g * cr.tensor(3.0 * np.square(np.asarray(cr.as_tensor(x)))),))
    x = [np.array([0.7, -1.3])]
    assert cr.gradient_check(op, x) < 1e-6
    with pytest.raises(GradientError, match="order 2 does not agree"):
        cr.gradient_check(op, x, order=2)


@pytest.mark.usefixtures("_no_trace")
def test_a_right_rule_is_accepted() -> None:
    op = wrong(grad=(lambda g, x: g * x * x * 3.0,))
    for order in (1, 2, 3):
        assert cr.gradient_check(op, [np.array([0.7, -1.3])], order=order) < 1e-6


@pytest.mark.usefixtures("_no_trace")
def test_nan_is_refused() -> None:
    op = wrong(grad=(lambda g: g * float("nan"),))
    with pytest.raises(GradientError, match="does not agree"):
        cr.gradient_check(op, [np.array([0.7])])


def test_integer_inputs_stay_where_they_are() -> None:
    fn = lambda table, index: table[index].exp()
    assert cr.gradient_check(fn, [np.ones((4, 2)), np.array([0, 3, 3])]) < 1e-6


@pytest.mark.usefixtures("_no_trace")
def test_an_op_is_defined_once() -> None:
    wrong(grad=(lambda g: g,))
    with pytest.raises(SettingError, match="defined already"):
        cr.define("wrong", inputs="x", doc=".", forward=lambda x: x, grad=(None,))
    with pytest.raises(SettingError, match="2 gradient rules for 1 inputs"):
        cr.define("wrong2", inputs="x", doc=".", forward=lambda x: x, grad=(None, None))

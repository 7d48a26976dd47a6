"""What people who write their own loop type, here and in PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import functions

pytestmark = pytest.mark.peers
torch = pytest.importorskip("torch")

RNG = np.random.default_rng(3)
X, W = RNG.standard_normal((6, 3)), RNG.standard_normal((3, 2))

softsign = cr.define(
    "softsign of a test",
    inputs="x",
    doc="x / (1 + |x|).",
    formula="dx = g / (1 + |x|)^2",
    forward=lambda x: x / (1 + np.abs(x)),
    grad=(lambda g, x: g / (1 + functions.abs(x)) ** 2,),
    replace=True,
)


def both(run: Any) -> tuple[Any, Any]:
    """What `run(library, softsign)` gives here and in PyTorch, as arrays."""
    ours = run(cr, softsign)
    theirs = run(torch, torch.nn.functional.softsign)
    return [np.asarray(a) for a in ours], [a.detach().numpy() for a in theirs]


def agree(run: Any) -> None:
    ours, theirs = both(run)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.dtype == other.dtype
        np.testing.assert_allclose(mine, other, rtol=1e-12)


def test_update_by_hand() -> None:
    def run(library: Any, softsign: Any) -> list[Any]:
        w = library.tensor(W, requires_grad=True)
        for _ in range(10):
            (softsign(library.tensor(X) @ w) ** 2).mean().backward()
            with library.no_grad():
                w -= 0.5 * w.grad
            w.grad.zero_()
        return [w, w.grad]

    agree(run)


def test_an_op_of_ones_own() -> None:
    def run(library: Any, softsign: Any) -> list[Any]:
        w = library.tensor(W, requires_grad=True)
        softsign(w).sum().backward()
        return [w.grad, softsign(w)]

    agree(run)


def test_an_op_of_ones_own_to_the_second_order() -> None:
    def run(library: Any, softsign: Any) -> list[Any]:
        w = library.tensor(W, requires_grad=True)
        grad = cr.grad if library is cr else torch.autograd.grad
        (slope,) = grad((softsign(w) ** 2).sum(), w, create_graph=True)
        (slope**2).sum().backward()
        return [w.grad]

    agree(run)


def test_an_op_of_ones_own_recorded() -> None:
    def run(library: Any, softsign: Any) -> list[Any]:
        w = library.tensor(W, requires_grad=True)

        def step(x: Any) -> Any:
            w.grad = None
            loss = (softsign(x @ w) ** 2).mean()
            loss.backward()
            with library.no_grad():
                w.copy_(w - 0.5 * w.grad)
            return loss

        step = cr.compile(step) if library is cr else step
        losses = [step(library.tensor(X)) for _ in range(5)]
        return [w, *losses]

    agree(run)


def test_detach_stops_the_gradient() -> None:
    def run(library: Any, softsign: Any) -> list[Any]:
        w = library.tensor(W, requires_grad=True)
        h = library.tensor(X) @ w
        (h * h.detach()).sum().backward()
        return [w.grad]

    agree(run)


def test_requires_grad_can_be_toggled() -> None:
    def run(library: Any, softsign: Any) -> list[Any]:
        w, b = library.tensor(W, requires_grad=True), library.tensor(W[0], requires_grad=True)
        w.requires_grad_(False)
        ((library.tensor(X) @ w + b) ** 2).sum().backward()
        assert w.grad is None
        w.requires_grad = True
        ((library.tensor(X) @ w + b) ** 2).sum().backward()
        return [w.grad, b.grad]

    agree(run)


@pytest.mark.parametrize("operator", ["+=", "-=", "*=", "/="])
def test_in_place(operator: str) -> None:
    def run(library: Any, softsign: Any) -> list[Any]:
        w = library.tensor(W, requires_grad=True)
        same = w
        with library.no_grad():
            if operator == "+=":
                w += 0.5
            elif operator == "-=":
                w -= library.tensor(W[0])
            elif operator == "*=":
                w *= 2
            else:
                w /= 4.0
        assert same is w
        assert w.requires_grad
        (w**2).sum().backward()
        return [w, w.grad]

    agree(run)


def test_no_grad_is_a_decorator_too() -> None:
    def run(library: Any, softsign: Any) -> list[Any]:
        w = library.tensor(W, requires_grad=True)

        @library.no_grad()
        def evaluate() -> Any:
            assert not library.is_grad_enabled()
            return library.tensor(X) @ w

        out = evaluate()
        assert not out.requires_grad
        assert library.is_grad_enabled()
        return [out]

    agree(run)


def test_clearing_gradients_between_steps() -> None:
    def run(library: Any, softsign: Any) -> list[Any]:
        w = library.tensor(W, requires_grad=True)
        (w * w).sum().backward()
        (w * 3).sum().backward()
        total = w.grad * 1.0
        w.grad = None
        (w * 3).sum().backward()
        return [total, w.grad]

    agree(run)


@pytest.mark.parametrize(
    "call",
    [
        lambda f, x: f.clamp(x, -1, 2),
        lambda f, x: f.clamp(x, min=0.5),
        lambda f, x: f.norm(x),
        lambda f, x: f.norm(x * 0),
        lambda f, x: f.norm(x, 3.0, dim=0),
        lambda f, x: f.norm(x, 1, dim=1, keepdim=True),
        lambda f, x: f.amax(x, dim=1),
        lambda f, x: f.mean(x, 0),
        lambda f, x: f.cat([x, x * 2], dim=1),
        lambda f, x: f.stack([x, x * 2], dim=-1),
        lambda f, x: f.flatten(f.unsqueeze(x, 0), 1),
        lambda f, x: f.where(x > 0, x, f.exp(x)),
    ],
)
def test_functions(call: Any) -> None:
    def run(library: Any, softsign: Any) -> list[Any]:
        x = library.tensor([[-2.0, -1.0, 0.5], [0.5, 2.0, 3.0]], requires_grad=True)
        out = call(functions if library is cr else torch, x)
        (out**2).sum().backward()
        return [out, x.grad]

    ours, theirs = both(run)
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-6)

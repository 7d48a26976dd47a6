"""Hessians and Hessian-vector products of composite functions against JAX, in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.core.op import CALLS

jax = pytest.importorskip("jax")
jnp = jax.numpy
pytestmark = [
    pytest.mark.peers,
    # JAX forks nothing here, but warns of it when other tests did.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

A = np.random.default_rng(0).standard_normal((4, 4))
X = np.random.default_rng(1).standard_normal((5, 4))


def perceptron(x: Any, lib: Any) -> Any:
    """A layer, tanh, the same layer transposed, and a softplus of the sum."""
    hidden = lib.tanh(X @ (x * A))
    return lib.logaddexp(hidden @ A.T, 0.0).sum()


def softmax_loss(x: Any, lib: Any) -> Any:
    z = X * x
    shifted = lib.exp(z - z.max(axis=1, keepdims=True))
    return -lib.log(shifted[:, 0] / shifted.sum(axis=1)).mean()


def rational(x: Any, lib: Any) -> Any:
    return ((x * x + 1.0) ** 1.5 / (lib.exp(-x) + 2.0)).sum() + lib.sin(x).sum() ** 2


def reshaped(x: Any, lib: Any) -> Any:
    """Broadcasts, slices with steps and a matrix product of rearranged parts."""
    outer = x.reshape(4, 1) * x.reshape(1, 4)
    return (outer[::-1, 1:] @ outer[1:, ::2]).sum() * lib.sqrt(lib.square(x).sum())


class Ours:
    """The functions under the names that jax.numpy gives them."""

    def __getattr__(self, name: str) -> Any:
        return CALLS[name]


FUNCTIONS = [perceptron, softmax_loss, rational, reshaped]
POINT = np.array([0.3, -0.7, 1.1, 0.4])


@pytest.fixture(autouse=True, scope="module")
def _wide() -> Any:
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


def gradients(fn: Callable[..., Any]) -> tuple[cr.Tensor, cr.Tensor, cr.Tensor]:
    x = cr.tensor(POINT, requires_grad=True)
    value = fn(x, Ours())
    (slope,) = cr.grad(value, x, create_graph=True)
    assert slope is not None
    return x, value, slope


@pytest.mark.parametrize("fn", FUNCTIONS)
def test_gradient_and_hessian(fn: Callable[..., Any]) -> None:
    x, value, slope = gradients(fn)
    rows = [cr.grad(slope[i], x)[0] for i in range(4)]
    plain = lambda v: fn(v, jnp)
    np.testing.assert_allclose(value.item(), plain(POINT), rtol=1e-13)
    np.testing.assert_allclose(slope.numpy(), jax.grad(plain)(POINT), rtol=1e-11, atol=1e-13)
    hessian = np.array([row.numpy() for row in rows if row is not None])
    np.testing.assert_allclose(hessian, jax.hessian(plain)(POINT), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("fn", FUNCTIONS)
def test_hessian_vector_product(fn: Callable[..., Any]) -> None:
    direction = np.array([1.0, -2.0, 0.5, 3.0])
    x, _, slope = gradients(fn)
    (product,) = cr.grad(slope, x, grad_outputs=cr.tensor(direction))
    plain = lambda v: fn(v, jnp)
    expected = jax.jvp(jax.grad(plain), (POINT,), (direction,))[1]
    assert product is not None
    np.testing.assert_allclose(product.numpy(), expected, rtol=1e-10, atol=1e-12)


def test_third_derivative() -> None:
    fn = lambda v, lib: lib.sin(v) * lib.exp(v * v) / (v + 2.0)
    x = cr.tensor(np.array(0.7), requires_grad=True)
    found = fn(x, Ours())
    expected = lambda v: fn(v, jnp)
    for _ in range(3):
        (found,) = cr.grad(found, x, create_graph=True)
        expected = jax.grad(expected)
    np.testing.assert_allclose(found.item(), expected(0.7), rtol=1e-12)

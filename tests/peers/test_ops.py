"""Every op that names a PyTorch peer, against it: values, gradients, dtypes, special values."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.core.op import CALLS, OPS, Op, Pointwise
from chainrule.spec import Number, Spec, promote

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore::RuntimeWarning")]

PEERS = [op for op in OPS.values() if op.peer is not None and op.samples(np.random.default_rng(0))]
SAMPLES = [
    pytest.param(op, number, id=f"{op.name}-{number}")
    for op in PEERS
    for number in range(len(op.samples(np.random.default_rng(0))))
]
POINTWISE = [
    pytest.param(op, id=op.name)
    for op in PEERS
    if isinstance(op.lower, Pointwise) and op.name not in ("where", "cast")
]
TINY, HUGE = 1e-300, 1.7e308
SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 2.0, -2.5, 0.5, 3.0, HUGE, -HUGE, TINY]

# Where an op's value or gradient differs from PyTorch's on purpose: the inputs, and why.
STATED: dict[str, tuple[Any, str]] = {
    "sign": (np.isnan, "NumPy and the Array API: nan stays nan, PyTorch makes it 0"),
    "absolute": (np.isnan, "the slope is the sign: nan stays nan, PyTorch makes it 0"),
}
STATED_DTYPES = {
    ("sign", ("bool",)): "NumPy has no sign of truth values",
    ("square", ("bool",)): "bool times bool is bool, as in PyTorch's own product",
}


def run_ours(op: Op, xs: list[Any], settings: Any, seed: Any) -> tuple[Any, list[Any]]:
    cells = [cr.Cell(x, f"x{i}", x.dtype.kind == "f") for i, x in enumerate(xs)]
    out = CALLS[op.name](*cells, **settings)
    out = cr.as_tensor(out)  # an op without inputs gives an array
    if out.requires_grad:
        out.backward(gradient=seed(out.shape))
    return out.numpy(), [None if c.grad is None else c.grad.numpy() for c in cells]


def run_torch(op: Op, xs: list[Any], settings: Any, seed: Any) -> tuple[Any, list[Any]]:
    tensors = [torch.tensor(x, requires_grad=x.dtype.kind == "f") for x in xs]
    assert op.peer is not None
    out = op.peer(torch, *tensors, **settings)
    if out.requires_grad:
        out.backward(torch.tensor(seed(tuple(out.shape))))
    grads = [None if t.grad is None else t.grad.numpy() for t in tensors]
    return out.detach().numpy(), grads


def weights(shape: tuple[int, ...]) -> Any:
    return np.asarray(np.random.default_rng(5).uniform(0.5, 1.5, shape))


def same_gradient(ours: Any, theirs: Any, **tolerance: float) -> None:
    """An op without a rule gives None where PyTorch gives zeros."""
    if theirs is None:
        assert ours is None
    elif ours is None:
        assert not theirs.any()
    else:
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, **tolerance)


@pytest.mark.parametrize(("op", "number"), SAMPLES)
def test_values_and_gradients(op: Op, number: int) -> None:
    xs, settings = op.samples(np.random.default_rng(11))[number]
    arrays = [np.asarray(x) for x in xs]
    value, grads = run_ours(op, arrays, settings, weights)
    expected, expected_grads = run_torch(op, arrays, settings, weights)
    assert value.shape == expected.shape
    assert value.dtype == expected.dtype
    np.testing.assert_allclose(value, expected, rtol=1e-13, atol=1e-14)
    for ours, theirs in zip(grads, expected_grads, strict=True):
        same_gradient(ours, theirs, rtol=1e-12, atol=1e-13)


def special_inputs(op: Op) -> list[Any]:
    values = np.array(SPECIAL)
    if op.name.startswith("logical"):
        values = np.array([True, False])
    grid = itertools.product(values, repeat=len(op.inputs))
    return [np.array(column) for column in zip(*grid, strict=True)]


@pytest.mark.parametrize("op", POINTWISE)
def test_special_values_and_kinks(op: Op) -> None:
    """nan, infinities, both zeros, ties, the largest and the smallest, in every pairing."""
    xs = special_inputs(op)
    value, grads = run_ours(op, xs, {}, np.ones)
    expected, expected_grads = run_torch(op, xs, {}, np.ones)
    excused, _ = STATED.get(op.name, (lambda *xs: np.zeros(xs[0].shape, bool), ""))
    where = ~excused(*xs)
    np.testing.assert_allclose(value[where], expected[where], rtol=1e-13)
    for ours, theirs in zip(grads, expected_grads, strict=True):
        cut = [None if g is None else g[where] for g in (ours, theirs)]
        same_gradient(*cut, rtol=1e-12)


@pytest.mark.parametrize("name", sorted(STATED))
def test_stated_differences_are_still_there(name: str) -> None:
    """A difference that has gone must leave the list."""
    xs = special_inputs(OPS[name])
    at = STATED[name][0](*xs)
    value, grads = run_ours(OPS[name], xs, {}, np.ones)
    expected, expected_grads = run_torch(OPS[name], xs, {}, np.ones)
    ours, theirs = [value[at]], [expected[at]]
    for one, other in zip(grads, expected_grads, strict=True):
        if one is not None:
            ours.append(one[at])
            theirs.append(other[at])
    assert not np.array_equal(np.array(ours), np.array(theirs), equal_nan=True)


DTYPES = ["bool", "uint8", "int32", "int64", "float32", "float64"]


@pytest.mark.parametrize("op", POINTWISE)
def test_dtypes(op: Op) -> None:
    """Where PyTorch accepts the dtypes, the result is in the same dtype and equal."""
    tried = 0
    for kinds in itertools.product(DTYPES, repeat=len(op.inputs)):
        xs = [np.array([1, 0, 1]).astype(kind) for kind in kinds]
        try:
            assert op.peer is not None
            expected = op.peer(torch, *map(torch.tensor, xs)).numpy()
        except RuntimeError:
            continue
        if (op.name, kinds) in STATED_DTYPES:
            continue
        found = CALLS[op.name](*map(cr.from_numpy, xs)).numpy()
        assert found.dtype == expected.dtype, kinds
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        tried += 1
    assert tried


@pytest.mark.parametrize("name", ["sum", "max", "min", "argmax"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes_of_reductions(name: str, dtype: str) -> None:
    x = np.array([[3, 1, 2], [0, 5, 5]]).astype(dtype)
    ours = getattr(cr.tensor(x), name)(axis=1).numpy()
    theirs = {"max": "amax", "min": "amin"}.get(name, name)
    if (name, dtype) == ("argmax", "bool"):
        pytest.skip("PyTorch has no argmax of bools")
    expected = getattr(torch.tensor(x), theirs)(1).numpy()
    assert ours.dtype == expected.dtype
    np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize("name", ["amax", "amin"])
def test_ties_of_max_and_min(name: str) -> None:
    x = np.array([[1.0, 2.0, 2.0], [3.0, 3.0, 3.0], [-0.0, 0.0, -1.0]])
    cell = cr.Cell(x, "x", True)
    (cell.max(axis=1) if name == "amax" else cell.min(axis=1)).sum().backward()
    theirs = torch.tensor(x, requires_grad=True)
    getattr(torch, name)(theirs, 1).sum().backward()
    assert cell.grad is not None
    np.testing.assert_allclose(cell.grad.numpy(), theirs.grad.numpy())


@pytest.mark.parametrize("exponent", [-2, -1, -0.5, 0, 0.5, 1, 2, 3, 2.5])
def test_power_of_a_number(exponent: float) -> None:
    # Not at -0.0, where PyTorch takes square roots and powers by another road for 0.5 and -0.5.
    x = np.array([-2.0, 0.0, 0.5, 3.0, np.inf, np.nan])
    cell = cr.Cell(x, "x", True)
    theirs = torch.tensor(x, requires_grad=True)
    found, expected = cell**exponent, theirs**exponent
    np.testing.assert_allclose(found.numpy(), expected.detach().numpy())
    found.sum().backward()
    expected.sum().backward()
    assert cell.grad is not None
    np.testing.assert_allclose(cell.grad.numpy(), theirs.grad.numpy())


def operands() -> list[Any]:
    """Every dtype as an array, as a 0-d array and, where Python has it, as a number."""
    found: list[Any] = []
    for dtype in DTYPES:
        found += [np.ones(2, dtype), np.ones((), dtype)]
    return [*found, True, 2, 2.0]


@pytest.mark.parametrize("left", operands(), ids=repr)
@pytest.mark.parametrize("right", operands(), ids=repr)
def test_promotion(left: Any, right: Any) -> None:
    """promote(), and what add really gives in eager, against torch.result_type."""
    theirs = [x if isinstance(x, bool | int | float) else torch.tensor(x) for x in (left, right)]
    expected = str(torch.result_type(*theirs)).removeprefix("torch.")
    specs = [
        Number(x) if isinstance(x, bool | int | float) else Spec(x.shape, x.dtype)
        for x in (left, right)
    ]
    assert promote(*specs).name == expected
    if not all(isinstance(x, bool | int | float) for x in (left, right)):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            ours = [x if isinstance(x, bool | int | float) else cr.tensor(x) for x in (left, right)]
            assert (ours[0] + ours[1]).dtype.name == expected

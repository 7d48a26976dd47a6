"""Tensor's methods, by PyTorch's names, against PyTorch's."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.nn.against_torch import prove

import chainrule as cr

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.peers

X = np.random.default_rng(0).standard_normal((3, 1, 4))

METHODS: dict[str, Callable[[Any], Any]] = {
    "sum": lambda x: x.sum(),
    "mean": lambda x: x.mean(),
    "std": lambda x: x.std(correction=0),  # the default is the Array API's 0, PyTorch's is 1
    "max": lambda x: x.max(),
    "min": lambda x: x.min(),
    "argmax": lambda x: x.argmax(),
    "argmax of the last": lambda x: x.argmax(-1),
    "reshape": lambda x: x.reshape(2, -1),
    "view": lambda x: x.view(6, 2),
    "flatten": lambda x: x.flatten(),
    "flatten from the second": lambda x: x.flatten(1),
    "unsqueeze": lambda x: x.unsqueeze(-1),
    "squeeze": lambda x: x.squeeze(),
    "squeeze of an axis longer than 1": lambda x: x.squeeze(0),
    "permute": lambda x: x.permute(2, 0, 1),
    "transpose": lambda x: x.transpose(0, -1),
    "pow": lambda x: x.pow(2),
    "reversed division": lambda x: 1 / x,
    "reversed power": lambda x: 2.0**x,
    "reversed difference": lambda x: 1 - x,
    "relu": lambda x: x.relu(),
    "matmul": lambda x: x @ x.transpose(1, 2),
    "comparison": lambda x: x > 0.5,
    "joined": lambda x: (x > 0) & (x < 1) | ~(x == x),
    "long": lambda x: x.long(),
    "float": lambda x: x.float(),
    "abs": lambda x: abs(-x),
    "mask": lambda x: x[x > 0],
    "rows": lambda x: x[[2, 0, -1]],
    "sum by dim": lambda x: x.sum(dim=(0, 2), keepdim=True),
    "mean by dim": lambda x: x.mean(dim=-1),
    "variance by dim": lambda x: x.var(dim=0, correction=0, keepdim=True),
    "deviation by dim": lambda x: x.std(dim=2, correction=1),
    "argmax by dim": lambda x: x.argmax(dim=2, keepdim=True),
    "argmin": lambda x: x.argmin(dim=-1),
    "amax": lambda x: x.amax(dim=(0, 1)),
    "amin": lambda x: x.amin(0, keepdim=True),
    "norm": lambda x: x.norm(dim=-1, keepdim=True),
    "norm of absolutes": lambda x: x.norm(p=1),
    "all": lambda x: (x < 1).all(dim=-1),
    "any": lambda x: (x > 1).any(),
    "softmax": lambda x: x.softmax(-1),
    "softmax by dim": lambda x: x.softmax(dim=0),
    "log-softmax": lambda x: x.log_softmax(dim=-1),
    "log of sums": lambda x: x.logsumexp(dim=2, keepdim=True),
    "clamp": lambda x: x.clamp(min=-0.5, max=0.5),
    "clip": lambda x: x.clip(-0.1),
    "nan": lambda x: (x * math.nan).isnan(),
    "finite": lambda x: (x * math.inf).isfinite(),
    "masked": lambda x: x.masked_fill(x > 0, -math.inf).exp(),
    "reciprocal": lambda x: x.reciprocal(),
    "reciprocal root": lambda x: x.abs().rsqrt(),
    "pointwise": lambda x: x.sign() * x.abs().log1p() + x.expm1().neg() + x.erf() + x.floor(),
    "pairs": lambda x: x.maximum(x[0]).minimum(-x).logaddexp(x),
    "named comparison": lambda x: x.gt(0) | x.le(-1) | x.eq(x[0]) | x.ne(x),
    "view as": lambda x: x.view_as(x.transpose(0, 2)),
    "clone": lambda x: x.clone() * 2,
    "expand": lambda x: x.expand(2, -1, 5, 4),
    "expand as": lambda x: x[:1].expand_as(x),
    "repeat": lambda x: x.repeat(2, 1, 2, 3),
    "flip": lambda x: x.flip(0, -1),
    "split": lambda x: x.split(3, dim=2)[1] + x.split([1, 3], -1)[0],
    "chunk": lambda x: x.chunk(3, dim=-1)[1] * x.chunk(9)[2][..., :2],
    "unbind": lambda x: x.unbind(2)[3],
    "gather": lambda x: x.gather(2, x.argmin(dim=2, keepdim=True)),
    "gather of rows": lambda x: x.gather(0, (x[:2] > 0).long() * 2),
    "select": lambda x: x.index_select(2, x[:, 0, 0].argmax().reshape(1)),
    "lower": lambda x: x[:, 0].tril(),
    "upper": lambda x: x.expand(3, 5, 4).triu(-1),
    "turned": lambda x: x[:, 0].t() + x[:, 0].T + x.mT[:, :, 0].T,
    "swapped": lambda x: x.swapaxes(0, 1),
    "squeeze of several": lambda x: x.squeeze((0, 1)),
    "products": lambda x: x.bmm(x.mT) + x.matmul(x.mT) + x[0].mm(x[0].t()) + x[0, 0].dot(x[1, 0]),
    "kinds": lambda x: x.bool().int() + x.contiguous().cpu().to("cpu").numel() + x.dim(),
}


@pytest.mark.parametrize("name", METHODS)
def test_method(name: str) -> None:
    ours, theirs = METHODS[name](cr.tensor(X)), METHODS[name](torch.tensor(X))
    assert ours.dtype == theirs.numpy().dtype
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-12)
    if ours.dtype == np.float64 and name != "mask":  # of a size that depends on the numbers
        prove(METHODS[name], METHODS[name], [X], order=1)


@pytest.mark.parametrize("correction", [0, 1, 2, 3])
@pytest.mark.filterwarnings("ignore:(var|std).*degrees:UserWarning")
def test_variance(correction: int) -> None:
    """Down to fewer elements than the correction takes away."""
    x = X[:2, 0]
    for name in ("var", "std"):
        ours = getattr(cr.tensor(x), name)(axis=0, correction=correction)
        theirs = getattr(torch.tensor(x), name)(0, correction=correction)
        if correction < 2:
            np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-12)
        else:
            assert all(math.isnan(v) for v in ours.tolist())


@pytest.mark.parametrize(
    "key",
    [
        (slice(None), 0, [1, 3]),
        ([0, 2], 0, [1, 3]),
        ([0, 2], slice(None), [1, 3]),
        (..., [[0], [1]]),
        (None, 1),
        (np.array([0, 1, 1]), 0),
    ],
    ids=str,
)
def test_gradient_of_indexing(key: Any) -> None:
    cell, other = cr.Cell(X, "x", True), torch.tensor(X, requires_grad=True)
    found, expected = cell[key], other[key]
    assert found.shape == tuple(expected.shape)
    (found * found).sum().backward()
    (expected * expected).sum().backward()
    assert cell.grad is not None
    np.testing.assert_allclose(cell.grad.numpy(), other.grad.numpy())


def test_gradients_add_up_across_calls() -> None:
    w, v = cr.tensor([1.0, 2.0], requires_grad=True), torch.tensor([1.0, 2.0], requires_grad=True)
    for k in (1.0, 3.0):
        (w * w * k).sum().backward()
        (v * v * k).sum().backward()
    assert w.grad is not None
    assert w.grad.tolist() == v.grad.tolist()
    w.grad.zero_()
    v.grad.zero_()
    (w * 2).sum().backward()
    (v * 2).sum().backward()
    assert w.grad.tolist() == v.grad.tolist()
    with cr.no_grad(), torch.no_grad():
        w -= 0.5 * w.grad
        v -= 0.5 * v.grad
    assert w.tolist() == v.tolist()


def test_zero_d_cells_of_float64_do_not_widen_arrays() -> None:
    rate, x = cr.tensor(2.0, "float64", requires_grad=True), cr.tensor([1.0, 3.0])
    other = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    found, expected = rate * x, other * torch.tensor([1.0, 3.0])
    assert found.dtype.name == str(expected.dtype).removeprefix("torch.") == "float32"
    found.sum().backward()
    expected.sum().backward()
    assert rate.grad is not None
    assert rate.grad.dtype == np.float64
    assert rate.grad.item() == other.grad.item()

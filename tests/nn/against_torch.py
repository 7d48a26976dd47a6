"""The same computation in PyTorch, and the comparison with it. Imported only by tests of peers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from tests.nn.steps import assert_same, run, weighting


def torch_run(
    fn: Callable[..., Any], arrays: Sequence[Any], order: int, parameters: Sequence[Any] = ()
) -> list[Any]:
    """As `steps.run`, in PyTorch."""
    torch = pytest.importorskip("torch")
    leaves = [torch.tensor(a, requires_grad=np.asarray(a).dtype.kind == "f") for a in arrays]
    wrt = [leaf for leaf in [*leaves, *parameters] if leaf.requires_grad]
    out = _joined(torch, fn(*leaves))
    found = [out.detach().numpy()]
    roots = [out] if out.requires_grad else []
    for level in range(order):
        if not roots:  # linear: nothing further depends on anything
            break
        total = sum((r * torch.tensor(weighting(tuple(r.shape)))).sum() for r in roots)
        slopes = torch.autograd.grad(total, wrt, create_graph=level + 1 < order, allow_unused=True)
        found += [None if g is None else g.detach().numpy() for g in slopes]
        roots = [g for g in slopes if g is not None and g.requires_grad]
    return found


def _joined(torch: Any, out: Any) -> Any:
    """As `steps.joined`, in PyTorch."""
    if isinstance(out, torch.Tensor):
        return out
    return torch.cat([_joined(torch, part).reshape(-1) for part in out if part is not None])


def agree(got: list[Any], expected: list[Any]) -> None:
    """Equal to 1e-10; where one of the two knows that nothing leads there, the other may say 0."""
    size = max(len(got), len(expected))
    got = [*got, *[None] * (size - len(got))]
    expected = [*expected, *[None] * (size - len(expected))]
    assert_same(_zeros_for_none(got, expected), _zeros_for_none(expected, got), 1e-10)


def _zeros_for_none(found: list[Any], other: list[Any]) -> list[Any]:
    return [
        np.zeros_like(o) if f is None and o is not None else f
        for f, o in zip(found, other, strict=True)
    ]


def prove(
    mine: Callable[..., Any], theirs: Callable[..., Any], arrays: Sequence[Any], order: int = 2
) -> None:
    """Values and derivatives agree, eager, and recorded and interpreted."""
    expected = torch_run(theirs, arrays, order)
    agree(run(mine, arrays, order=order), expected)
    agree(run(mine, arrays, order=order, recorded=True), expected)

"""Pooling against torch.nn.functional in float64: values, gradients and second derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.nn.against_torch import prove

import chainrule as cr
from chainrule import functional as F

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.peers
ANY = settings(deadline=None, max_examples=60)


@st.composite
def cases(draw: Any, dilated: bool) -> tuple[Any, list[Any], dict[str, Any]]:
    """An input with or without ties, the window's numbers, and whether to round up."""
    axes = draw(st.integers(1, 2))

    def each(numbers: Any) -> list[int]:
        return [draw(numbers) for _ in range(axes)]

    window, stride = each(st.integers(1, 4)), each(st.integers(1, 4))
    dilation = each(st.integers(1, 2)) if dilated else [1] * axes
    spans = [d * (k - 1) + 1 for k, d in zip(window, dilation, strict=True)]
    padding = [draw(st.integers(0, k // 2)) for k in window]
    more = each(st.integers(1, 5))
    space = [max(s - 2 * p, 1) + n for s, p, n in zip(spans, padding, more, strict=True)]
    lead = [2, 2] if draw(st.booleans()) else [3]
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    x = rng.standard_normal((*lead, *space))
    if draw(st.booleans()):
        x = np.round(x)  # ties
    numbers = [window, draw(st.sampled_from([None, stride])), padding]
    return x, [*numbers, dilation] if dilated else numbers, {"ceil_mode": draw(st.booleans())}


@ANY
@given(cases(dilated=True))
def test_max_pool(case: Any) -> None:
    x, numbers, options = case
    name = f"max_pool{len(numbers[0])}d"
    prove(
        lambda x: cr.square(getattr(F, name)(x, *numbers, **options)),
        lambda x: torch.square(getattr(torch.nn.functional, name)(x, *numbers, **options)),
        [x],
    )


@ANY
@given(cases(dilated=False), st.booleans(), st.sampled_from([None, None, 3]))
def test_avg_pool(case: Any, with_padding: bool, divisor: int | None) -> None:
    x, numbers, options = case
    name = f"avg_pool{len(numbers[0])}d"
    options["count_include_pad"] = with_padding
    if name == "avg_pool2d":
        options["divisor_override"] = divisor
    prove(
        lambda x: cr.square(getattr(F, name)(x, *numbers, **options)),
        lambda x: torch.square(getattr(torch.nn.functional, name)(x, *numbers, **options)),
        [x],
    )


@pytest.mark.parametrize("size", [1, 2, 3, 5, (2, 4), (None, 3), (7, None)])
@pytest.mark.parametrize("lead", [(2, 3), (3,)])
def test_adaptive_avg_pool(size: Any, lead: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).standard_normal((*lead, 6, 8))
    prove(
        lambda x: cr.square(F.adaptive_avg_pool2d(x, size)),
        lambda x: torch.square(torch.nn.functional.adaptive_avg_pool2d(x, size)),
        [x],
    )


@pytest.mark.parametrize("window", [2, 3])
def test_nan_and_infinity(window: int) -> None:
    """nan wins, the last of them takes the gradient; windows of nothing but -inf have a winner."""
    rng = np.random.default_rng(1)
    x = rng.choice([np.nan, -np.inf, np.inf, 0.0, 1.0], (2, 3, 6, 6), p=[0.2, 0.4, 0.1, 0.2, 0.1])
    ours, theirs = cr.Cell(x, "x", True), torch.tensor(x, requires_grad=True)
    out = F.max_pool2d(ours, window, 2, 1)
    expected = torch.nn.functional.max_pool2d(theirs, window, 2, 1)
    np.testing.assert_array_equal(out.numpy(), expected.detach().numpy())
    out.backward(gradient=np.ones(out.shape))
    expected.backward(torch.ones_like(expected))
    assert ours.grad is not None
    np.testing.assert_array_equal(ours.grad.numpy(), theirs.grad.numpy())


@pytest.mark.parametrize("dtype", ["int32", "int64", "float32"])
def test_dtypes(dtype: str) -> None:
    x = np.random.default_rng(2).integers(-9, -1, (1, 2, 5, 5)).astype(dtype)
    ours = F.max_pool2d(cr.tensor(x), 3, 2, 1).numpy()
    expected = torch.nn.functional.max_pool2d(torch.tensor(x), 3, 2, 1).numpy()
    assert ours.dtype == expected.dtype
    np.testing.assert_array_equal(ours, expected)

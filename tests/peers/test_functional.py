"""The composites that no layer stands for, against torch.nn.functional in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.nn.against_torch import agree, prove, torch_run
from tests.nn.steps import assert_close, run

import chainrule as cr
from chainrule import functional as F

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.peers
ANY = settings(deadline=None, max_examples=30)


@ANY
@given(
    axes=st.integers(1, 2),
    batch=st.integers(1, 2),
    groups=st.integers(1, 2),
    channels=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    data=st.data(),
)
def test_convolutions(
    axes: int, batch: int, groups: int, channels: tuple[int, int], data: Any
) -> None:
    def numbers(low: int, high: int) -> list[int]:
        return data.draw(st.lists(st.integers(low, high), min_size=axes, max_size=axes))

    window, stride, padding, dilation = numbers(1, 3), numbers(1, 3), numbers(0, 2), numbers(1, 2)
    space = [d * (k - 1) + n for d, k, n in zip(dilation, window, numbers(1, 4), strict=True)]
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    x = rng.standard_normal((batch, groups * channels[0], *space))
    w = rng.standard_normal((groups * channels[1], channels[0], *window))
    b = rng.standard_normal(groups * channels[1])
    name = f"conv{axes}d"
    options = [tuple(stride), tuple(padding), tuple(dilation), groups]
    prove(
        lambda x, w, b: getattr(F, name)(x, w, b, *options),
        lambda x, w, b: getattr(torch.nn.functional, name)(x, w, b, *options),
        [x, w, b],
    )


@pytest.mark.parametrize("window", [(3, 3), (2, 4), (1, 5)])
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_padding_by_name_without_a_batch(window: tuple[int, int], padding: str) -> None:
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 9, 8)), rng.standard_normal((3, 2, *window))
    prove(
        lambda x, w: F.conv2d(x, w, padding=padding, dilation=2 if padding == "same" else 1),
        lambda x, w: torch.nn.functional.conv2d(
            x, w, padding=padding, dilation=2 if padding == "same" else 1
        ),
        [x, w],
    )


def attention_arrays(*lead: int) -> list[Any]:
    rng = np.random.default_rng(1)
    shapes = [(*lead, 4, 3), (*lead, 5, 3), (*lead, 5, 2)]
    return [rng.standard_normal(shape) for shape in shapes]


@pytest.mark.parametrize("lead", [(), (2,), (2, 3)])
@pytest.mark.parametrize("kind", ["none", "causal", "bool", "float", "scale"])
def test_attention(lead: tuple[int, ...], kind: str) -> None:
    rng = np.random.default_rng(2)
    masks = {"bool": rng.random((4, 5)) > 0.4, "float": rng.standard_normal((4, 5))}
    if kind == "bool":
        masks["bool"][1] = False  # a query that may look nowhere
    mask = masks.get(kind)
    options = {"is_causal": kind == "causal", "scale": 0.3 if kind == "scale" else None}

    def mine(q: Any, k: Any, v: Any) -> Any:
        return F.scaled_dot_product_attention(
            q, k, v, None if mask is None else cr.tensor(mask), **options
        )

    def theirs(q: Any, k: Any, v: Any) -> Any:
        return torch.nn.functional.scaled_dot_product_attention(
            q, k, v, None if mask is None else torch.tensor(mask), **options
        )

    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        prove(mine, theirs, attention_arrays(*lead))


@ANY
@given(
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=3), data=st.data(), keep=st.booleans()
)
def test_logsumexp(shape: list[int], data: Any, keep: bool) -> None:
    axes = data.draw(
        st.lists(st.integers(0, len(shape) - 1), min_size=1, max_size=len(shape), unique=True)
    )
    array = np.random.default_rng(0).standard_normal(shape) * 100
    prove(
        lambda x: F.logsumexp(x, dim=axes, keepdim=keep),
        lambda x: torch.logsumexp(x, dim=axes, keepdim=keep),
        [array],
    )


def test_logsumexp_of_infinities() -> None:
    array = np.array([[-np.inf, -np.inf], [-np.inf, 3.0], [np.inf, 1.0], [1e308, 1e308]])
    with np.errstate(all="ignore"):
        got = F.logsumexp(cr.tensor(array), 1).numpy()
    assert_close(got, torch.logsumexp(torch.tensor(array), 1).numpy())
    np.testing.assert_array_equal(got, torch.logsumexp(torch.tensor(array), 1).numpy())


@pytest.mark.parametrize("count", [-1, 5, 9])
def test_one_hot(count: int) -> None:
    index = np.array([[0, 4], [2, 2]])
    expected = torch.nn.functional.one_hot(torch.tensor(index), count)
    got = F.one_hot(cr.tensor(index), count)
    assert str(expected.dtype) == f"torch.{got.dtype}"
    np.testing.assert_array_equal(got.numpy(), expected.numpy())


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("momentum", [0.1, 1.0, 0.0])
@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 5), (2, 3, 2, 2)])
def test_batch_norm_as_a_function(training: bool, momentum: float, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape), rng.standard_normal(3), rng.standard_normal(3)]
    mean, var = rng.standard_normal(3), rng.random(3)
    mine = [cr.Buffer(mean), cr.Buffer(var)]
    theirs = [torch.tensor(mean), torch.tensor(var)]
    got = run(
        lambda x, w, b: F.batch_norm(x, *mine, w, b, training, momentum, 1e-3), arrays, order=2
    )
    expected = torch_run(
        lambda x, w, b: torch.nn.functional.batch_norm(x, *theirs, w, b, training, momentum, 1e-3),
        arrays,
        2,
    )
    agree(got, expected)
    for a, b in zip(mine, theirs, strict=True):
        assert_close(a.numpy(), b.numpy())

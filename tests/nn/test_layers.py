"""What single layers do beyond their formula: modes, running statistics, first values, text."""

from __future__ import annotations

import math

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.core.interpret import interpret
from chainrule.core.record import record
from chainrule.errors import SettingError, ShapeError
from chainrule.spec import F32, Spec

TEXTS = [
    (nn.Linear(2, 1), "Linear(in_features=2, out_features=1, bias=True)"),
    (nn.Linear(2, 1, bias=False), "Linear(in_features=2, out_features=1, bias=False)"),
    (nn.LayerNorm(4), "LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)"),
    (nn.Embedding(3, 2), "Embedding(3, 2)"),
    (nn.Embedding(3, 2, padding_idx=-1), "Embedding(3, 2, padding_idx=2)"),
    (nn.Dropout(), "Dropout(p=0.5, inplace=False)"),
    (nn.LeakyReLU(), "LeakyReLU(negative_slope=0.01)"),
    (nn.GELU(), "GELU(approximate='none')"),
    (nn.Softplus(), "Softplus(beta=1.0, threshold=20.0)"),
    (nn.Softmax(dim=1), "Softmax(dim=1)"),
    (nn.Flatten(), "Flatten(start_dim=1, end_dim=-1)"),
    (nn.ReLU(inplace=True), "ReLU(inplace=True)"),
    (nn.CrossEntropyLoss(), "CrossEntropyLoss()"),
    (nn.ModuleList([nn.ReLU(), nn.ReLU()]), "ModuleList(\n  (0-1): 2 x ReLU()\n)"),
]


@pytest.mark.parametrize(("layer", "text"), TEXTS)
def test_text(layer: nn.Module, text: str) -> None:
    assert repr(layer) == text


# -- dropout


def test_dropout_keeps_the_mean_and_drops_the_share() -> None:
    out = nn.Dropout(0.3)(cr.tensor(np.ones((200, 500), "float32"))).numpy()
    share = (out == 0).mean()
    deviation = math.sqrt(0.3 * 0.7 / out.size)
    assert abs(share - 0.3) < 5 * deviation
    assert set(np.unique(out)) == {np.float32(0.0), np.float32(1.0) * np.float32(1 / 0.7)}


def test_dropout_in_evaluation_is_the_input_itself() -> None:
    x = cr.tensor([1.0, 2.0])
    assert nn.Dropout(0.9).eval()(x) is x


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_dropout_of_no_probability(p: float) -> None:
    with pytest.raises(SettingError, match="probability"):
        nn.Dropout(p)
    with pytest.raises(SettingError, match="probability"):
        nn.functional.dropout(cr.tensor([1.0]), p)


def test_a_recorded_dropout_draws_anew_each_time_as_eager_does() -> None:
    layer, ones = nn.Dropout(0.5), np.ones(64, "float32")
    program, _ = record(lambda x: (layer(x),), [Spec((64,), F32)])
    cr.manual_seed(4)
    eager = [layer(cr.tensor(ones)).tolist() for _ in range(3)]
    cr.manual_seed(4)
    assert [interpret(program, [ones])[0].tolist() for _ in range(3)] == eager
    assert eager[0] != eager[1] != eager[2]


# -- batch norm


def test_running_statistics_after_three_batches() -> None:
    batches = np.random.default_rng(0).standard_normal((3, 8, 2))
    layer = nn.BatchNorm1d(2, momentum=0.1, dtype="float64")
    mean, var = np.zeros(2), np.ones(2)
    for batch in batches:
        layer(cr.tensor(batch))
        mean = 0.9 * mean + 0.1 * batch.mean(0)
        var = 0.9 * var + 0.1 * batch.var(0, ddof=1)
    np.testing.assert_allclose(layer.running_mean.numpy(), mean, rtol=1e-14)
    np.testing.assert_allclose(layer.running_var.numpy(), var, rtol=1e-14)
    assert layer.num_batches_tracked.item() == 3


def test_without_momentum_it_is_the_average_of_the_batches_recorded_too() -> None:
    batches = np.random.default_rng(0).standard_normal((5, 8, 2))
    layer = nn.BatchNorm1d(2, momentum=None, dtype="float64")
    program, _ = record(lambda x: (layer(x),), [Spec((8, 2), np.dtype("float64"))])
    for number, batch in enumerate(batches):
        if number % 2:
            layer(cr.tensor(batch))
        else:
            interpret(program, [batch])
    np.testing.assert_allclose(layer.running_mean.numpy(), batches.mean((0, 1)), rtol=1e-12)
    assert layer.num_batches_tracked.item() == 5


def test_evaluation_uses_the_running_statistics_and_leaves_them() -> None:
    layer = nn.BatchNorm1d(1, eps=0.0).eval()
    layer.running_mean.assign([3.0])
    layer.running_var.assign([4.0])
    assert layer(cr.tensor([[5.0], [3.0]])).tolist() == [[1.0], [0.0]]
    assert layer.running_mean.tolist() == [3.0]
    assert layer.num_batches_tracked.item() == 0


def test_running_statistics_carry_no_history() -> None:
    layer = nn.BatchNorm1d(1)
    x = cr.tensor([[1.0], [2.0]], requires_grad=True)
    layer(x)
    assert not layer.running_mean.requires_grad
    assert not layer.running_var.requires_grad


# -- embedding


def test_repeated_rows_add_their_gradients_and_padding_gets_none() -> None:
    layer = nn.Embedding(4, 1, padding_idx=2)
    assert layer.weight.numpy()[2] == 0.0
    layer(cr.tensor([1, 1, 2, 3])).sum().backward()
    assert layer.weight.grad.tolist() == [[0.0], [2.0], [0.0], [1.0]]


def test_embedding_wants_integers() -> None:
    with pytest.raises(ShapeError, match="integer indices"):
        nn.Embedding(4, 1)(cr.tensor([1.0]))
    with pytest.raises(SettingError, match="padding_idx"):
        nn.Embedding(4, 1, padding_idx=4)


# -- first values


def test_linear_starts_within_its_bounds() -> None:
    layer = nn.Linear(100, 400)
    for values in (layer.weight.numpy(), layer.bias.numpy()):
        assert np.abs(values).max() <= 0.1
        assert np.abs(values).max() > 0.095
        deviation = 0.1 / math.sqrt(3)
        assert abs(values.std() - deviation) < 6 * deviation / math.sqrt(values.size)


def test_a_seed_fixes_the_first_values() -> None:
    cr.manual_seed(1)
    first = nn.Linear(3, 2).state_dict()
    cr.manual_seed(1)
    second = nn.Linear(3, 2).state_dict()
    third = nn.Linear(3, 2).state_dict()
    assert first["weight"].tolist() == second["weight"].tolist()
    assert second["weight"].tolist() != third["weight"].tolist()


@pytest.mark.parametrize("layer", [nn.Linear, nn.Embedding])
def test_dtype_of_the_parameters(layer: type[nn.Module]) -> None:
    assert {p.dtype for p in layer(3, 2).parameters()} == {np.dtype("float32")}  # type: ignore[call-arg]
    wide = layer(3, 2, dtype="float64")  # type: ignore[call-arg]
    assert {p.dtype for p in wide.parameters()} == {np.dtype("float64")}
    with pytest.raises(SettingError, match="floating-point"):
        layer(3, 2, dtype="int64")  # type: ignore[call-arg]

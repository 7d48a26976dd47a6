"""One parameter under two names, modules by name, and masked losses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import functional as F
from chainrule import nn
from chainrule.errors import IndexRangeError, SettingError, ShapeError


class Tied(nn.Module):
    def __init__(self) -> None:
        self.embed = nn.Embedding(5, 3)
        self.head = nn.Linear(3, 5, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, text: cr.Tensor) -> cr.Tensor:
        return self.head(self.embed(text))  # type: ignore[no-any-return]


@pytest.mark.parametrize("backend", ["eager", "interpret", "native"])
def test_a_tied_weight_is_one_parameter_with_two_gradients(backend: Any) -> None:
    model, text = Tied(), cr.tensor([[0, 2, 2]])
    assert [name for name, _ in model.named_parameters()] == ["embed.weight"]
    assert list(model.state_dict()) == ["embed.weight", "head.weight"]
    optimizer = cr.optim.SGD(model.parameters(), lr=1.0)

    def step(text: cr.Tensor) -> None:
        optimizer.zero_grad()
        model(text).sum().backward()
        optimizer.step()

    w = model.embed.weight.numpy().copy()
    (step if backend == "eager" else cr.compile(step, backend))(text)
    counts = np.array([1, 0, 2, 0, 0])
    expected = w - (np.outer(counts, w.sum(0)) + (counts[:, None] * w).sum(0))
    np.testing.assert_allclose(model.embed.weight.numpy(), expected, rtol=1e-5, atol=1e-5)
    assert model.head.weight is model.embed.weight
    other = Tied()
    other.load_state_dict(model.state_dict())
    assert other.head.weight.tolist() == model.embed.weight.tolist()


def test_a_dict_of_modules_is_a_dict() -> None:
    modules = nn.ModuleDict({"a": nn.Linear(1, 2), "b": nn.ReLU()})
    modules["c"] = nn.Tanh()
    modules.update([("b", nn.GELU())])
    assert list(modules) == list(modules.keys()) == ["a", "b", "c"]
    assert "a" in modules
    assert len(modules) == 3
    assert [repr(m) for m in modules.values()] == [repr(m) for _, m in modules.items()]
    assert repr(modules["b"]) == "GELU(approximate='none')"
    assert list(modules.state_dict()) == ["a.weight", "a.bias"]
    assert repr(modules.pop("c")) == "Tanh()"
    del modules["b"]
    modules.clear()
    assert not len(modules)
    for wrong in ({"train": nn.ReLU()}, {"x": 3}):
        with pytest.raises(SettingError):
            nn.ModuleDict(wrong)  # type: ignore[arg-type]


def test_an_error_in_a_dict_says_where() -> None:
    class Heads(nn.Module):
        def __init__(self) -> None:
            self.heads = nn.ModuleDict({"age": nn.Linear(3, 1)})

        def forward(self, x: cr.Tensor) -> Any:
            return self.heads["age"](x)

    with pytest.raises(ShapeError, match=r"in heads\.age: Linear"):
        Heads()(cr.zeros(2, 4))


def test_a_masked_loss_is_that_of_the_real_steps() -> None:
    rng = np.random.default_rng(0)
    scores, target = rng.standard_normal((3, 4, 5)), rng.integers(0, 4, (3, 5))
    lengths = np.array([5, 2, 0])
    x = cr.Cell(scores, "x", True)
    mask = F.sequence_mask(cr.tensor(lengths), 5)
    each = F.cross_entropy(x, cr.tensor(target), reduction="none")
    loss = F.masked_mean(each, mask)
    ignored = np.where(np.arange(5) < lengths[:, None], target, -100)
    same = F.cross_entropy(cr.tensor(scores), cr.tensor(ignored))
    assert loss.item() == pytest.approx(same.item(), rel=1e-12)
    loss.backward()
    assert not x.grad.numpy()[1, :, 2:].any()
    assert not x.grad.numpy()[2].any()


def test_what_is_masked_may_be_anything() -> None:
    x = cr.Cell(np.array([[1.0, np.nan], [np.inf, 3.0]]), "x", True)
    mask = cr.tensor(np.array([[True, False], [False, True]]))
    loss = F.masked_mean(x, mask)
    loss.backward()
    assert loss.item() == 2.0
    assert x.grad.tolist() == [[0.5, 0.0], [0.0, 0.5]]


def test_masks_and_lengths_that_do_not_fit() -> None:
    with pytest.raises(IndexRangeError, match="beyond its sequence"):
        F.sequence_mask(cr.tensor([1, 4]), 3)
    with pytest.raises(ShapeError, match="a length for each"):
        F.sequence_mask(cr.tensor([1.0]), 3)
    with pytest.raises(ShapeError, match="whether it counts"):
        F.masked_mean(cr.zeros(2, 3), cr.zeros(2, 3))
    with pytest.raises(ShapeError, match="batch_first"):
        nn.LSTM(2, 3)(cr.zeros(4, 5, 2), lengths=cr.tensor([1, 2, 3, 4]))


@pytest.mark.parametrize(
    ("layer", "shape"), [(nn.Dropout1d, (8, 50, 7)), (nn.Dropout2d, (8, 50, 3, 4))]
)
def test_whole_channels_are_dropped(layer: Any, shape: tuple[int, ...]) -> None:
    cr.manual_seed(0)
    out = layer(0.25)(cr.ones(*shape)).numpy().reshape(400, -1)
    assert ((out == out[:, :1]).all(axis=1)).all()
    assert set(np.unique(out)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs((out[:, 0] == 0).mean() - 0.25) < 0.1


def test_settings_that_make_no_layer() -> None:
    for make in (
        lambda: nn.Conv2d(3, 4, 3, groups=2),
        lambda: nn.Conv2d(3, 4, 3, padding_mode="reflect"),
        lambda: nn.ConvTranspose1d(2, 2, 3, output_padding=1)(cr.zeros(1, 2, 3)),
        lambda: nn.Conv1d(2, 2, 3, padding="same", stride=2)(cr.zeros(1, 2, 3)),
        lambda: nn.GroupNorm(2, 3),
        lambda: nn.RNN(2, 3, nonlinearity="selu"),
        lambda: nn.LSTM(0, 3),
        lambda: nn.GRU(2, 3, dropout=2.0),
        lambda: nn.MultiheadAttention(4, 3),
        lambda: nn.TransformerEncoderLayer(4, 2, activation="gelo"),
        lambda: nn.EmbeddingBag(4, 2, mode="avg"),
        lambda: nn.EmbeddingBag(4, 2)(cr.tensor([1, 2]), cr.tensor([1])),
        lambda: nn.SinusoidalPositions(3),
    ):
        with pytest.raises(SettingError):
            make()

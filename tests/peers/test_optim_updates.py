"""Optimizers against PyTorch's: 100 steps in float64, eager and recorded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.optim.problem import CHOICES, NAMES, arrays, batch, cells, step_of

import chainrule as cr
from chainrule import optim
from chainrule.nn.utils import clip_grad_norm_, clip_grad_value_

pytestmark = pytest.mark.peers
torch = pytest.importorskip("torch")

STEPS = 100


class Pair:
    """The same weights, data and optimizer here and in PyTorch."""

    def __init__(self, kind: type[optim.Optimizer], options: dict[str, Any], dtype: str) -> None:
        self.ours = cells(dtype)
        found = arrays(dtype)
        self.theirs = [torch.nn.Parameter(torch.tensor(found[w.name])) for w in self.ours]
        self.optimizers = (
            kind(self.ours, **options),
            getattr(torch.optim, kind.__name__)(self.theirs, **options),
        )
        self.batches = batch(dtype), (torch.tensor(found["x"]), torch.tensor(found["y"]))

    def steps(self, between: tuple[Any, Any], recorded: bool) -> tuple[Any, Any]:
        """The two training steps; `between` runs after each backward."""
        ours = step_of(self.ours, self.optimizers[0], between[0])
        return (
            cr.compile(ours) if recorded else ours,
            step_of(self.theirs, self.optimizers[1], between[1]),
        )

    def run(
        self, recorded: bool, count: int = STEPS, between: Any = (lambda: None, lambda: None)
    ) -> None:
        step, peer = self.steps(between, recorded)
        for _ in range(count):
            step(*self.batches[0])
            peer(*self.batches[1])

    def agree(self, rtol: float) -> None:
        for mine, other in zip(self.ours, self.theirs, strict=True):
            np.testing.assert_allclose(
                mine.numpy(), other.detach().numpy(), rtol=rtol, atol=rtol, err_msg=mine.name
            )


@pytest.mark.parametrize("recorded", [False, True], ids=["eager", "recorded"])
@pytest.mark.parametrize(("kind", "options"), CHOICES, ids=NAMES)
def test_hundred_steps(
    kind: type[optim.Optimizer], options: dict[str, Any], recorded: bool
) -> None:
    pair = Pair(kind, options, "float64")
    pair.run(recorded)
    pair.agree(1e-9)


@pytest.mark.parametrize(("kind", "options"), CHOICES, ids=NAMES)
def test_in_float32(kind: type[optim.Optimizer], options: dict[str, Any]) -> None:
    pair = Pair(kind, options, "float32")
    pair.run(recorded=False, count=10)
    pair.agree(1e-4 if kind is optim.RMSprop else 1e-5)  # centered: a difference of near-equals


@pytest.mark.parametrize("recorded", [False, True], ids=["eager", "recorded"])
def test_clipping_weight_decay_and_adam_in_one_step(recorded: bool) -> None:
    pair = Pair(optim.Adam, {"lr": 0.02, "weight_decay": 0.1}, "float64")
    between = (
        lambda: clip_grad_norm_(pair.ours, 0.5),
        lambda: torch.nn.utils.clip_grad_norm_(pair.theirs, 0.5),
    )
    pair.run(recorded, between=between)
    pair.agree(1e-9)


@pytest.mark.parametrize("recorded", [False, True], ids=["eager", "recorded"])
def test_clipping_by_value(recorded: bool) -> None:
    pair = Pair(optim.SGD, {"lr": 0.1, "momentum": 0.9}, "float64")
    between = (
        lambda: clip_grad_value_(pair.ours, 0.1),
        lambda: torch.nn.utils.clip_grad_value_(pair.theirs, 0.1),
    )
    pair.run(recorded, between=between)
    pair.agree(1e-9)


@pytest.mark.parametrize("recorded", [False, True], ids=["eager", "recorded"])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (optim.Adam, {"lr": 0.02}),
        (optim.Adagrad, {"lr": 0.1, "lr_decay": 0.1}),
        (optim.SGD, {"lr": 0.1, "momentum": 0.9, "dampening": 0.5}),
    ],
)
def test_freezing_and_unfreezing(
    kind: type[optim.Optimizer], options: dict[str, Any], recorded: bool
) -> None:
    """Parameters count their own steps: one that joins late starts from its own step 1."""
    pair = Pair(kind, options, "float64")
    step, peer = pair.steps((lambda: None, lambda: None), recorded)
    for frozen in [(0, 1), (0,), (), (3,), (0, 1), ()]:
        for at, (mine, other) in enumerate(zip(pair.ours, pair.theirs, strict=True)):
            mine.requires_grad = other.requires_grad = at not in frozen
        for _ in range(5):
            step(*pair.batches[0])
            peer(*pair.batches[1])
    pair.agree(1e-10)


@pytest.mark.parametrize(
    ("kind", "options"),
    [choice for choice in CHOICES if "dampening" not in choice[1]],
    ids=[name for name in NAMES if "dampening" not in name],
)
def test_going_on_from_a_state_of_pytorch(
    kind: type[optim.Optimizer], options: dict[str, Any]
) -> None:
    pair = Pair(kind, options, "float64")
    peer = step_of(pair.theirs, pair.optimizers[1])
    for _ in range(10):
        peer(*pair.batches[1])
    for mine, other in zip(pair.ours, pair.theirs, strict=True):
        mine.assign(other.detach().numpy().copy())
    pair.optimizers[0].load_state_dict(pair.optimizers[1].state_dict())
    pair.run(recorded=False, count=20)
    pair.agree(1e-10)


def test_accumulated_gradients() -> None:
    """Without zero_grad, gradients add up over steps."""
    pair = Pair(optim.SGD, {"lr": 0.01}, "float64")
    for optimizer in pair.optimizers:
        optimizer.zero_grad = lambda: None
    pair.run(recorded=True, count=20)
    pair.agree(1e-10)


def test_defaults() -> None:
    for name in ("SGD", "RMSprop", "Adagrad", "Adam", "AdamW"):
        mine = getattr(optim, name)([cr.Parameter(0.0)]).defaults
        other = getattr(torch.optim, name)([torch.nn.Parameter(torch.zeros(()))]).defaults
        assert mine == {key: other[key] for key in mine}, name

"""Schedules against PyTorch's: the rates, and momenta where they move, of 50 steps."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import optim

pytestmark = pytest.mark.peers
torch = pytest.importorskip("torch")

ADAM = {"kind": "Adam"}
CHOICES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("LambdaLR", {"lr_lambda": lambda t: 0.95**t}, {}),
    ("LambdaLR", {"lr_lambda": [lambda t: 0.9**t, lambda t: 1 / (1 + t)]}, {}),
    ("ConstantLR", {}, {}),
    ("ConstantLR", {"factor": 0.5, "total_iters": 20}, {}),
    ("LinearLR", {}, {}),
    ("LinearLR", {"start_factor": 0.1, "end_factor": 0.5, "total_iters": 30}, {}),
    ("StepLR", {"step_size": 7}, {}),
    ("MultiStepLR", {"milestones": [10, 10, 30], "gamma": 0.5}, {}),
    ("ExponentialLR", {"gamma": 0.93}, {}),
    ("CosineAnnealingLR", {"T_max": 50}, {}),
    ("CosineAnnealingLR", {"T_max": 12, "eta_min": 0.01}, {}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 50}, {}),
    ("OneCycleLR", {"max_lr": [0.5, 0.1], "epochs": 5, "steps_per_epoch": 10}, ADAM),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 60, "three_phase": True}, {}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 53, "anneal_strategy": "linear"}, ADAM),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 50, "pct_start": 0.0}, {}),
    (
        "OneCycleLR",
        {
            "max_lr": 1.0,
            "total_steps": 50,
            "pct_start": 0.1,
            "cycle_momentum": False,
            "div_factor": 10.0,
            "final_div_factor": 5.0,
        },
        {},
    ),
]


class Library:
    """chainrule or PyTorch: an optimizer with two groups, and schedules on it."""

    def __init__(self, ours: bool, kind: str = "SGD") -> None:
        first, second = (
            (cr.Parameter(1.0), cr.Parameter(1.0))
            if ours
            else (torch.nn.Parameter(torch.ones(())), torch.nn.Parameter(torch.ones(())))
        )
        options = {"momentum": 0.9} if kind == "SGD" else {}
        groups = [{"params": [first], "lr": 0.4}, {"params": [second]}]
        module: Any = optim if ours else torch.optim
        self.optimizer = getattr(module, kind)(groups, lr=0.1, **options)
        self.schedules = module.lr_scheduler

    def make(self, name: str, options: dict[str, Any]) -> Any:
        return getattr(self.schedules, name)(self.optimizer, **options)

    def numbers(self) -> list[float]:
        """The rate and the momentum of each group."""
        return [
            number
            for group in self.optimizer.param_groups
            for number in (
                group["lr"],
                group["betas"][0] if "betas" in group else group["momentum"],
            )
        ]


def history(library: Library, steppers: list[Any], count: int = 50) -> np.ndarray[Any, Any]:
    found = []
    with warnings.catch_warnings():
        # PyTorch warns of a schedule stepped before its optimizer, and of its own inner calls.
        warnings.simplefilter("ignore")
        for t in range(count):
            found.append(library.numbers())
            for stepper in steppers:
                stepper(t)
    return np.array(found)


def compare(make: Any, kind: str = "SGD") -> None:
    """`make(library)` gives what is to be called after each step."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        libraries = Library(True, kind), Library(False, kind)
        ours, theirs = (history(library, make(library)) for library in libraries)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15)
    assert len(np.unique(theirs[:, 0])) > 1


@pytest.mark.parametrize(("name", "options", "how"), CHOICES)
def test_schedule(name: str, options: dict[str, Any], how: dict[str, Any]) -> None:
    def make(library: Library) -> list[Any]:
        schedule = library.make(name, options)
        return [lambda t: schedule.step()]

    compare(make, **how)


def test_sequence() -> None:
    def make(library: Library) -> list[Any]:
        parts = [
            library.make("LinearLR", {"start_factor": 0.1, "total_iters": 8}),
            library.make("CosineAnnealingLR", {"T_max": 20, "eta_min": 0.001}),
            library.make("ExponentialLR", {"gamma": 0.9}),
        ]
        schedule = library.schedules.SequentialLR(library.optimizer, parts, [8, 28])
        return [lambda t: schedule.step()]

    compare(make)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("LinearLR", {"total_iters": 10}), ("ExponentialLR", {"gamma": 0.9})),
        (("StepLR", {"step_size": 6}), ("ConstantLR", {"total_iters": 9})),
        (("MultiStepLR", {"milestones": [4]}), ("CosineAnnealingLR", {"T_max": 60})),
    ],
)
def test_two_on_one_optimizer(first: Any, second: Any) -> None:
    def make(library: Library) -> list[Any]:
        a, b = library.make(*first), library.make(*second)
        return [lambda t: a.step(), lambda t: b.step()]

    compare(make)


METRICS = np.random.default_rng(0).standard_normal(50).cumsum() - np.arange(50) * 0.05


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(
    "options",
    [
        {"patience": 2},
        {"patience": 1, "cooldown": 3, "factor": 0.5, "min_lr": 0.05},
        {"patience": 0, "threshold": 0.2, "threshold_mode": "abs", "min_lr": [0.1, 0.01]},
        {"patience": 2, "mode": "max", "factor": 0.7},
        {"patience": 2, "mode": "max", "threshold": 0.3, "threshold_mode": "abs"},
        {"patience": 0, "eps": 0.05},
    ],
)
def test_plateau(options: dict[str, Any], sign: float) -> None:
    def make(library: Library) -> list[Any]:
        schedule = library.make("ReduceLROnPlateau", options)
        return [lambda t: schedule.step(sign * METRICS[t])]

    compare(make)


def test_warm_up_with_plateau() -> None:
    def make(library: Library) -> list[Any]:
        warm = library.make("LinearLR", {"total_iters": 10})
        plateau = library.make("ReduceLROnPlateau", {"patience": 2, "factor": 0.5})
        return [lambda t: warm.step(), lambda t: plateau.step(abs(t - 20))]

    compare(make)

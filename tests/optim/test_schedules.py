"""Schedules: their closed forms, how they chain, how they resume."""

from __future__ import annotations

import math
from typing import Any

import pytest

import chainrule as cr
from chainrule import optim
from chainrule.errors import RecordingError, SettingError
from chainrule.optim import lr_scheduler as schedules


def optimizer(lr: float = 0.8, **options: Any) -> optim.SGD:
    return optim.SGD([cr.Parameter([1.0])], lr=lr, **options)


def rates(schedule: Any, count: int) -> list[float]:
    found = []
    for _ in range(count):
        found.append(schedule.optimizer.param_groups[0]["lr"])
        assert schedule.get_last_lr() == [found[-1]]
        schedule.step()
    return found


CLOSED_FORMS: list[tuple[Any, Any]] = [
    (lambda o: schedules.LambdaLR(o, lambda t: 1 / (1 + t)), lambda t: 0.8 / (1 + t)),
    (lambda o: schedules.ConstantLR(o, 0.5, 3), lambda t: 0.4 if t < 3 else 0.8),
    (lambda o: schedules.LinearLR(o, 0.25, 0.75, 4), lambda t: 0.2 + 0.4 * min(t, 4) / 4),
    (lambda o: schedules.StepLR(o, 3, 0.5), lambda t: 0.8 * 0.5 ** (t // 3)),
    (lambda o: schedules.MultiStepLR(o, [5, 2], 0.5), lambda t: 0.8 * 0.5 ** ((t >= 2) + (t >= 5))),
    (lambda o: schedules.ExponentialLR(o, 0.9), lambda t: 0.8 * 0.9**t),
    (
        lambda o: schedules.CosineAnnealingLR(o, 8, 0.1),
        lambda t: 0.1 + 0.7 * (1 + math.cos(math.pi * t / 8)) / 2,
    ),
]


@pytest.mark.parametrize(("make", "rate"), CLOSED_FORMS)
def test_closed_forms(make: Any, rate: Any) -> None:
    schedule = make(optimizer())
    assert rates(schedule, 12) == pytest.approx([rate(t) for t in range(12)], rel=1e-14)
    assert [schedule.rate(0, t) for t in range(12)] == pytest.approx(
        [rate(t) for t in range(12)], rel=1e-14
    )


def test_one_cycle() -> None:
    o = optimizer(momentum=0.9)
    schedule = schedules.OneCycleLR(o, 1.0, total_steps=20)
    seen, momenta = [], []
    for _ in range(20):
        seen.append(o.param_groups[0]["lr"])
        momenta.append(o.param_groups[0]["momentum"])
        schedule.step()
    assert seen[0] == pytest.approx(0.04)
    assert seen[5] == max(seen) == 1.0
    assert seen[19] == pytest.approx(0.04 / 1e4)
    assert momenta[0] == pytest.approx(0.95)
    assert momenta[5] == min(momenta) == pytest.approx(0.85)
    with pytest.raises(SettingError, match="at most 20 steps"):
        schedule.step()


def test_one_cycle_moves_the_first_beta_of_adam() -> None:
    o = optim.Adam([cr.Parameter([1.0])])
    schedules.OneCycleLR(o, 1.0, epochs=2, steps_per_epoch=10)
    assert o.param_groups[0]["betas"] == pytest.approx((0.95, 0.999))


def test_sequence() -> None:
    o = optimizer()
    warm = schedules.LinearLR(o, 0.25, total_iters=3)
    schedule = schedules.SequentialLR(o, [warm, schedules.StepLR(o, 2, 0.5)], [3])
    expected = [0.2, 0.4, 0.6, 0.8, 0.8, 0.4, 0.4, 0.2]
    assert rates(schedule, 8) == pytest.approx(expected)


def test_schedules_chain() -> None:
    """Two on one optimizer multiply, as in PyTorch: a warm-up does not undo another's change."""
    o = optimizer()
    warm, decay = schedules.LinearLR(o, 0.5, total_iters=2), schedules.ExponentialLR(o, 0.9)
    seen = []
    for _ in range(5):
        seen.append(o.param_groups[0]["lr"])
        warm.step()
        decay.step()
    wanted = [0.8 * (0.5 + 0.25 * min(t, 2)) * 0.9**t for t in range(5)]
    assert seen == pytest.approx(wanted, rel=1e-12)


def test_a_rate_changed_by_hand_is_kept_in_proportion() -> None:
    o = optimizer()
    schedule = schedules.ExponentialLR(o, 0.5)
    o.param_groups[0]["lr"] = 0.1
    schedule.step()
    assert o.param_groups[0]["lr"] == pytest.approx(0.05)


def test_groups_have_rates_of_their_own() -> None:
    o = optim.SGD([{"params": [cr.Parameter(1.0)], "lr": 1.0}, {"params": [cr.Parameter(1.0)]}])
    schedule = schedules.LambdaLR(o, [lambda t: 0.5**t, lambda t: 1.0])
    schedule.step()
    assert schedule.get_last_lr() == [0.5, 1e-3]


def test_plateau() -> None:
    o = optimizer(1.0)
    schedule = schedules.ReduceLROnPlateau(o, factor=0.5, patience=1, cooldown=1, min_lr=0.2)
    seen = []
    for metric in [3.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]:
        schedule.step(cr.tensor(metric))
        seen.append(o.param_groups[0]["lr"])
    # Two bad steps reduce; the next one is let pass; the rate stays at least 0.2.
    assert seen == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.2, 0.2, 0.2, 0.2]


@pytest.mark.parametrize(
    ("mode", "threshold_mode", "metrics", "best"),
    [
        ("max", "rel", [1.0, 1.05, 1.2], 1.2),
        ("max", "abs", [1.0, 1.05, 1.09], 1.0),
        ("min", "abs", [1.0, 0.95, 0.8], 0.8),
        ("min", "rel", [1.0, 0.95, 0.91], 1.0),
    ],
)
def test_what_counts_as_better(
    mode: str, threshold_mode: str, metrics: list[float], best: float
) -> None:
    schedule = schedules.ReduceLROnPlateau(
        optimizer(), mode, threshold=0.1, threshold_mode=threshold_mode
    )
    for metric in metrics:
        schedule.step(metric)
    assert schedule.best == best


RESUMABLE = [
    *(make for make, _ in CLOSED_FORMS),
    lambda o: schedules.OneCycleLR(o, 1.0, total_steps=20),
    lambda o: schedules.SequentialLR(
        o, [schedules.ConstantLR(o), schedules.CosineAnnealingLR(o, 5)], [4]
    ),
]


@pytest.mark.parametrize("make", RESUMABLE)
def test_resumed_is_unbroken(make: Any) -> None:
    whole = rates(make(optimizer()), 15)
    first = make(optimizer())
    rates(first, 6)
    second = make(optimizer())
    second.optimizer.load_state_dict(first.optimizer.state_dict())
    second.load_state_dict(first.state_dict())
    assert rates(second, 9) == whole[6:]


def test_plateau_resumes() -> None:
    metrics = [3.0, 2.0, 2.0, 2.0, 2.0, 2.0, 1.9, 1.9, 1.9]

    def run(schedule: Any, metrics: list[float]) -> list[float]:
        found = []
        for metric in metrics:
            schedule.step(metric)
            found += schedule.get_last_lr()
        return found

    whole = run(schedules.ReduceLROnPlateau(optimizer(), patience=1), metrics)
    first = schedules.ReduceLROnPlateau(optimizer(), patience=1)
    run(first, metrics[:3])
    second = schedules.ReduceLROnPlateau(optimizer(), patience=1)
    second.load_state_dict(first.state_dict())
    assert run(second, metrics[3:]) == whole[3:]
    assert whole[-1] < whole[0]


def test_a_recorded_step_follows_the_schedule() -> None:
    w = cr.Parameter([0.0])
    o = optim.SGD([w], lr=1.0)
    schedule = schedules.ExponentialLR(o, 0.5)

    @cr.compile
    def step() -> None:
        o.zero_grad()
        w.sum().backward()
        o.step()

    for _ in range(4):
        step()
        schedule.step()
    assert w.item() == -(1 + 0.5 + 0.25 + 0.125)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda o: schedules.StepLR(o, 0), "step_size counts steps"),
        (lambda o: schedules.LinearLR(o, 0.0), "a factor is out of range"),
        (lambda o: schedules.ConstantLR(o, 2.0), "factor is out of range"),
        (lambda o: schedules.LambdaLR(o, [abs, abs]), "(?s)one value per group.*got: *2"),
        (lambda o: schedules.OneCycleLR(o, 1.0), "(?s)needs its length.*steps_per_epoch"),
        (lambda o: schedules.OneCycleLR(o, 1.0, 10, pct_start=2), "pct_start"),
        (lambda o: schedules.OneCycleLR(o, 1.0, 10, anneal_strategy="sin"), "cos or linear"),
        (
            lambda o: schedules.OneCycleLR(optim.Adagrad(o.param_groups[0]["params"]), 1.0, 10),
            "(?s)Adagrad has no momentum.*cycle_momentum=False",
        ),
        (lambda o: schedules.SequentialLR(o, [schedules.StepLR(o, 1)], [3]), "milestone"),
        (
            lambda o: schedules.SequentialLR(
                o, [schedules.StepLR(o, 1), schedules.ReduceLROnPlateau(o)], [3]
            ),
            "(?s)not a schedule for this sequence.*ReduceLROnPlateau",
        ),
        (lambda o: schedules.ReduceLROnPlateau(o, factor=1.0), "below 1"),
        (lambda o: schedules.ReduceLROnPlateau(o, mode="up"), "(?s)no such mode.*up and rel"),
    ],
)
def test_errors(make: Any, says: str) -> None:
    with pytest.raises(SettingError, match=says):
        make(optimizer())


@pytest.mark.parametrize("kind", ["closed", "plateau"])
def test_a_schedule_is_not_stepped_inside_a_recorded_step(kind: str) -> None:
    schedule: Any = schedules.ReduceLROnPlateau(optimizer())
    if kind == "closed":
        schedule = schedules.ExponentialLR(optimizer(), 0.5)

    @cr.compile
    def step(loss: cr.Tensor) -> None:
        schedule.step(*([loss] if kind == "plateau" else []))

    with pytest.raises(RecordingError, match=r"(?s)test_schedules.py:\d+.*after the step"):
        step(cr.tensor(1.0))

"""Schedules: the rate of every step as a function of its number, under PyTorch's names.

`rate(group, step)` is that function, so a whole epoch's rates can be worked out ahead. `step()`
sets the rates; where something else has changed one since, it changes it in proportion, which is
how PyTorch's schedules chain.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chainrule.core.record import user_line
from chainrule.core.state import RECORDER
from chainrule.errors import RecordingError, SettingError
from chainrule.optim.optimizer import Optimizer


def refuse_recording(what: str) -> None:
    """A schedule counts in Python: inside a recorded step it would stand still."""
    if RECORDER.get() is not None:
        raise RecordingError(
            f"{what} is stepped inside a step that is being recorded ({user_line()})",
            hint="call scheduler.step() after the step: the recorded step reads the new rate",
        )


class LRScheduler:
    """The base of schedules: sets the rates of an optimizer's groups at every `step()`.

    A subclass writes `rate`. `last_epoch` counts the calls of `step()`; making the schedule is step
    0. The rates that it starts from, `base_lrs`, are the groups' own.
    """

    chains = True  # False: the rate is set whatever else has changed it

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = optimizer
        self.base_lrs = [
            float(group.notes.setdefault("initial_lr", group["lr"]))
            for group in optimizer.param_groups
        ]
        self.last_epoch = last_epoch
        self._last_lr = self._own = list(self.base_lrs)
        self.step()

    def rate(self, group: int, step: int) -> float:
        """The rate of a group at a step: a function of nothing else."""
        raise NotImplementedError(f"{type(self).__name__} needs a rate method")

    def momentum(self, group: int, step: int) -> float | None:
        """The momentum of a group at a step, where the schedule moves it, too."""
        return None

    def step(self) -> None:
        """Go on to the next step and set the rates of it."""
        refuse_recording(type(self).__name__)
        self.last_epoch += 1
        own = [self.rate(at, self.last_epoch) for at in range(len(self.base_lrs))]
        for at, group in enumerate(self.optimizer.param_groups[: len(own)]):
            changed = self.chains and group["lr"] != self._own[at] and self._own[at] != 0
            group["lr"] = group["lr"] * (own[at] / self._own[at]) if changed else own[at]
            momentum = self.momentum(at, self.last_epoch)
            if momentum is not None:
                set_momentum(group, momentum)
        self._own = own
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups[: len(own)]]

    def get_last_lr(self) -> list[float]:
        """The rates that were set last, one per group."""
        return list(self._last_lr)

    def state_dict(self) -> dict[str, Any]:
        """Where the schedule is, as plain numbers; the rates themselves are the optimizer's."""
        return {
            "last_epoch": self.last_epoch,
            "base_lrs": list(self.base_lrs),
            "last_lr": list(self._last_lr),
            "own": list(self._own),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was taken."""
        self.last_epoch = int(state["last_epoch"])
        self.base_lrs = list(state["base_lrs"])
        self._last_lr, self._own = list(state["last_lr"]), list(state["own"])


def set_momentum(group: Any, momentum: float) -> None:
    """Set what a group's optimizer has as momentum: `momentum`, or the first of `betas`."""
    if "betas" in group:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum


def positive(what: str, value: float) -> float:
    """A count or length of at least 1; SettingError otherwise."""
    if value < 1:
        raise SettingError(f"{what} counts steps", expected="at least 1", got=value)
    return value


class LambdaLR(LRScheduler):
    """rate(t) = base * lr_lambda(t), with a function of your own, or one per group.

    >>> import chainrule as cr
    >>> optimizer = cr.optim.SGD([cr.Parameter(0.0)], lr=1.0)
    >>> schedule = LambdaLR(optimizer, lambda t: 0.5**t)
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    chains = False

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        self.lr_lambdas = per_group("lr_lambda", lr_lambda, optimizer)
        super().__init__(optimizer, last_epoch)

    def rate(self, group: int, step: int) -> float:
        return float(self.base_lrs[group] * self.lr_lambdas[group](step))


def per_group(what: str, value: Any, optimizer: Optimizer) -> list[Any]:
    """One value per group, from one for all or from a list."""
    groups = len(optimizer.param_groups)
    values = list(value) if isinstance(value, list | tuple) else [value] * groups
    if len(values) != groups:
        raise SettingError(
            f"{what} needs one value per group", expected=f"{groups} values", got=len(values)
        )
    return values


class ConstantLR(LRScheduler):
    """rate(t) = base * factor for the first `total_iters` steps, then base.

    >>> import chainrule as cr
    >>> schedule = ConstantLR(cr.optim.SGD([cr.Parameter(0.0)], lr=1.0), factor=0.5)
    >>> [schedule.rate(0, t) for t in (0, 4, 5)]
    [0.5, 0.5, 1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1.0 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 <= factor <= 1:
            raise SettingError("factor is out of range", expected="0 to 1", got=factor)
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def rate(self, group: int, step: int) -> float:
        return self.base_lrs[group] * (self.factor if step < self.total_iters else 1.0)


class LinearLR(LRScheduler):
    """From base * start_factor in a straight line to base * end_factor: a warm-up.

    rate(t) = base * (start_factor + (end_factor - start_factor) * min(t / total_iters, 1)).
    Factors: 0 to 1; start_factor above 0.

    >>> import chainrule as cr
    >>> schedule = LinearLR(cr.optim.SGD([cr.Parameter(0.0)], lr=1.0), 0.2, total_iters=4)
    >>> [round(schedule.rate(0, t), 6) for t in range(6)]
    [0.2, 0.4, 0.6, 0.8, 1.0, 1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1 or not 0 <= end_factor <= 1:
            raise SettingError(
                "a factor is out of range",
                expected="start_factor above 0 and up to 1, end_factor 0 to 1",
                got=f"{start_factor} and {end_factor}",
            )
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = positive("total_iters", total_iters)
        super().__init__(optimizer, last_epoch)

    def rate(self, group: int, step: int) -> float:
        gone = min(step, self.total_iters) / self.total_iters
        way = self.end_factor - self.start_factor
        return self.base_lrs[group] * (self.start_factor + way * gone)


class StepLR(LRScheduler):
    """rate(t) = base * gamma^(t // step_size): multiplied by gamma every `step_size` steps.

    >>> import chainrule as cr
    >>> schedule = StepLR(cr.optim.SGD([cr.Parameter(0.0)], lr=1.0), step_size=2)
    >>> [round(schedule.rate(0, t), 6) for t in range(5)]
    [1.0, 1.0, 0.1, 0.1, 0.01]
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size, self.gamma = int(positive("step_size", step_size)), gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, group: int, step: int) -> float:
        return float(self.base_lrs[group] * self.gamma ** (step // self.step_size))


class MultiStepLR(LRScheduler):
    """rate(t) = base * gamma^(milestones up to t): multiplied by gamma at every milestone.

    >>> import chainrule as cr
    >>> schedule = MultiStepLR(cr.optim.SGD([cr.Parameter(0.0)], lr=1.0), [1, 3])
    >>> [round(schedule.rate(0, t), 6) for t in range(5)]
    [1.0, 0.1, 0.1, 0.01, 0.01]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Sequence[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, group: int, step: int) -> float:
        return float(self.base_lrs[group] * self.gamma ** bisect_right(self.milestones, step))


class ExponentialLR(LRScheduler):
    """rate(t) = base * gamma^t.

    >>> import chainrule as cr
    >>> schedule = ExponentialLR(cr.optim.SGD([cr.Parameter(0.0)], lr=1.0), gamma=0.5)
    >>> [schedule.rate(0, t) for t in range(3)]
    [1.0, 0.5, 0.25]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, group: int, step: int) -> float:
        return float(self.base_lrs[group] * self.gamma**step)


class CosineAnnealingLR(LRScheduler):
    """Half a cosine from base down to `eta_min` over `T_max` steps; then up again.

    rate(t) = eta_min + (base - eta_min) * (1 + cos(pi * t / T_max)) / 2. I. Loshchilov and
    F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017; no restarts here.

    >>> import chainrule as cr
    >>> schedule = CosineAnnealingLR(cr.optim.SGD([cr.Parameter(0.0)], lr=1.0), T_max=4)
    >>> [round(schedule.rate(0, t), 3) for t in range(5)]
    [1.0, 0.854, 0.5, 0.146, 0.0]
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self.T_max, self.eta_min = positive("T_max", T_max), eta_min
        super().__init__(optimizer, last_epoch)

    def rate(self, group: int, step: int) -> float:
        height = (1 + math.cos(math.pi * step / self.T_max)) / 2
        return self.eta_min + (self.base_lrs[group] - self.eta_min) * height


class SequentialLR(LRScheduler):
    """One schedule after the other: the next one begins, at its own step 0, at each milestone.

    `schedulers`: n schedules of this optimizer; `milestones`: n - 1 step numbers, rising.
    Raises SettingError for another number of them, and for schedules that need a metric.

    >>> import chainrule as cr
    >>> optimizer = cr.optim.SGD([cr.Parameter(0.0)], lr=1.0)
    >>> warm = LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> schedule = SequentialLR(optimizer, [warm, ExponentialLR(optimizer, 0.9)], [2])
    >>> [round(schedule.rate(0, t), 6) for t in range(5)]
    [0.5, 0.75, 1.0, 0.9, 0.81]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:
        if len(milestones) != len(schedulers) - 1 or sorted(milestones) != list(milestones):
            raise SettingError(
                "a sequence of schedules needs a milestone between each two",
                expected=f"{len(schedulers) - 1} rising step numbers",
                got=list(milestones),
            )
        for schedule in schedulers:
            if not isinstance(schedule, LRScheduler) or schedule.optimizer is not optimizer:
                raise SettingError(
                    "not a schedule for this sequence",
                    expected="a schedule of the same optimizer whose rates follow from the step",
                    got=type(schedule).__name__,
                )
        self.schedulers, self.milestones = list(schedulers), list(milestones)
        for group in optimizer.param_groups:  # the schedules, when made, set their own step 0
            group["lr"] = group["initial_lr"]
        super().__init__(optimizer, last_epoch)

    def rate(self, group: int, step: int) -> float:
        schedule, since = self._at(step)
        return schedule.rate(group, step - since)

    def momentum(self, group: int, step: int) -> float | None:
        schedule, since = self._at(step)
        return schedule.momentum(group, step - since)

    def _at(self, step: int) -> tuple[LRScheduler, int]:
        """The schedule that a step belongs to, and the step that it began at."""
        number = bisect_right(self.milestones, step)
        return self.schedulers[number], self.milestones[number - 1] if number else 0

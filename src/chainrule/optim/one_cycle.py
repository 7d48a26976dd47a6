"""The one-cycle schedule: the rate up and down once, the momentum the other way."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence

from chainrule.errors import SettingError
from chainrule.optim.optimizer import Optimizer
from chainrule.optim.schedule import LRScheduler, per_group

_CURVES: dict[str, Callable[[float, float, float], float]] = {
    "cos": lambda start, end, gone: end + (start - end) * (1 + math.cos(math.pi * gone)) / 2,
    "linear": lambda start, end, gone: start + (end - start) * gone,
}


class OneCycleLR(LRScheduler):
    """The rate rises from max_lr / div_factor to `max_lr` and falls far below where it began.

    Of `total_steps` (or epochs * steps_per_epoch) steps, `pct_start` of the way is the rise; the
    lowest rate is max_lr / div_factor / final_div_factor. With `three_phase` the fall first mirrors
    the rise, then goes on to the lowest rate. `anneal_strategy`: "cos" or "linear". With
    `cycle_momentum`, momentum (of Adam: the first beta) falls from `max_momentum` to
    `base_momentum` while the rate rises, and back. `max_lr` and the momenta: one for all groups or
    one per group. Raises SettingError for numbers out of range, and at a step beyond the last.
    L. Smith and N. Topin, "Super-convergence", arXiv:1708.07120.

    >>> import chainrule as cr
    >>> optimizer = cr.optim.SGD([cr.Parameter(0.0)], lr=1.0, momentum=0.9)
    >>> schedule = OneCycleLR(optimizer, max_lr=1.0, total_steps=10, anneal_strategy="linear")
    >>> [round(schedule.rate(0, t), 3) for t in (0, 1, 2, 9)]
    [0.04, 0.52, 1.0, 0.0]
    """

    chains = False

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.85,
        max_momentum: float | Sequence[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        self.total_steps = _total(total_steps, epochs, steps_per_epoch)
        if not 0 <= pct_start <= 1:
            raise SettingError("pct_start is a share", expected="0 to 1", got=pct_start)
        if anneal_strategy not in _CURVES:
            raise SettingError(
                "no such anneal_strategy", expected=" or ".join(_CURVES), got=anneal_strategy
            )
        names = optimizer.param_groups[0]
        if cycle_momentum and "momentum" not in names and "betas" not in names:
            raise SettingError(
                f"{type(optimizer).__name__} has no momentum to cycle",
                hint="cycle_momentum=False",
            )
        self.curve = _CURVES[anneal_strategy]
        self.ends = self._phases(pct_start, three_phase)
        tops = per_group("max_lr", max_lr, optimizer)
        for group, top in zip(optimizer.param_groups, tops, strict=True):
            group["initial_lr"] = top / div_factor
        self.levels = [
            _levels(top, top / div_factor, top / div_factor / final_div_factor, three_phase)
            for top in tops
        ]
        lows = per_group("base_momentum", base_momentum, optimizer)
        highs = per_group("max_momentum", max_momentum, optimizer)
        self.momenta = [
            _levels(low, high, high, three_phase) if cycle_momentum else []
            for low, high in zip(lows, highs, strict=True)
        ]
        super().__init__(optimizer, last_epoch)

    def _phases(self, pct_start: float, three_phase: bool) -> list[float]:
        """The steps at which the phases end."""
        top = float(pct_start * self.total_steps) - 1
        middle = [2 * top] if three_phase else []
        return [top, *middle, self.total_steps - 1.0]

    def rate(self, group: int, step: int) -> float:
        return self._along(self.levels[group], step)

    def momentum(self, group: int, step: int) -> float | None:
        return self._along(self.momenta[group], step) if self.momenta[group] else None

    def _along(self, levels: list[float], step: int) -> float:
        """The curve through `levels`, which are reached at step 0 and at the end of each phase."""
        if step > self.total_steps:
            raise SettingError(
                "the one-cycle schedule is over",
                expected=f"at most {self.total_steps} steps",
                got=f"{step} steps",
            )
        number = min(bisect_left(self.ends, step), len(self.ends) - 1)
        begin, end = (0.0, *self.ends)[number : number + 2]
        gone = min((step - begin) / (end - begin), 1.0) if end != begin else 1.0
        return self.curve(levels[number], levels[number + 1], gone)


def _levels(top: float, start: float, end: float, three_phase: bool) -> list[float]:
    return [start, top, start, end] if three_phase else [start, top, end]


def _total(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    if total_steps is None and epochs is not None and steps_per_epoch is not None:
        total_steps = epochs * steps_per_epoch
    if total_steps is None or total_steps < 1:
        raise SettingError(
            "the one-cycle schedule needs its length",
            expected="total_steps, or epochs and steps_per_epoch, of at least 1",
            got=total_steps,
        )
    return total_steps

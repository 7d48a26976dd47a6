"""A schedule that looks at how the training goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chainrule.errors import SettingError
from chainrule.optim.optimizer import Optimizer
from chainrule.optim.schedule import per_group, refuse_recording


class ReduceLROnPlateau:
    """Multiply the rate by `factor` when a metric has not improved for more than `patience` steps.

    `mode`: "min" or "max", which way is better. An improvement beats the best by `threshold`: of it
    (`threshold_mode` "rel") or outright ("abs"). After a reduction, `cooldown` steps do not count.
    The rate stays at least `min_lr` (one, or one per group), and reductions by less than `eps` are
    left out. Raises SettingError for a factor of 1 or more, or unknown modes.

    >>> import chainrule as cr
    >>> optimizer = cr.optim.SGD([cr.Parameter(0.0)], lr=1.0)
    >>> schedule = ReduceLROnPlateau(optimizer, patience=1)
    >>> for loss in (5.0, 4.0, 4.0, 4.0):
    ...     schedule.step(loss)
    >>> schedule.get_last_lr()
    [0.1]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        if not factor < 1:
            raise SettingError("factor reduces the rate", expected="below 1", got=factor)
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise SettingError(
                "no such mode",
                expected="mode min or max, threshold_mode rel or abs",
                got=f"{mode} and {threshold_mode}",
            )
        self.optimizer, self.factor, self.patience, self.cooldown = (
            optimizer, factor, patience, cooldown,
        )  # fmt: skip
        self.sign = 1.0 if mode == "min" else -1.0
        self.threshold, self.relative = threshold, threshold_mode == "rel"
        self.min_lrs, self.eps = per_group("min_lr", min_lr, optimizer), eps
        self.best = self.sign * float("inf")
        self.last_epoch = self.num_bad_epochs = self.cooldown_counter = 0
        self._last_lr = [group["lr"] for group in optimizer.param_groups]

    def step(self, metrics: Any) -> None:
        """Look at the metric (a number or a tensor of one), and reduce the rates if it is time."""
        refuse_recording(type(self).__name__)
        metric = float(metrics)
        self.last_epoch += 1
        if self._better(metric):
            self.best, self.num_bad_epochs = metric, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def _better(self, metric: float) -> bool:
        margin = self.threshold
        if self.relative:
            # As in PyTorch, whatever the sign of the best: for metrics below 0 take "abs".
            bar = self.best * (1.0 - self.sign * margin)
        else:
            bar = self.best - self.sign * margin
        return self.sign * metric < self.sign * bar

    def _reduce(self) -> None:
        for group, lowest in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
            before = group["lr"]
            after = max(before * self.factor, lowest)
            if before - after > self.eps:
                group["lr"] = after

    def get_last_lr(self) -> list[float]:
        """The rates as the last step left them, one per group."""
        return list(self._last_lr)

    def state_dict(self) -> dict[str, Any]:
        """Where the schedule is, as plain numbers; the rates themselves are the optimizer's."""
        names = ("best", "last_epoch", "num_bad_epochs", "cooldown_counter", "_last_lr")
        return {name: getattr(self, name) for name in names}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was taken."""
        for name in self.state_dict():
            setattr(self, name, state[name])

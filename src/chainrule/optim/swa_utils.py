"""Averages of a network's weights over the steps of a training, which often generalise better."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

import numpy as np

from chainrule.core.record import mark
from chainrule.core.state import no_grad
from chainrule.errors import SettingError
from chainrule.nn.modes import in_mode
from chainrule.nn.module import Module
from chainrule.ops.pointwise import add, cast, div, equal, mul, sub, where
from chainrule.spec import I64
from chainrule.tensors import Buffer, Cell, Tensor, as_tensor

AverageFunction = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(averaged, current, how many are in the average) -> the new average."""


class AveragedModel(Module):
    """A copy of a network whose weights are an average of the network's, taken step by step.

    `update_parameters(model)` after each optimizer step; the first one copies. `avg_fn`: (averaged,
    current, how many are in the average) -> the new average; the plain mean if None. Buffers, such
    as running statistics, are copied, or with `use_buffers` averaged too. Called, it is the
    averaged network, `module`. Made of ops, so that a recorded step may contain the update. Raises
    SettingError when the networks differ. Source: P. Izmailov et al., "Averaging weights leads to
    wider optima and better generalization", UAI 2018.

    >>> import chainrule as cr
    >>> model = cr.nn.Linear(1, 1, bias=False)
    >>> average = AveragedModel(model, avg_fn=get_ema_avg_fn(0.9))
    >>> for weight in (1.0, 2.0):
    ...     model.weight.assign([[weight]])
    ...     average.update_parameters(model)
    >>> average.module.weight.tolist(), average.n_averaged.item()
    ([[1.1]], 2)
    """

    def __init__(
        self, model: Module, *, avg_fn: AverageFunction | None = None, use_buffers: bool = False
    ) -> None:
        self.module = copy.deepcopy(model)
        self.n_averaged = Buffer(np.zeros((), I64))
        self.avg_fn = get_swa_avg_fn() if avg_fn is None else avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the network's present weights into the average."""
        mine, theirs = _cells(self.module), _cells(model)
        if [cell.shape for cell in mine] != [cell.shape for cell in theirs]:
            raise SettingError(
                "the average is of another network",
                expected=f"{len(mine)} parameters and buffers of the shapes of its own",
                got=f"{type(model).__name__} with {len(theirs)}",
                hint="one AveragedModel for each network",
            )
        with no_grad(), mark(phase="update"):
            first = equal(self.n_averaged, 0)
            for averaged, current in zip(mine, theirs, strict=True):
                if not isinstance(averaged, Buffer) or (self.use_buffers and _is_float(averaged)):
                    moved = self.avg_fn(averaged, current, self.n_averaged)
                    averaged.assign(where(first, current.detach(), moved))
                else:
                    averaged.assign(current.detach())
            self.n_averaged.assign(add(self.n_averaged, 1))


def get_ema_avg_fn(decay: float = 0.999) -> AverageFunction:
    """The exponential moving average: decay · averaged + (1 - decay) · current.

    `decay`: 0 to 1, else SettingError. Source: B. Polyak and A. Juditsky, "Acceleration of
    stochastic approximation by averaging", 1992, with a window that forgets.

    >>> import chainrule as cr
    >>> get_ema_avg_fn(0.9)(cr.tensor(1.0), cr.tensor(2.0), cr.tensor(1)).item()
    1.1
    """
    if not 0.0 <= decay <= 1.0:
        raise SettingError("an average's decay is a share", expected="0 to 1", got=decay)

    def average(averaged: Tensor, current: Tensor, count: Tensor) -> Tensor:
        return as_tensor(add(mul(averaged, decay), mul(current, 1.0 - decay)))

    return average


def get_swa_avg_fn() -> AverageFunction:
    """The plain mean of all weights taken so far: averaged + (current - averaged) / (count + 1).

    >>> import chainrule as cr
    >>> get_swa_avg_fn()(cr.tensor(1.0), cr.tensor(2.0), cr.tensor(1)).item()
    1.5
    """

    def average(averaged: Tensor, current: Tensor, count: Tensor) -> Tensor:
        share = cast(add(count, 1), dtype=averaged.dtype.name)
        return as_tensor(add(averaged, div(sub(current, averaged), share)))

    return average


def update_bn(loader: Iterable[Any], model: Module) -> None:
    """Run the network over `loader` once, so that its batch norms' statistics fit its weights.

    `loader` gives inputs, or tuples whose first is the input. Running statistics start anew and
    become the mean over all batches; mode and momentum stay as they were. The way to use batch norm
    with averaged weights.

    >>> import chainrule as cr
    >>> layer = cr.nn.BatchNorm1d(1)
    >>> update_bn([cr.tensor([[1.0], [3.0]])], layer)
    >>> layer.running_mean.tolist()
    [2.0]
    """
    norms: list[Any] = [m for m in model.modules() if hasattr(m, "reset_running_stats")]
    momenta = [norm.momentum for norm in norms]
    try:
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None
        with in_mode(model, training=True):
            for batch in loader:
                model(batch[0] if isinstance(batch, tuple | list) else batch)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


def _cells(model: Module) -> list[Cell]:
    return list(chain(model.parameters(), model.buffers()))


def _is_float(cell: Cell) -> bool:
    return cell.dtype.kind == "f"

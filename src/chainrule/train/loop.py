"""The training loop: epochs of batches, validation after each, and stopping when it is enough."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.compile.epoch import run_epoch, run_rows
from chainrule.compile.step import compile
from chainrule.data.batches import row_order
from chainrule.errors import TrainingError
from chainrule.nn import Module
from chainrule.optim import Optimizer

_EVALUATED_AT_ONCE = 4096  # rows


@dataclass(frozen=True)
class EpochResult:
    """What one pass over the training rows led to."""

    epoch: int  # from 1
    steps: int  # updates so far
    train_loss: float  # mean over the rows, each as it was before its update
    validation_loss: float
    rate: float  # the learning rate of the last update
    seconds: float  # since training began


@dataclass
class History:
    """What a training did, epoch by epoch, and which epoch's weights were kept."""

    epochs: list[EpochResult] = field(default_factory=list)
    best_epoch: int = 0
    stopped: str = ""  # why it ended, in words
    interrupted: bool = False

    @property
    def best(self) -> EpochResult:
        """The epoch whose weights were kept."""
        return self.epochs[self.best_epoch - 1]


def fit(
    network: Module,
    loss: Module,
    optimizer: Optimizer,
    train: Sequence[NDArray[Any]],
    validation: Sequence[NDArray[Any]],
    *,
    epochs: int,
    batch_size: int,
    patience: int,
    seed: int = 0,
    rates: Callable[[int], Sequence[float]] | None = None,
    on_step: Callable[[int, int], None] | None = None,
    on_epoch: Callable[[EpochResult], None] | None = None,
) -> History:
    """Train `network` and leave it with the weights of its best epoch.

    `train` and `validation`: the inputs' arrays and, last, the targets'. `rates(steps)` gives the
    learning rate of each of `steps` updates; without it the optimizer's own is kept. Training ends
    after `epochs`, or after `patience` epochs in which the validation loss did not fall, or on
    Ctrl-C, which keeps the best so far. Raises TrainingError when the loss is no longer finite.
    `on_step(epoch, step)` and `on_epoch(result)` are called on the way.
    """
    loop = _Loop(network, loss, optimizer, list(train), list(validation), batch_size, seed)
    loop.schedule(epochs, rates)
    history = History()
    try:
        for epoch in range(1, epochs + 1):
            history.epochs.append(loop.one_epoch(epoch, on_step))
            improved = loop.keep_if_best(history)
            if on_epoch is not None:
                on_epoch(history.epochs[-1])
            if not improved and epoch - history.best_epoch >= patience:
                history.stopped = f"the validation loss did not fall for {patience} epochs"
                break
        else:
            history.stopped = f"all {epochs} epochs were done"
    except KeyboardInterrupt:
        history.interrupted = True
        history.stopped = "interrupted"
        if not history.epochs:
            raise
    loop.restore_best()
    return history


class _Loop:
    """The state of a training: the compiled steps, the schedule, the best weights so far."""

    def __init__(
        self,
        network: Module,
        loss: Module,
        optimizer: Optimizer,
        train: list[NDArray[Any]],
        validation: list[NDArray[Any]],
        batch_size: int,
        seed: int,
    ) -> None:
        self.network, self.loss, self.optimizer = network, loss, optimizer
        self.train, self.validation = train, validation
        self.batch_size, self.seed = batch_size, seed
        self.began = time.perf_counter()
        self.rates: NDArray[np.float64] | None = None
        self.best: dict[str, Any] = {}
        self.step = compile(self._step)
        self.judge = compile(self._judge)

    def _step(self, *batch: Any) -> Any:
        """The four steps of learning from one batch."""
        loss = self.loss(self.network(*batch[:-1]), batch[-1])
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss

    def _judge(self, *batch: Any) -> Any:
        return self.loss(self.network(*batch[:-1]), batch[-1])

    @property
    def steps_per_epoch(self) -> int:
        return math.ceil(len(self.train[0]) / self.batch_size)

    def schedule(self, epochs: int, rates: Callable[[int], Sequence[float]] | None) -> None:
        if rates is not None:
            self.rates = np.asarray(rates(epochs * self.steps_per_epoch), np.float64)

    def one_epoch(self, epoch: int, on_step: Callable[[int, int], None] | None) -> EpochResult:
        per_epoch = self.steps_per_epoch
        first = (epoch - 1) * per_epoch
        planned = None
        if self.rates is not None:
            part = self.rates[first : first + per_epoch]
            planned = {group.cells["lr"][0]: part for group in self.optimizer.param_groups}
        self.network.train()
        losses = run_epoch(
            self.step,
            self.train,
            row_order(len(self.train[0]), self.seed, epoch),
            self.batch_size,
            planned,
            None if on_step is None else lambda number: on_step(epoch, number + 1),
        )
        self._check_finite(losses, epoch)
        return EpochResult(
            epoch=epoch,
            steps=first + per_epoch,
            train_loss=self._mean(losses),
            validation_loss=self.validate(),
            rate=float(self.optimizer.param_groups[0]["lr"]),
            seconds=time.perf_counter() - self.began,
        )

    def _mean(self, losses: NDArray[np.float64]) -> float:
        """The mean over rows: the last batch may be smaller."""
        rows = np.full(len(losses), float(self.batch_size))
        rows[-1] = len(self.train[0]) - self.batch_size * (len(losses) - 1)
        return float(np.average(losses, weights=rows))

    def _check_finite(self, losses: NDArray[np.float64], epoch: int) -> None:
        if not np.isfinite(losses).all():
            step = int(np.flatnonzero(~np.isfinite(losses))[0]) + 1
            raise TrainingError(
                f"the loss is no longer finite at step {step} of epoch {epoch}",
                got=f"{losses[step - 1]}",
                hint="a smaller learning rate, such as a tenth",
            )

    def validate(self) -> float:
        self.network.eval()
        batches = run_rows(self.judge, self.validation, _EVALUATED_AT_ONCE)
        losses = [loss.item() for loss in batches]
        rows = [
            min(_EVALUATED_AT_ONCE, len(self.validation[0]) - i * _EVALUATED_AT_ONCE)
            for i in range(len(losses))
        ]
        return float(np.average(losses, weights=rows))

    def keep_if_best(self, history: History) -> bool:
        """Keep the weights when the validation loss is the lowest so far."""
        if history.best_epoch and not (
            history.epochs[-1].validation_loss < history.best.validation_loss
        ):
            return False
        history.best_epoch = history.epochs[-1].epoch
        self.best = self.network.state_dict()
        return True

    def restore_best(self) -> None:
        if self.best:
            self.network.load_state_dict(self.best)
        self.network.eval()


def predict(network: Module, inputs: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """The network's outputs for all rows, without history, in evaluation mode."""
    network.eval()
    forward = compile(network)
    return np.concatenate([out.numpy() for out in run_rows(forward, inputs, _EVALUATED_AT_ONCE)])

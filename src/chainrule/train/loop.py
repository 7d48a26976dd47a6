"""The training loop: epochs of batches, validation after each, and stopping when it is enough."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.compiler.epoch import Schedule, expect_epochs, run_epoch, run_rows
from chainrule.compiler.step import Backend, Variant, compile
from chainrule.compiler.worth import no_machine_code
from chainrule.core.state import no_grad
from chainrule.data import batch_count
from chainrule.data.batches import windows
from chainrule.errors import TrainingError
from chainrule.explain.evidence import Probe
from chainrule.explain.trace import LEARNED, trace
from chainrule.nn import Module
from chainrule.optim import Optimizer
from chainrule.tensors import Cell, Tensor
from chainrule.train.history import EpochResult, History
from chainrule.train.interrupt import Interrupt
from chainrule.train.keeping import Keeper

LOOKED_AT = 512
"""Training rows whose values are looked at while the training goes on, in whole batches."""

_EVALUATED_AT_ONCE = 1024  # rows: what one layer makes of them stays in the cache for the next


def fit(
    network: Module,
    loss: Module,
    optimizer: Optimizer,
    train: Sequence[NDArray[Any]],
    validation: Sequence[NDArray[Any]] | None,
    *,
    epochs: int,
    batch_size: int,
    patience: int,
    seed: int = 0,
    inputs: int | None = None,
    rates: Callable[[int], NDArray[np.float64]] | None = None,
    on_start: Callable[[int], None] | None = None,
    on_step: Callable[[int, int], None] | None = None,
    on_epoch: Callable[[EpochResult], bool | None] | None = None,
    backend: Backend = "native",
) -> History:
    """Train `network` and leave it with the weights of its best epoch, in evaluation mode.

    `train` and `validation`: arrays [rows, ...], those that `network` takes, then those that
    `loss` takes after the network's output, one or more: the targets, the weights of the rows.
    `inputs`: how many the network takes; all but one if not given.
    `rates(steps)` gives the learning rate of each of `steps` updates; without it the optimizer's
    own is kept. `seed` fixes the order of the rows. On the way `on_start(epoch)` is called,
    `on_step(epoch, step)`, both from 1, and `on_epoch(result)`, which may give True to end here.
    Without `validation` rows the last epoch is the best, and its validation loss is NaN.

    `backend`: "native" trains as machine code where compiling takes less time than it saves, many
    steps in a call of some twentieth of a second, with `on_step` after each call; "interpret"
    trains in NumPy. `History.ran` says what was done.

    Training ends after `epochs`, or after `patience` epochs in which the validation loss did not
    fall. Ctrl-C ends the epoch at the next step; what was learned until then counts. A second
    Ctrl-C is a KeyboardInterrupt, unless there is a best epoch to keep. Raises TrainingError when
    a loss is no longer finite.
    """
    inputs = len(train) - 1 if inputs is None else inputs
    loop = Loop(network, loss, optimizer, train, validation, batch_size, seed, inputs)
    loop.plan(rates, epochs)
    return loop.fit(
        epochs, patience, on_start=on_start, on_step=on_step, on_epoch=on_epoch, backend=backend
    )


def _why_stop(history: History, epochs: int, patience: int) -> str:
    """Why the training is over, in words; nothing if it is not."""
    if history.interrupted:
        return "interrupted"
    if len(history.epochs) == epochs:
        return "all epochs were done" if epochs > 1 else "the one epoch was done"
    if history.since_best() >= patience:
        return f"the validation loss did not fall for {patience} epoch{'s' * (patience > 1)}"
    return ""


class Loop:
    """The state of a training: the compiled steps, the schedule, the best weights so far.

    Its arguments are those of `fit`; `keeper` is given what the training goes through. `window`:
    how many rows are in memory at a time, a multiple of the batch size; None: all of them.
    """

    def __init__(
        self,
        network: Module,
        loss: Module,
        optimizer: Optimizer,
        train: Sequence[NDArray[Any]],
        validation: Sequence[NDArray[Any]] | None,
        batch_size: int,
        seed: int,
        inputs: int,
        keeper: Keeper | None = None,
        window: int | None = None,
    ) -> None:
        self.network, self.loss, self.optimizer = network, loss, optimizer
        self.inputs, self.keeper, self.window = inputs, keeper or Keeper(), window
        self.keeper.look = self.look
        self.recurs = False  # other rows will come, nobody knows how often: see `take`
        self._backend: Backend | None = None  # of the steps that are there
        self.take(train, validation, batch_size, seed)

    def take(
        self,
        train: Sequence[NDArray[Any]],
        validation: Sequence[NDArray[Any]] | None,
        batch_size: int,
        seed: int,
    ) -> None:
        """Begin again, on these rows; steps that were compiled for others are kept."""
        self.train, self.validation = train, validation
        self.batch_size, self.seed = batch_size, seed
        self.steps_per_epoch = math.ceil(len(train[0]) / batch_size)
        self.steps = 0
        self.rates: NDArray[np.float64] | None = None
        self.kept: dict[str, Any] = {}
        self.began = time.perf_counter()

    def plan(self, rates: Callable[[int], NDArray[np.float64]] | None, epochs: int) -> None:
        """Take the learning rates of all updates; `rates` None: the optimizer's own."""
        self.rates = None if rates is None else rates(epochs * self.steps_per_epoch)

    def fit(
        self,
        epochs: int,
        patience: int,
        *,
        on_start: Callable[[int], None] | None = None,
        on_step: Callable[[int, int], None] | None = None,
        on_epoch: Callable[[EpochResult], bool | None] | None = None,
        backend: Backend = "native",
    ) -> History:
        """Train, and leave the network with the weights of its best epoch; as `fit` says."""
        history = History(ran=self.compile(epochs, patience, backend))
        self.keeper.state(0, self.state())
        try:
            with Interrupt() as interrupt:
                while not history.stopped:
                    if on_start is not None:
                        on_start(len(history.epochs) + 1)
                    result = self.one_epoch(len(history.epochs) + 1, on_step, interrupt)
                    if history.add(result):
                        self.keep()
                    enough = on_epoch is not None and on_epoch(result)
                    history.interrupted = interrupt.asked
                    why = _why_stop(history, epochs, patience)
                    history.stopped = why or "asked to" * bool(enough)
        except KeyboardInterrupt:
            if not self.kept:
                raise
            history.interrupted, history.stopped = True, "interrupted"
        finally:
            self.keeper.done()
        self.restore()
        return history

    def compile(self, epochs: int, patience: int, backend: Backend) -> str:
        """Make the steps for so many epochs; says how they will run, in words."""
        epochs = epochs if patience >= epochs else max(1, epochs // 2)  # it may stop long before
        if backend == "native" and (problem := no_machine_code()):
            backend, why = "interpret", problem
        else:
            why = "backend is interpret" if backend == "interpret" else ""
        if backend != self._backend:
            self.step, self.judge = compile(self._step, backend), compile(self._judge, backend)
            self._backend = backend
        expected = None if self.recurs else epochs
        expect_epochs(self.step, self.train, self.batch_size, expected)
        if self.validation is not None:
            with no_grad():
                expect_epochs(self.judge, self.validation, _EVALUATED_AT_ONCE, expected)
        self.network.train()
        self.optimizer.zero_grad()  # of whatever was done with the network before
        first = np.arange(min(self.batch_size, len(self.train[0])))
        variant = self.step.variant(*self.batch(first))
        return f"interpreted: {why}" if why else _how(variant)

    def _step(self, *batch: Any) -> Any:
        """The four steps of learning from one batch."""
        loss = self._judge(*batch)
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()  # here, so that gradients are not kept for whoever comes after
        return loss

    def _judge(self, *batch: Any) -> Any:
        return self.loss(self.network(*batch[: self.inputs]), *batch[self.inputs :])

    def one_epoch(
        self, epoch: int, on_step: Callable[[int, int], None] | None, interrupt: Interrupt
    ) -> EpochResult:
        """One pass over the training rows, and the validation after it."""

        def after_step(before: int, number: int) -> bool:
            if on_step is not None:
                on_step(epoch, before + number + 1)
            return interrupt.asked

        self.network.train()
        losses = self._updates(epoch, after_step)
        self.keeper.losses(losses)
        _refuse_infinite(losses, epoch)
        self.steps += len(losses)
        self.keeper.state(epoch, self.state())
        return EpochResult(
            epoch=epoch,
            steps=self.steps,
            train_loss=self._mean(losses),
            validation_loss=self.validate(epoch),
            rate=float(self.optimizer.param_groups[0]["lr"]),
            seconds=time.perf_counter() - self.began,
        )

    def _updates(self, epoch: int, after_step: Callable[[int, int], bool]) -> NDArray[np.float64]:
        """The steps of an epoch, window after window: their losses."""
        planned, found, done = self.planned(epoch) or {}, [np.empty(0)], 0
        for rows in windows(len(self.train[0]), self.seed, epoch, self.window):
            steps = batch_count(len(rows), self.batch_size)
            part = {cell: rates[done : done + steps] for cell, rates in planned.items()}
            held, order = self.train, rows
            if self.window is not None:
                held, order = [array[rows] for array in self.train], np.arange(len(rows))
            after = partial(after_step, done)
            found.append(run_epoch(self.step, held, order, self.batch_size, part, after))
            done += len(found[-1])
            if len(found[-1]) < steps:  # interrupted
                break
        return np.concatenate(found)

    def order(self, epoch: int) -> NDArray[np.int64]:
        """The order in which the training rows are visited in an epoch, int64 [rows]."""
        return np.concatenate([*windows(len(self.train[0]), self.seed, epoch, self.window)])

    def planned(self, epoch: int) -> Schedule | None:
        """The rates of this epoch's steps, for every group of parameters."""
        if self.rates is None:
            return None
        part = self.rates[(epoch - 1) * self.steps_per_epoch :][: self.steps_per_epoch]
        return {group.cells["lr"][0]: part for group in self.optimizer.param_groups}

    def _mean(self, losses: NDArray[np.float64]) -> float:
        """The mean over rows: the epoch's last batch may be smaller."""
        rows = np.full(len(losses), self.batch_size)
        if len(losses) == self.steps_per_epoch:
            rows[-1] = len(self.train[0]) - self.batch_size * (len(losses) - 1)
        return float(np.average(losses, weights=rows))

    def validate(self, epoch: int) -> float:
        """The mean loss over the validation rows; NaN if there are none."""
        if self.validation is None:
            return math.nan
        self.network.eval()
        judged = run_rows(self.judge, self.validation, _EVALUATED_AT_ONCE)
        rows, losses = zip(*((count, loss.item()) for count, loss in judged), strict=True)
        mean = float(np.average(losses, weights=rows))
        if not math.isfinite(mean):
            raise _not_finite(f"the validation loss is no longer finite after epoch {epoch}", mean)
        return mean

    def batch(self, rows: NDArray[np.int64]) -> list[Tensor]:
        """These training rows, as the step takes them."""
        return [Tensor(array[rows]) for array in self.train]

    def look(self) -> Probe:
        """What the network makes of some hundred training rows now; nothing is recorded again."""
        program = self.step.programs[0]
        rows = next(windows(len(self.train[0]), self.seed, 0, self.window))
        size = program.args[0].shape[0]
        count = min(len(rows) // size, max(1, LOOKED_AT // size))
        first, *others = (
            trace(program, [array[part] for array in self.train], None, LEARNED)
            for part in rows[: count * size].reshape(count, size)
        )
        return Probe(self.steps + 1, first, others)

    def state(self) -> dict[str, Cell]:
        """The cells that a step reads, by name: all that the next steps depend on."""
        program = self.step.programs[0]
        return {name: program.cells[name] for name in program.reads}

    def keep(self) -> None:
        """Keep the weights as they are."""
        self.kept = self.network.state_dict()

    def restore(self) -> None:
        """Take the weights that were kept."""
        self.network.load_state_dict(self.kept)
        self.network.eval()


def _how(variant: Variant) -> str:
    """How the steps of a native training run, in words."""
    if variant.backend == "interpret" or variant.waits:
        return "interpreted: they are too few for compiling to pay"
    if variant.runs_epochs:
        return "as machine code"
    ops = ", ".join(variant.interpreted)
    return "as machine code, step by step" + (f": {ops} can only be interpreted" if ops else "")


def _refuse_infinite(losses: NDArray[np.float64], epoch: int) -> None:
    wrong = np.flatnonzero(~np.isfinite(losses))
    if len(wrong):
        where = f"step {wrong[0] + 1} of epoch {epoch}"
        raise _not_finite(f"the loss is no longer finite at {where}", losses[wrong[0]])


def _not_finite(what: str, loss: float) -> TrainingError:
    return TrainingError(what, got=f"{loss}", hint="a smaller learning rate, such as a tenth")

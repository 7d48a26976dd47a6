"""The loop: the best weights are kept, patience, Ctrl-C, losses that are not finite, rates."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn, optim
from chainrule.compiler import step
from chainrule.errors import TrainingError
from chainrule.train import EpochResult, History, fit

Arrays = list[np.ndarray[Any, Any]]


class Line(nn.Module):
    """y = w x, from w = 0."""

    def __init__(self) -> None:
        self.w = cr.Parameter(np.zeros(1, np.float32))

    def forward(self, x: Any) -> Any:
        return x * self.w


def points(slope: float, rows: int = 8) -> Arrays:
    x = np.linspace(0.5, 1.5, rows, dtype=np.float32)[:, None]
    return [x, slope * x]


def train(line: Line, training: Arrays, validation: Arrays | None, **settings: Any) -> History:
    optimizer = optim.SGD(line.parameters(), lr=settings.pop("lr", 0.1))
    chosen = {"epochs": 20, "batch_size": 4, "patience": 20, **settings}
    return fit(line, nn.MSELoss(), optimizer, training, validation, **chosen)


def loss_of(w: float, arrays: Arrays) -> float:
    return float(np.mean((arrays[0] * w - arrays[1]) ** 2))


def test_it_learns_and_says_what_it_did() -> None:
    line, seen = Line(), list[EpochResult]()
    history = train(line, points(2.0), points(2.0), on_epoch=seen.append, epochs=60)
    assert line.w.numpy() == pytest.approx(2.0, abs=1e-3)
    assert history.stopped == "all epochs were done"
    assert seen == history.epochs
    assert [result.epoch for result in seen] == list(range(1, 61))
    assert [result.steps for result in seen] == list(range(2, 122, 2))
    assert not line.training


def test_without_validation_the_last_weights_are_kept() -> None:
    line, weights = Line(), list[float]()
    history = train(
        line,
        points(3.0),
        None,
        epochs=4,
        patience=1,
        on_epoch=lambda _: weights.append(line.w.item()),
    )
    assert len(history.epochs) == history.best_epoch == 4
    assert np.isnan(history.best.validation_loss)
    assert line.w.item() == weights[-1] > weights[0]


def test_it_ends_when_asked_to() -> None:
    started = list[int]()
    history = train(
        Line(), points(2.0), points(2.0), on_start=started.append, on_epoch=lambda e: e.epoch == 3
    )
    assert (history.stopped, started) == ("asked to", [1, 2, 3])


def test_the_best_weights_are_kept_not_the_last() -> None:
    """Training rows pull towards 3, validation rows are right at 1: the way passes the best."""
    line, weights = Line(), list[float]()
    training, validation = points(3.0), points(1.0)
    history = train(
        line,
        training,
        validation,
        lr=0.01,
        on_epoch=lambda result: weights.append(float(line.w.numpy()[0])),
    )
    losses = [loss_of(w, validation) for w in weights]
    assert 0 < np.argmin(losses) < len(losses) - 1
    assert history.best_epoch == np.argmin(losses) + 1
    assert line.w.numpy()[0] == pytest.approx(weights[history.best_epoch - 1], abs=0)
    assert history.best.validation_loss == pytest.approx(min(losses), rel=1e-5)


def test_patience_counts_epochs_since_the_best() -> None:
    history = train(Line(), points(3.0), points(1.0), patience=4)
    assert len(history.epochs) == history.best_epoch + 4
    assert history.stopped == "the validation loss did not fall for 4 epochs"


def test_an_equal_loss_is_no_better() -> None:
    history = train(Line(), points(1.0), points(1.0), lr=0.0, patience=3)
    assert history.best_epoch == 1
    assert len(history.epochs) == 4


def test_losses_are_means_over_rows() -> None:
    """With a rate of 0 every batch meets the same weights; the last batch has one row."""
    training, validation = points(2.0, rows=9), points(2.0, rows=5000)
    history = train(Line(), training, validation, lr=0.0, epochs=1)
    assert history.best.train_loss == pytest.approx(loss_of(0.0, training), rel=1e-6)
    assert history.best.validation_loss == pytest.approx(loss_of(0.0, validation), rel=1e-5)


def test_rates_are_planned_for_every_step() -> None:
    asked = list[int]()

    def rates(steps: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        asked.append(steps)
        return np.arange(1.0, steps + 1) / 1000

    history = train(Line(), points(2.0, rows=10), points(2.0), rates=rates, epochs=3)
    assert asked == [9]
    assert [result.rate for result in history.epochs] == pytest.approx([0.003, 0.006, 0.009])


def test_steps_are_told() -> None:
    told = list[tuple[int, int]]()
    train(Line(), points(2.0), points(2.0), epochs=2, on_step=lambda *at: told.append(at))
    assert told == [(1, 1), (1, 2), (2, 1), (2, 2)]


@pytest.mark.parametrize(("lr", "where"), [(1e30, "step 2 of epoch 1"), (1e6, "epoch")])
def test_a_loss_that_is_not_finite(lr: float, where: str) -> None:
    with pytest.raises(TrainingError, match=where) as caught:
        train(Line(), points(2.0), points(2.0), lr=lr, epochs=50)
    assert "a smaller learning rate" in str(caught.value)


def test_a_validation_loss_that_is_not_finite() -> None:
    validation = points(2.0)
    validation[0] = validation[0] * 1e30
    with pytest.raises(TrainingError, match="validation loss is no longer finite after epoch 1"):
        train(Line(), points(2.0), validation)


# -- as machine code


def test_machine_code_learns_the_same_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every loss and rate, the smaller last batch and the validation included."""
    few = train(Line(), points(2.0, rows=9), points(1.9))
    assert few.ran == "interpreted: they are too few for compiling to pay"
    monkeypatch.setattr(step, "breakeven", lambda program: 0)
    settings = {"rates": lambda steps: np.linspace(0.1, 0.01, steps), "epochs": 5}
    found = {
        backend: train(Line(), points(2.0, rows=9), points(1.9), backend=backend, **settings)
        for backend in ("native", "interpret")
    }
    assert found["native"].ran == "as machine code"
    assert found["interpret"].ran == "interpreted: backend is interpret"
    for native, interpreted in zip(found["native"].epochs, found["interpret"].epochs, strict=True):
        assert native.train_loss == pytest.approx(interpreted.train_loss, rel=1e-4)
        assert native.validation_loss == pytest.approx(interpreted.validation_loss, rel=1e-4)
        assert (native.steps, native.rate) == (interpreted.steps, interpreted.rate)


@pytest.mark.usefixtures("always_pays")
def test_an_op_of_ones_own_makes_it_a_loop_of_steps() -> None:
    twice = cr.define(
        "twice_in_numpy",
        inputs="x",
        doc="2 x.",
        forward=lambda x: x + x,
        grad=(lambda g: g * 2.0,),
        replace=True,
    )

    class Own(Line):
        def forward(self, x: Any) -> Any:
            return twice(x * self.w)

    line = Own()
    history = train(line, points(2.0), points(2.0), epochs=30)
    assert history.ran == "as machine code, step by step: twice_in_numpy can only be interpreted"
    assert line.w.numpy() == pytest.approx(1.0, abs=0.01)


def test_without_llvmlite_it_trains_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chainrule.train.loop.no_machine_code", lambda: "no llvmlite")
    assert train(Line(), points(2.0), points(2.0)).ran == "interpreted: no llvmlite"


@pytest.mark.usefixtures("always_pays")
def test_a_native_epoch_is_interrupted_between_two_calls() -> None:
    line, told = Line(), list[tuple[int, int]]()

    def on_step(*at: int) -> None:
        told.append((at[0], at[1]))
        if len(told) == 2:
            signal.raise_signal(signal.SIGINT)

    training = points(2.0, rows=100_000)
    history = train(line, training, points(2.0), batch_size=1, lr=1e-6, on_step=on_step)
    assert history.interrupted
    assert history.epochs[-1].steps == told[1][1] < 100_000
    assert line.w.numpy()[0] > 0


# -- Ctrl-C


def press(at: tuple[int, int]) -> Callable[[int, int], None]:
    """Ctrl-C at one step."""

    def on_step(epoch: int, step: int) -> None:
        if (epoch, step) == at:
            signal.raise_signal(signal.SIGINT)

    return on_step


@pytest.fixture(autouse=True)
def usual_interrupts() -> Any:
    """Ctrl-C raises KeyboardInterrupt, whatever the tests were started from; afterwards too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    after = signal.signal(signal.SIGINT, before)
    assert after is signal.default_int_handler


def test_interrupted_in_the_first_epoch() -> None:
    line = Line()
    history = train(line, points(2.0), points(2.0), batch_size=1, on_step=press((1, 3)))
    assert history.interrupted
    assert history.stopped == "interrupted"
    assert [result.steps for result in history.epochs] == [3]
    assert line.w.numpy()[0] > 0


def test_interrupted_later_keeps_the_best() -> None:
    line, weights = Line(), list[float]()
    history = train(
        line,
        points(3.0),
        points(1.0),
        lr=0.03,
        on_step=press((12, 1)),
        on_epoch=lambda result: weights.append(float(line.w.numpy()[0])),
    )
    assert len(history.epochs) == 12
    assert history.epochs[-1].steps == 23
    assert 1 < history.best_epoch < 12
    assert line.w.numpy()[0] == pytest.approx(weights[history.best_epoch - 1], abs=0)


def test_interrupted_twice() -> None:
    """At once, though not without the best weights, where there are any."""

    def twice(epoch: int, step: int) -> None:
        press((epoch, step))(epoch, step)
        press((epoch, step))(epoch, step)

    with pytest.raises(KeyboardInterrupt):
        train(Line(), points(2.0), points(2.0), on_step=twice)
    line = Line()
    history = train(
        line,
        points(2.0),
        points(2.0),
        on_step=lambda *at: twice(*at) if at == (3, 1) else None,
    )
    assert history.interrupted
    assert len(history.epochs) == 2
    assert loss_of(line.w.numpy()[0], points(2.0)) == pytest.approx(
        history.best.validation_loss, rel=1e-5
    )


def test_an_ignored_interrupt_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    history = train(Line(), points(2.0), points(2.0), epochs=2, on_step=press((1, 1)))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    assert not history.interrupted
    assert len(history.epochs) == 2

"""The learning rate found by trying: rates that rise step by step, on a copy of the start."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from chainrule.compiler.epoch import run_epoch
from chainrule.data import Prepared
from chainrule.explain import curve
from chainrule.explain.plain import number
from chainrule.train.defaults import RATE
from chainrule.train.heads import loss_for
from chainrule.train.learning import loop_for, optimizer_for
from chainrule.train.loop import Loop
from chainrule.train.network import network_for
from chainrule.train.replay import fixed_draws
from chainrule.train.settings import Chosen
from chainrule.train.threads import one_thread_below

STEPS, LOWEST, HIGHEST = 300, 1e-6, 10.0
"""So many updates are made, at rates that rise geometrically between these."""

AT_ONCE = 30
"""So many updates are made with rows that are in memory at the same time."""

WINDOW = 21
"""The losses are smoothed by their mean over so many steps around each; it shifts nothing."""

FALLEN, RISEN = 0.9, 1.5
"""Below and above these shares of the first loss it has clearly fallen, or diverged."""

BELOW = 10.0
"""The rate taken is at most a tenth of the one at which the loss diverges."""


class RateSearch(BaseModel):
    """What was seen while the rate rose, up to where the loss diverged, and what came of it.

    `rates` tried, the `losses` before each update, and these smoothed. `steepest`: where the loss
    falls fastest; `diverged`: from where on it is above where it began; None: nowhere.
    """

    model_config = ConfigDict(frozen=True)

    rates: list[float]
    losses: list[float]
    smoothed: list[float]
    steepest: float | None
    diverged: float | None
    chosen: float
    reason: str

    def __str__(self) -> str:
        powers = np.log10(self.rates).round(1).tolist()
        drawn = curve({"loss": self.smoothed}, x=powers, height=8, x_name="rate = 10^x")
        return f"Learning rate {self.chosen:g}: {self.reason}\n{drawn}"


def find_rate(prepared: Prepared, settings: Chosen) -> RateSearch:
    """Find a learning rate for a training; neither it nor its random numbers are touched.

    A network with the same first weights makes `STEPS` updates at rates that rise geometrically.
    Where its smoothed loss falls fastest over the logarithm of the rate, learning is quickest (L.
    N. Smith, 2015, "Cyclical learning rates", https://arxiv.org/abs/1506.01186). The same seed
    finds the same rate, to the last bit.
    """
    size = min(settings.batch_size, len(prepared.train))
    settings = settings.model_copy(update={"batch_size": size})
    rates = np.geomspace(LOWEST, HIGHEST, STEPS)
    with fixed_draws(settings.seed):
        network = network_for(prepared.preparation, settings)
        loss = loss_for(prepared.preparation, prepared.train.weights is not None)
        optimizer = optimizer_for(network, settings)
        loop = loop_for(network, optimizer, loss, prepared.train, None, settings)
        groups = [group.cells["lr"][0] for group in optimizer.param_groups]
        with one_thread_below(size * network.largest):
            loop.compile(settings.epochs, settings.patience, settings.backend)
            losses = []
            order = _whole_batches(loop)
            for part, rows in zip(rates.reshape(-1, AT_ONCE), order, strict=True):
                held = [array[rows] for array in loop.train]  # they may lie on disk
                places, planned = np.arange(len(rows)), dict.fromkeys(groups, part)
                losses.append(run_epoch(loop.step, held, places, loop.batch_size, planned))
    return judged(rates, np.concatenate(losses))


def _whole_batches(loop: Loop) -> NDArray[np.int64]:
    """The rows of all steps, int64 [calls, rows]: epochs without their smaller last batches."""
    rows = len(loop.train[0])
    whole = rows // loop.batch_size * loop.batch_size
    epochs = range(1, -(-STEPS * loop.batch_size // whole) + 1)
    order = np.concatenate([loop.order(epoch)[:whole] for epoch in epochs])
    return order[: STEPS * loop.batch_size].reshape(STEPS // AT_ONCE, -1)


def judged(rates: NDArray[np.float64], losses: NDArray[np.float64]) -> RateSearch:
    """What losses at rising rates say; both float64 [steps].

    >>> rates = np.geomspace(1e-4, 1.0, 81)
    >>> losses = np.where(rates < 0.5, 1 / (1 + rates / 0.01), np.inf)
    >>> found = judged(rates, losses)
    >>> found.chosen, round(found.diverged, 4)
    (0.01, 0.5012)
    """
    start = float(np.mean(losses[:WINDOW]))
    losses = np.where(losses <= RISEN * start, losses, RISEN * start)  # not a number is high, too
    end = _divergence(losses >= RISEN * start)
    diverged = float(rates[end]) if end < len(rates) else None
    rates, losses = rates[:end], losses[:end]
    smoothed = _mean_around(losses)
    lowest = int(smoothed.argmin())
    slopes = _mean_around(np.gradient(smoothed))
    fell = float(smoothed[lowest]) < FALLEN * start
    steepest = float(rates[slopes[: lowest + 1].argmin()]) if fell else None
    chosen, reason = _choice(steepest, diverged)
    return RateSearch(
        rates=rates.tolist(),
        losses=losses.tolist(),
        smoothed=smoothed.tolist(),
        steepest=steepest,
        diverged=diverged,
        chosen=chosen,
        reason=reason,
    )


def _divergence(high: NDArray[np.bool_]) -> int:
    """From which step on most losses are high; a single hard batch is no divergence."""
    left = np.arange(len(high), 0, -1)
    share_from_here = np.cumsum(high[::-1])[::-1] / left
    found = np.flatnonzero(high & (share_from_here > 0.5))
    return int(found[0]) if len(found) else len(high)


def _choice(steepest: float | None, diverged: float | None) -> tuple[float, str]:
    """The rate, with two digits, and why it was taken."""
    limit = None if diverged is None else diverged / BELOW
    end = "it does not diverge" if diverged is None else f"it diverges at {number(diverged)}"
    if steepest is not None and (limit is None or steepest <= limit):
        return float(f"{steepest:.2g}"), f"there the loss falls fastest; {end}"
    if limit is not None:
        return float(f"{limit:.2g}"), f"a tenth of where the loss diverges, {number(diverged)}"
    reason = f"the usual one, as the loss neither falls nor diverges up to {HIGHEST:g}"
    return RATE, reason


def _mean_around(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of the `WINDOW` values around each; at both ends of as many as there are."""
    ones = np.ones(min(WINDOW, len(values)))
    counts = np.convolve(np.ones(len(values)), ones, "same")
    return np.asarray(np.convolve(values, ones, "same") / counts, np.float64)

"""Forecast: what comes next in a series of numbers, learned from its past by an LSTM.

    python examples/uses/forecast/forecast.py [TABLE COLUMN [PERIOD [HORIZON]]]

Without a table it forecasts two: airline passengers a year ahead, and the fine dust in Beijing's
air a day ahead. Rows are equally far apart in time; after PERIOD of them things repeat.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import chainrule as cr
from chainrule import nn, optim
from chainrule.data import read_table
from chainrule.nn.networks import LSTMForecaster, LSTMForecasterConfig

DATA = Path(__file__).parents[4] / "shared" / "data"


@dataclass(frozen=True)
class Task:
    """Which column to forecast, and what the network is shown: the last two periods."""

    table: Path
    column: str
    period: int  # rows after which things repeat
    horizon: int  # rows to forecast
    others: tuple = ()  # further columns that are shown
    relative: bool = False  # whether to learn by how many percent a period differs from the last
    stride: int = 1  # rows between one training window and the next
    epochs: int = 30


PASSENGERS = Task(DATA / "airline-passengers.csv", "Passengers", 12, 12, relative=True)
WEATHER = ("DEWP", "TEMP", "PRES", "Iws", "Ir", "hour", "month")
DUST = Task(DATA / "pollution.csv", "pm2.5", 24, 24, WEATHER, stride=6, epochs=6)

# -- prepare


def filled(numbers):
    """Missing numbers take the last known one; before the first, the first."""
    known = np.flatnonzero(~np.isnan(numbers))
    last = np.searchsorted(known, np.arange(len(numbers)), "right") - 1
    return numbers[known[np.maximum(0, last)]]


class Series:
    """The table as scaled inputs [time, columns]; the first four fifths train, the rest judges."""

    def __init__(self, task):
        self.task, columns = task, read_table(task.table).columns
        self.values = filled(columns[task.column].numbers)
        shown = [np.log(self.values) if task.relative else self.values]
        raw = np.stack([*shown, *(filled(columns[name].numbers) for name in task.others)], 1)
        self.cut = len(raw) * 4 // 5
        self.middle, self.spread = raw[: self.cut].mean(0), raw[: self.cut].std(0)
        self.inputs = ((raw - self.middle) / self.spread).astype(np.float32)
        last = 1 - task.horizon
        self.training = np.arange(2 * task.period, self.cut + last, task.stride)
        self.test = np.arange(self.cut, len(raw) + last)

    def ahead(self, starts, values):
        """What follows each start: [windows, horizon]."""
        return values[starts[:, None] + np.arange(self.task.horizon)]

    def season_ago(self, starts, values):
        """The same places of the last whole period before each start."""
        steps = np.arange(self.task.horizon) % self.task.period
        return values[starts[:, None] - self.task.period + steps]

    def base(self, starts):
        """What the network's output is added to: the last period, or the mean, which is 0."""
        season = self.season_ago(starts, self.inputs[:, 0])
        return season if self.task.relative else np.zeros_like(season)

    def shown(self, starts):
        """The inputs before each start: [windows, time, columns]."""
        return self.inputs[starts[:, None] + np.arange(-2 * self.task.period, 0)]


# -- train


def train(series, seed=0, rate=3e-3, batch=32, hidden=32):
    cr.manual_seed(seed)
    task, columns = series.task, series.inputs.shape[1]
    model = LSTMForecaster(LSTMForecasterConfig(columns, task.horizon, hidden=hidden))
    optimizer, criterion = optim.AdamW(model.parameters(), rate), nn.MSELoss()

    @cr.compile
    def learn(past, future):
        loss = criterion(model(past), future)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    starts, (lr,) = series.training, optimizer.param_groups[0].cells["lr"]
    future = series.ahead(starts, series.inputs[:, 0]) - series.base(starts)
    rng, steps = np.random.default_rng(seed), len(starts) // batch
    for rates in np.linspace(rate, 0, task.epochs * steps).reshape(task.epochs, steps):
        order = rng.permutation(len(starts))[: steps * batch]
        learn.epoch([series.shown(starts), future[..., None]], batch, order, {lr: rates})
    return model


# -- score


def judge(model, series):
    """Root mean squared errors over every start in the test part and every step ahead."""
    true = series.ahead(series.test, series.values)
    guesses = {
        "LSTM": forecast(model, series, series.test),
        "naive": series.values[series.test - 1][:, None],  # it stays as it is
        "seasonal naive": series.season_ago(series.test, series.values),
    }
    return {name: np.sqrt(np.mean((guess - true) ** 2)) for name, guess in guesses.items()}


# -- use


def forecast(model, series, starts):
    """What follows each start, in the column's own units: [windows, horizon]."""
    with cr.no_grad():
        found = model(cr.as_tensor(series.shown(starts))).numpy()[..., 0]
    found = (found + series.base(starts)) * series.spread[0] + series.middle[0]
    return np.exp(found) if series.task.relative else found


def main(table=None, column="", period=12, horizon=12):
    for task in [Task(table, column, int(period), int(horizon))] if table else [PASSENGERS, DUST]:
        series = Series(task)
        models = [train(series, seed) for seed in range(3)]
        found = [judge(model, series) for model in models]
        print(f"{task.column}, {task.horizon} rows ahead; RMSE, means over three seeds:")
        for name in found[0]:
            print(f"  {name:<15} {np.mean([scores[name] for scores in found]):.2f}")
        after = forecast(models[0], series, np.array([len(series.values)]))[0]
        print(f"After the last row: {', '.join(f'{value:.0f}' for value in after)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

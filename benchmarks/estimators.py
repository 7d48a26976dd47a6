"""The estimators beside the command line: CPU seconds of a fit on the same number of rows.

`chainrule train` reads, prepares, trains, scores and writes; `fit` is given a data frame, prepares
and trains. Both go through all of their epochs, on one thread and in one process, in turns. And
what a partial fit of 100 rows costs once its step is there.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.goals import Goal
from benchmarks.tables import TABLES, Table
from chainrule.train import train_table

EPOCHS, ROUNDS, CALLS = 20, 3, 100
GOAL = Goal(1.2, 1.0, at_most=True)


def main() -> None:
    """A fit takes at most 1.2 times what the whole of `chainrule train` takes."""
    print(f"Fits of {EPOCHS} epochs, CPU seconds, medians of {ROUNDS} rounds")
    print(f"{'':14}{'chainrule train':>16}{'fit':>8}")
    for name in ("California", "adult"):
        if Path(TABLES[name].data).is_file():
            print(_line(name, TABLES[name]), flush=True)
        else:
            print(f"{name:14}left out: there is no {TABLES[name].data}")
    print(f"A partial fit of 100 rows: {_partial() * 1e3:.1f} ms, after the first {CALLS // 2}")


def _line(name: str, table: Table) -> str:
    ours, theirs = [], []
    for seed in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            settings = table.settings(seed, f"{folder}/run").model_copy(
                update={"epochs": EPOCHS, "patience": EPOCHS}
            )
            taken, trained = _cpu(lambda settings=settings: train_table(settings))
        ours.append(taken)
        theirs.append(_cpu(_fit(table, trained, seed))[0])
    one, other = statistics.median(ours), statistics.median(theirs)
    return f"{name:14}{one:16.2f}{other:8.2f}   {GOAL.verdict(other / one)}"


def _fit(table: Table, trained: Any, seed: int) -> Callable[[], Any]:
    """A fit on as many rows, of which as many are held out."""
    import pandas

    from chainrule.estimators import NeuralClassifier, NeuralRegressor

    names = None if table.names is None else table.names.split(",")
    frame = pandas.read_csv(table.data, names=names, skipinitialspace=True)
    train, held = len(trained.prepared.train), len(trained.prepared.validation)
    frame = frame.sample(train + held, random_state=seed)
    answers = frame.pop(table.target)
    kind = NeuralRegressor if trained.model.task == "regression" else NeuralClassifier
    made = kind(epochs=EPOCHS, patience=EPOCHS, random_state=seed,
                validation_fraction=held / (train + held))  # fmt: skip
    return lambda: made.fit(frame, answers)


def _partial() -> float:
    """CPU seconds of one call, the median of the later half."""
    from chainrule.estimators import NeuralRegressor

    x = np.random.default_rng(0).normal(size=(100, 8))
    made = NeuralRegressor(random_state=0)
    taken = [_cpu(lambda: made.partial_fit(x, x[:, 0]))[0] for _ in range(CALLS)]
    return statistics.median(taken[CALLS // 2 :])


def _cpu(run: Callable[[], Any]) -> tuple[float, Any]:
    began = time.process_time()
    found = run()
    return time.process_time() - began, found

"""What showing its work costs: training with everything kept that opens its steps later, beside the
same training that keeps nothing; and opening a step of 784-512-256-10. All in seconds of the
processor, so that others on the machine do not count.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.goals import Goal, duration

ROUNDS = 5
RECORDING = Goal(0.02, 0.01, at_most=True)
OPENING = Goal(1.0, 0.5, at_most=True)
TRAININGS = {"two small layers": ([64, 64], 32, 40), "wide layers": ([256, 256], 256, 10)}
ROWS, COLUMNS = 10_000, 8
IMAGES, PIXELS = 1_000, 784


def main(arguments: list[str] | None = None) -> None:
    """Recording: at most 2% of the time; opening: less than a second."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks explaining")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args(arguments or []).rounds
    with tempfile.TemporaryDirectory() as folder:
        print(f"Training on {ROWS:,} rows of {COLUMNS} columns, kept over not kept, in turns")
        for name in TRAININGS:
            _recording(name, Path(folder), rounds)
        print(f"\nOpening a step of {PIXELS}-512-256-10, {IMAGES:,} rows in batches of 64")
        _opening(Path(folder), rounds)


def _recording(name: str, folder: Path, rounds: int) -> None:
    kept, alone = _trainings(name, folder)
    pairs = [(_seconds(kept), _seconds(alone)) for _ in range(rounds + 1)][1:]
    share = statistics.median(one / other for one, other in pairs) - 1
    whole = statistics.median(other for _, other in pairs)
    print(f"  {name:<18}{duration(whole):>10}   {share:+7.2%}   {RECORDING.verdict(share)}")


def _trainings(name: str, folder: Path) -> tuple[Callable[[], object], Callable[[], object]]:
    """Trains in two ways from the same first weights: as a run, and without a trace."""
    from chainrule import generator
    from chainrule.train import Settings, Watcher
    from chainrule.train.defaults import choose
    from chainrule.train.heads import loss_for
    from chainrule.train.learning import learn, optimizer_for
    from chainrule.train.network import network_for
    from chainrule.train.preparing import prepared_for
    from chainrule.train.table import begun, recorded

    layers, batch, epochs = TRAININGS[name]
    path = folder / f"{name}.csv"
    _table(path, ROWS, COLUMNS, np.random.default_rng(0))
    given = {"data": str(path), "target": "y", "layers": layers, "batch_size": batch}
    settings = Settings.model_validate({**given, "epochs": epochs, "patience": epochs})
    prepared = prepared_for(settings)
    chosen = choose(settings, prepared.preparation, len(prepared.train))
    numbers = iter(range(10**6))

    def kept() -> None:
        generator.manual_seed(0)
        network = network_for(prepared.preparation, chosen)
        own = chosen.model_copy(update={"output": str(folder / f"{name}-{next(numbers)}")})
        run = begun(own, prepared, network)
        recorded(network, chosen, prepared, run, Watcher(), lambda result: None)

    def alone() -> None:
        generator.manual_seed(0)
        network = network_for(prepared.preparation, chosen)
        loss, optimizer = loss_for(prepared.preparation, False), optimizer_for(network, chosen)
        learn(network, optimizer, loss, prepared.train, prepared.validation, chosen)

    return kept, alone


def _opening(folder: Path, rounds: int) -> None:
    from chainrule.train import Run, Settings, train_table

    path, run = folder / "images.csv", folder / "images"
    _table(path, IMAGES, PIXELS, np.random.default_rng(1), classes=10)
    given = {"data": str(path), "target": "y", "layers": [512, 256], "batch_size": 64}
    trained = train_table(Settings.model_validate({**given, "epochs": 2, "output": str(run)}))
    last = trained.history.epochs[-1].steps
    first, again = [], []
    for place in range(rounds):
        opened = Run(run)
        first.append(_seconds(lambda: opened.step(last - place).to_json()))  # noqa: B023
        again.append(_seconds(lambda: opened.step(1 + place).to_json()))  # noqa: B023
    for name, seconds in (("the first of a run", first), ("another of it", again)):
        median = statistics.median(seconds)
        print(f"  {name:<18}{duration(median):>10}   {OPENING.verdict(median)}")


def _table(path: Path, rows: int, columns: int, rng: np.random.Generator, classes: int = 0) -> None:
    """Numbers, and a target that some of them tell."""
    x = rng.standard_normal((rows, columns)).astype(np.float32).round(3)
    told = x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + 0.2 * rng.standard_normal(rows)
    places = np.argsort(np.argsort(told)) * classes // rows
    target = [f"c{place}" for place in places] if classes else told.round(4)
    with path.open("w") as file:
        file.write(",".join([*(f"x{place}" for place in range(columns)), "y"]) + "\n")
        for row, answer in zip(x.tolist(), target, strict=True):
            file.write(",".join(map(str, [*row, answer])) + "\n")


def _seconds(function: Callable[[], object]) -> float:
    began = time.process_time()
    function()
    return time.process_time() - began

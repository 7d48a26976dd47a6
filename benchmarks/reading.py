"""From a CSV file to arrays a network can learn from, beside pandas with scikit-learn.

A million rows of 20 columns: 12 of numbers, half of them with missing cells, 5 of categories, a
date, a yes or no, and a number of the order; made by a recipe with seed 0. Both sides read, drop
repeated rows, split 70/15/15, learn from the training rows (medians, scales, categories, parts of
dates) and encode all three parts as float32. chainrule also finds out the types, looks for what is
wrong and says so with lines; pandas is told the types. By itself chainrule spreads numbers over
quantile bins as well, which makes its arrays a third larger. Without bins both do the same, the two
categories of 25 and 40 as codes for a table of learned vectors; scikit-learn alone, which has no
such table, makes a number of each of their values ("one-hot").

A process each, in turns; medians of the seconds, of the seconds that all cores spent, and of the
peak memory (resident set).
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

ROWS, ROUNDS = 1_000_000, 3
LEVELS = (3, 6, 12, 25, 40)
START = np.datetime64("2015-01-01")
NUMBERS = [f"n{i}" for i in range(12)]
CATEGORIES = [f"c{i}" for i in range(len(LEVELS))]


def main(options: list[str] | None = None) -> None:
    """`--rows N` and `--rounds N` make it smaller or larger."""
    rows, rounds = _option(options, "--rows", ROWS), _option(options, "--rounds", ROUNDS)
    print(f"Reading: CSV of {rows:,} rows x 20 columns to arrays; medians of {rounds} rounds")
    print(f"{'':24}{'seconds':>10}{'CPU s':>10}{'peak MB':>10}{'features':>10}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "orders.csv"
        write(path, rows)
        found: dict[str, list[dict[str, float]]] = {name: [] for name in CONTENDERS}
        for _ in range(rounds):
            for name, results in found.items():
                results.append(_measured(name, path))
    for name, results in found.items():
        keys = ("seconds", "cpu", "peak")
        seconds, cpu, peak = (statistics.median(r[key] for r in results) for key in keys)
        features = results[0]["features"]
        print(f"{name:24}{seconds:10.2f}{cpu:10.2f}{peak:10,.0f}{features:10.0f}")


def _option(options: list[str] | None, name: str, default: int) -> int:
    given = options or []
    return int(given[given.index(name) + 1]) if name in given else default


def write(path: Path, rows: int) -> None:
    """The table, piece by piece; what a row holds does not depend on how many there are."""
    with path.open("w") as file:
        file.write(",".join(["order", "day", "member", *CATEGORIES, *NUMBERS]) + "\n")
        for lines in _pieces(rows):
            file.write("\n".join(lines) + "\n")


def _pieces(rows: int, at_once: int = 50_000) -> Iterator[list[str]]:
    for piece, start in enumerate(range(0, rows, at_once)):
        noise = np.random.default_rng([0, piece])
        numbers = noise.normal(50, 10, (at_once, len(NUMBERS)))
        numbers[:, 3] = np.exp(numbers[:, 3] / 20)
        levels = [np.minimum(noise.geometric(2 / n, at_once), n) - 1 for n in LEVELS]
        numbers[:, 0] = numbers[:, 1:6].sum(axis=1) + 3 * levels[0] + noise.normal(0, 5, at_once)
        texts = np.char.mod("%.2f", numbers)
        texts[:, 6:][noise.random((at_once, 6)) < 0.04] = ""
        days = (START + noise.integers(0, 3650, at_once)).astype(str)
        member = np.where(noise.random(at_once) < 0.3, "yes", "no")
        order = noise.permutation(at_once) + 10_000_000 + start
        named = [np.char.add(f"kind {i} of ", level.astype(str)) for i, level in enumerate(levels)]
        columns = [order.astype(str), days, member, *named, *texts.T]
        yield [",".join(row) for row in zip(*columns, strict=True)][: rows - start]


def _measured(name: str, path: Path) -> dict[str, float]:
    """What a process of its own says about one side."""
    command = [sys.executable, "-m", "benchmarks.reading", name, str(path)]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(found.stdout.splitlines()[-1]))


def ours(path: str, bins: int | None = None) -> list[Any]:
    from chainrule.data import prepare, read_table

    made = prepare(read_table(path), "n0", bins=bins)
    return [part.numbers for part in (made.train, made.validation, made.test)]


def theirs(path: str, codes: bool = True) -> list[Any]:
    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import (
        FunctionTransformer,
        OneHotEncoder,
        OrdinalEncoder,
        StandardScaler,
    )

    table = pd.read_csv(path, parse_dates=["day"]).drop_duplicates()
    target = table.pop("n0").to_numpy(np.float32)
    train, rest, _, others = train_test_split(table, target, test_size=0.3, random_state=0)
    validation, test = train_test_split(rest, test_size=0.5, random_state=0)
    del table, rest, others
    seldom = {"min_frequency": 10, "handle_unknown": "infrequent_if_exist"}
    columns = ColumnTransformer(
        [
            (
                "numbers",
                make_pipeline(
                    SimpleImputer(strategy="median", add_indicator=True), StandardScaler()
                ),
                NUMBERS[1:],
            ),
            (
                "categories",
                OneHotEncoder(**seldom, sparse_output=False, dtype=np.float32),
                [*CATEGORIES[: 3 if codes else None], "member"],
            ),
            (
                "many categories",
                OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
                CATEGORIES[3:] if codes else [],
            ),
            ("date", make_pipeline(FunctionTransformer(_parts), StandardScaler()), ["day"]),
        ]
    )
    made = columns.fit_transform(train).astype(np.float32)
    return [made, *(columns.transform(part).astype(np.float32) for part in (validation, test))]


def _parts(days: Any) -> Any:
    """Time, year, month, day, weekday and two cycles of a date, as a frame."""
    day = days["day"].dt
    turns = [2 * np.pi * day.day_of_year / 365.25, 2 * np.pi * day.day_of_week / 7]
    parts = [days["day"].astype("int64"), day.year, day.month, day.day, day.day_of_week]
    return np.stack([*parts, *(wave(t) for t in turns for wave in (np.sin, np.cos))], axis=1)


CONTENDERS: dict[str, Callable[[str], list[Any]]] = {
    "chainrule": ours,
    "chainrule, no bins": partial(ours, bins=0),
    "pandas + scikit-learn": theirs,
    "the same, one-hot": partial(theirs, codes=False),
}

if __name__ == "__main__":
    began = time.perf_counter()
    arrays = CONTENDERS[sys.argv[1]](sys.argv[2])
    result = {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time(),
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "features": arrays[0].shape[1],
    }
    print(json.dumps(result))

"""The main job on real tables: the mean score over three seeds, beside the trivial answer.

The first two tables come with the package; the others are read from ../shared/data, or from the
folder in BENCHMARK_TABLES, and left out where that is absent.
"""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from chainrule.train import Settings, train_table
from chainrule.train.metrics import MAIN

SEEDS = (0, 1, 2)
FOLDER = Path(os.environ.get("BENCHMARK_TABLES", Path(__file__).parents[2] / "shared" / "data"))
ADULT = (
    "age,workclass,fnlwgt,education,education-num,marital-status,occupation,relationship,race,sex,"
    "capital-gain,capital-loss,hours-per-week,native-country,income"
)


@dataclass(frozen=True)
class Table:
    """A table, what to predict, and the score to reach: at least an accuracy, at most an RMSE."""

    data: str
    goal: float | None = None
    target: str = ""
    test: str | None = None
    names: str | None = None

    def settings(self, seed: int, output: str) -> Settings:
        values: dict[str, Any] = {"data": self.data, "target": self.target, "test": self.test}
        if self.names is not None:
            values["names"] = self.names.split(",")
        return Settings.model_validate({**values, "seed": seed, "output": output})


TABLES = {
    "digits": Table("digits", 0.965),
    "diabetes": Table("diabetes"),
    "titanic": Table(str(FOLDER / "titanic.csv"), 0.76, "Survived"),
    "California": Table(
        str(FOLDER / "california_housing" / "california_housing.csv"), 0.53, "MedHouseVal"
    ),
    "adult": Table(
        str(FOLDER / "adult" / "adult-train.csv"),
        0.85,
        "income",
        str(FOLDER / "adult" / "adult-test.csv"),
        ADULT,
    ),
}


def main() -> None:
    print(f"Tables: means over seeds {', '.join(map(str, SEEDS))}; the longest of the three times")
    print(f"{'':12}{'metric':>10}{'score':>10}{'baseline':>10}{'goal':>10}{'seconds':>10}")
    for name, table in TABLES.items():
        if table.target and not Path(table.data).is_file():
            print(f"{name:12}left out: there is no {table.data}")
        else:
            print(_line(name, table))


def _line(name: str, table: Table) -> str:
    scores, baselines, seconds, metric = [], [], [], ""
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            trained = train_table(table.settings(seed, f"{folder}/run"))
            seconds.append(time.perf_counter() - began)
        metric = MAIN[trained.model.task]
        scores.append(trained.scores[metric])
        baselines.append(trained.baseline[metric])
    reached = mean(scores)
    goal, verdict = "", ""
    if table.goal is not None:
        goal = f"{'<=' if metric == 'rmse' else '>='} {table.goal}"
        met = reached <= table.goal if metric == "rmse" else reached >= table.goal
        verdict = "" if met else "  missed"
    numbers = f"{reached:10.4f}{mean(baselines):10.4f}{goal:>10}{max(seconds):10.1f}"
    return f"{name:12}{metric:>10}{numbers}{verdict}"

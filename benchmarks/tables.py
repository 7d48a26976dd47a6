"""The main job on real tables by the command line: mean scores, beside the trivial answer.

Nothing is given but the target, names where a file has no header that are worth having, and a test
file where there is one. The first two tables come with the package; the others are read from
../shared/data, or from the folder in BENCHMARK_TABLES, and left out where that is absent.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.harness import FailedError
from chainrule.train import Settings
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

    @property
    def command(self) -> list[str]:
        """What is typed after `chainrule`."""
        flags = {"--target": self.target, "--test": self.test, "--names": self.names}
        given = [part for flag, value in flags.items() if value for part in (flag, value)]
        return ["train", self.data, *given]

    def settings(self, seed: int, output: str) -> Settings:
        """The same as settings, for a training in this process."""
        values: dict[str, Any] = {"data": self.data, "target": self.target, "test": self.test}
        if self.names is not None:
            values["names"] = self.names.split(",")
        return Settings.model_validate({**values, "seed": seed, "output": output})


def shared(
    file: str,
    goal: float,
    target: str,
    test: str | None = None,
    names: str | None = None,
) -> Table:
    """A table of the folder."""
    return Table(
        str(FOLDER / file), goal, target, None if test is None else str(FOLDER / test), names
    )


TABLES = {
    "digits": Table("digits", 0.965),
    "diabetes": Table("diabetes"),
    "titanic": shared("titanic.csv", 0.76, "Survived"),
    "California": shared("california_housing/california_housing.csv", 0.53, "MedHouseVal"),
    "housing_raw": shared("california_housing/housing_raw.csv", 55_000, "median_house_value"),
    "adult": shared("adult/adult-train.csv", 0.85, "income", "adult/adult-test.csv", ADULT),
    "horse-colic": shared("horse-colic.csv", 0.75, "-5"),
    "german_credit": shared("german_credit.csv", 0.73, "-1"),
    "abalone": shared("abalone.csv", 2.4, "-1"),
    "wine, red": shared("wine_quality/winequality-red.csv", 0.55, "-1"),
    "wine, white": shared("wine_quality/winequality-white.csv", 0.5, "-1"),
    "pollution": shared("pollution.csv", 70, "pm2.5"),
    "sms_spam": shared("sms_spam.tsv", 0.975, "Label"),
}


def main() -> None:
    print(f"Tables: means over seeds {', '.join(map(str, SEEDS))}; the longest of the three times")
    print(f"{'':14}{'metric':>10}{'score':>11}{'baseline':>11}{'goal':>11}{'seconds':>9}")
    for name, table in TABLES.items():
        if table.target and not Path(table.data).is_file():
            print(f"{name:14}left out: there is no {table.data}")
        else:
            print(_line(name, table), flush=True)
            print(f"    chainrule {shlex.join(table.command)}".replace(f"{FOLDER}/", ""))


def _line(name: str, table: Table) -> str:
    scores, baselines, seconds, metric = [], [], [], ""
    for seed in SEEDS:
        began = time.perf_counter()
        run = trained(table, seed)
        seconds.append(time.perf_counter() - began)
        metric = MAIN[run["task"]]
        scores.append(run["scores"][metric])
        baselines.append(run["baseline"][metric])
    reached = mean(scores)
    goal, verdict = "", ""
    if table.goal is not None:
        goal = f"{'<=' if metric == 'rmse' else '>='} {table.goal:,}"
        met = reached <= table.goal if metric == "rmse" else reached >= table.goal
        verdict = "" if met else "  missed"
    numbers = f"{_short(reached):>11}{_short(mean(baselines)):>11}{goal:>11}{max(seconds):9.1f}"
    return f"{name:14}{metric:>10}{numbers}{verdict}"


def trained(table: Table, seed: int) -> dict[str, Any]:
    """What `chainrule train --json` says of one training; FailedError if it fails."""
    with tempfile.TemporaryDirectory() as folder:
        flags = ["--seed", str(seed), "--output", f"{folder}/run", "--json", "--quiet"]
        command = [sys.executable, "-m", "chainrule", *table.command, *flags]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise FailedError(done.stderr.strip())
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _short(score: float) -> str:
    """A score with as many digits as tell something."""
    return f"{score:,.0f}" if score >= 1000 else f"{score:.4g}" if score >= 10 else f"{score:.4f}"

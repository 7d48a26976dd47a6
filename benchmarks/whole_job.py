"""California housing trained for 20 epochs, whole processes from the command line: read, split,
scale, train, validate each epoch, score on test rows. `chainrule train` beside the plain script
`california_torch.py`: the same layers, optimizer, schedule, rate and batches.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.goals import Goal, slower, table
from benchmarks.harness import whole_processes
from benchmarks.tables import FOLDER

ROUNDS = 3
GOAL = Goal(4, 10)
DATA = FOLDER / "california_housing" / "california_housing.csv"
LABELS = {"chainrule": "chainrule train", "torch": "PyTorch script"}
SIZES = {"64,64": 64, "256,128": 256}  # widths and rows in a batch; the second is our own choice
FLAGS = {
    "target": "MedHouseVal",
    "epochs": 20,
    "patience": 20,
    "bins": 0,  # numbers are scaled, as the script does it
    "optimizer": "adam",
    "lr": 0.001,
    "schedule": "constant",
    "dropout": 0,
    "weight-decay": 0,
}


def main(arguments: list[str] | None = None) -> None:
    """At least 4 times faster than the script, aim 10."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks whole_job")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args(arguments or []).rounds
    if not DATA.is_file():
        print(f"California housing left out: there is no {DATA}")
        return
    print("California housing, 20 epochs with Adam, whole processes; PyTorch over ours")
    for widths, batch in SIZES.items():
        found, failures = _measured(widths, batch, rounds)
        remarks = {"chainrule": slower(found, "torch", "chainrule", GOAL)}
        print(f"\nwidths {widths}, batch {batch}")
        print(table(LABELS, found, failures, remarks), flush=True)


def _measured(widths: str, batch: int, rounds: int) -> tuple[dict[str, float], dict[str, str]]:
    script = str(Path(__file__).with_name("california_torch.py"))
    flags: dict[str, Any] = {**FLAGS, "layers": widths, "batch-size": batch}
    with tempfile.TemporaryDirectory() as folder:
        train = [
            "-m",
            "chainrule",
            "train",
            str(DATA),
            "--quiet",
            "--output",
            folder + "/run{round}",
        ]
        train += [f"--{name}={value}" for name, value in flags.items()]
        return whole_processes(
            {"chainrule": train, "torch": [script, str(DATA), widths, str(batch)]}, rounds
        )

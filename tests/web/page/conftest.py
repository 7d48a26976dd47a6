"""What the tests of the page share: a folder of three runs, and a page of it that answers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from chainrule.train import Settings, train_table

pytest.importorskip("starlette")
pytest.importorskip("sse_starlette")


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page") / "runs"
    houses = houses_in(folder.parent)
    for name, data, target, rate in (
        ("price run", "courier", "charge", 0.01),
        ("arms", "spirals", "arm", 0.02),
        ("houses", str(houses), "sold", 0.01),
    ):
        chosen = {"data": data, "target": target, "lr": rate, "epochs": 3, "layers": [4]}
        more = {"dropout": 0.0, "output": str(folder / name)}
        train_table(Settings.model_validate({**chosen, **more}))
    return folder


def houses_in(folder: Path) -> Path:
    """A table of three numbers, a place and an answer that two of the numbers tell."""
    rng = np.random.default_rng(0)
    rows = [
        f"{area:.1f},{age:.0f},{floor},{'NSEW'[floor % 4]},{'yes' if area > age else 'no'}"
        for area, age, floor in zip(
            rng.uniform(20, 90, 90), rng.uniform(20, 90, 90), rng.integers(0, 9, 90), strict=True
        )
    ]
    table = folder / "houses.csv"
    table.write_text("area,age,floor,side,sold\n" + "\n".join(rows) + "\n")
    return table


@pytest.fixture(scope="session")
def address(runs: Path) -> Iterator[str]:
    """Where the page of the runs is, as `chainrule ui` tells it."""
    ask = [sys.executable, "-m", "chainrule", "ui", str(runs), "--port", "0", "-q"]
    with subprocess.Popen(ask, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.terminate()

"""The rate finder: what courses of losses say, the same every time, and nothing else is touched."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.data import prepare, read_table
from chainrule.errors import SettingError
from chainrule.train import Settings, train_table
from chainrule.train.defaults import RATE, choose
from chainrule.train.rate_finder import HIGHEST, LOWEST, STEPS, RateSearch, judged

RATES = np.geomspace(LOWEST, HIGHEST, STEPS)


def falling(steepest: float, diverges: float = np.inf) -> Any:
    """Losses of 1 that fall fastest at a rate, over its logarithm, and then jump."""
    return np.where(diverges > RATES, 1 / (1 + RATES / steepest), np.nan)


@given(st.floats(-4.0, -1.5), st.floats(1.5, 3.0))
def test_the_rate_of_the_steepest_fall(power: float, apart: float) -> None:
    found = judged(RATES, falling(10**power, 10 ** (power + apart)))
    assert found.steepest == pytest.approx(10**power, rel=0.1)
    assert found.chosen == pytest.approx(found.steepest, rel=0.05)
    assert "falls fastest" in found.reason


def test_what_else_losses_say() -> None:
    near = judged(RATES, falling(1e-2, 3e-2))
    assert near.chosen == pytest.approx(3e-3, rel=0.1)
    assert near.reason.startswith("a tenth of where the loss diverges")
    flat = judged(RATES, np.where(RATES < 0.1, 1.0, 50.0))
    assert (flat.steepest, flat.chosen) == (None, pytest.approx(0.01, rel=0.1))
    nothing = judged(RATES, np.ones(STEPS))
    assert (nothing.steepest, nothing.diverged, nothing.chosen) == (None, None, RATE)
    hard = falling(1e-3)
    hard[40] = 30.0  # a single hard batch
    assert judged(RATES, hard).diverged is None


@pytest.mark.parametrize("backend", ["native", "interpret"])
def test_a_training_with_the_rate_that_was_found(backend: str, tmp_path: Path) -> None:
    settings = {"data": "courier", "epochs": 4, "layers": [8], "dropout": 0.2, "backend": backend}
    runs = []
    for name, lr in [("found", "auto"), ("again", "auto"), ("given", None)]:
        lr = runs[0].settings.lr if lr is None else lr
        given = Settings.model_validate({**settings, "lr": lr, "output": str(tmp_path / name)})
        runs.append(train_table(given))
    found, again, same = runs
    kept = RateSearch.model_validate_json((tmp_path / "found" / "rate.json").read_bytes())
    assert found.rate_search == again.rate_search == kept
    assert found.settings.lr == kept.chosen == tomllib.loads(found.run.settings_text())["lr"]
    assert f"Learning rate {kept.chosen:g}: " in str(kept)
    assert same.rate_search is None  # the search left no trace in the training
    weights = same.model.weights()
    assert all((array == weights[name]).all() for name, array in found.model.weights().items())


def test_where_no_rate_is_sought() -> None:
    prepared = prepare(read_table("courier"), "charge")
    with pytest.raises(SettingError, match="lr cannot be 'auto' here"):
        choose(Settings(lr="auto"), prepared.preparation, 9)

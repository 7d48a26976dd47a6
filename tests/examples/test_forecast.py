"""The example that forecasts: a season that grows is foreseen better than by repeating it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.examples.uses import load

example = load("forecast")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Growth of 2 % a row, a season of 6 rows, a little noise, one gap."""
    time = np.arange(150)
    noise = np.random.default_rng(0).normal(0, 0.01, len(time))
    values = np.exp(3 + 0.02 * time + 0.4 * np.sin(time * np.pi / 3) + noise)
    cells = [f"{value:.3f}" for value in values]
    cells[40] = ""
    path = tmp_path / "sales.csv"
    path.write_text("\n".join(["row,sales", *(f"{i},{cell}" for i, cell in enumerate(cells)), ""]))
    return path


def test_a_growing_season_is_foreseen(table: Path) -> None:
    task = example.Task(table, "sales", 6, 6, relative=True, epochs=20)
    series = example.Series(task)
    scores = example.judge(example.train(series), series)
    assert scores["LSTM"] < 0.7 * min(scores["naive"], scores["seasonal naive"])


def test_nothing_of_the_test_part_is_learned(table: Path) -> None:
    task = example.Task(table, "sales", 6, 4)
    series, last = example.Series(task), 150 * 4 // 5
    places = series.ahead(series.training, np.arange(150))
    assert places.max() == last - 1
    assert series.ahead(series.test, np.arange(150)).tolist()[0] == [
        last,
        *range(last + 1, last + 4),
    ]
    np.testing.assert_allclose(series.middle, series.values[:last].mean())


def test_last_season_is_known_at_the_start(table: Path) -> None:
    series = example.Series(replace(example.PASSENGERS, table=table, column="sales", period=6))
    found = series.season_ago(np.array([20]), np.arange(150))
    assert found[0].tolist() == [*range(14, 20), *range(14, 20)]  # a horizon of two periods


def test_gaps_take_the_last_known_number() -> None:
    found = example.filled(np.array([np.nan, 2.0, np.nan, np.nan, 5.0]))
    assert found.tolist() == [2, 2, 2, 2, 5]

"""The example that detects fraud: far better than chance, calibrated, and as precise as asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tests.examples.uses import load

example = load("detect")


def test_fraud_is_found(tmp_path: Path) -> None:
    example.make_payments(tmp_path / "payments.csv", rows=6000)
    trained = example.train(tmp_path / "payments.csv", "fraud", tmp_path, "balanced", epochs=4)
    scores, calibrate, threshold = example.judge(trained, 0.5)
    assert scores["average precision"] > 5 * scores["share of frauds"]
    assert scores["log loss calibrated"] < 0.5 * scores["log loss as trained"]
    assert 0 < calibrate(np.array([0.0])).item() < 1
    assert threshold > 0


def test_the_threshold_is_the_least_that_is_precise_enough() -> None:
    chances = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    rare = np.array([True, False, True, True, False])
    assert example.threshold_for(0.75, chances, rare) == 0.6  # 3 of 4
    assert example.threshold_for(0.9, chances, rare) == 0.9
    assert example.threshold_for(1.0, chances, ~rare) > 1


def test_calibration_finds_how_odds_were_bent() -> None:
    """Odds that are twice too far from 0, and shifted, as class weights do."""
    rng = np.random.default_rng(0)
    true = rng.normal(-2, 1.5, 20_000)
    rare = rng.random(len(true)) < 1 / (1 + np.exp(-true))
    calibrate = example.calibration(2 * true + 3, rare)
    odds = np.array([-4.0, -2.0, 0.0])
    np.testing.assert_allclose(calibrate(2 * odds + 3), 1 / (1 + np.exp(-odds)), atol=0.02)


def test_payments_are_drawn_with_their_chances(tmp_path: Path) -> None:
    chances = example.make_payments(tmp_path / "payments.csv", rows=20_000, seed=3)
    lines = (tmp_path / "payments.csv").read_text("utf-8").splitlines()[1:]
    share = np.mean([line.endswith("yes") for line in lines])
    assert abs(share - chances.mean()) < 4 * np.sqrt(chances.mean() / len(chances))

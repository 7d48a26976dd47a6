"""The example that classifies images: digits, and a folder of images by class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.examples.uses import load

classify = load("classify")


def test_digits_are_classified_far_above_chance(capsys: pytest.CaptureFixture[str]) -> None:
    small = {
        "cnn": dict(epochs=3, rate=3e-3),
        "vit": dict(epochs=6, rate=2e-3),
    }
    means = classify.run(settings=small, seeds=1)
    assert means["cnn"] > 0.7
    assert means["vit"] > 0.3
    assert "always the most frequent class: 0.1000" in capsys.readouterr().out


def test_a_folder_of_images_by_class(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Bars that lie and bars that stand, of 9 x 12 pixels in colours: they are made square."""
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(0)
    for number in range(40):
        pixels = rng.integers(0, 60, (9, 12, 3), dtype=np.uint8)
        lies = number % 2 == 0
        pixels[(4, slice(2, 10)) if lies else (slice(1, 8), 6)] = 255
        folder = tmp_path / ("lying" if lies else "standing")
        folder.mkdir(exist_ok=True)
        image.fromarray(pixels).save(folder / f"{number}.png")
    images, codes, classes = classify.read(str(tmp_path))
    assert images.shape == (40, 3, 16, 16)
    assert images[:, :, :3].max() == 0.0
    assert (classes, codes.tolist()) == (["lying", "standing"], [0] * 20 + [1] * 20)
    small = {"cnn": dict(epochs=15, rate=3e-3, batch=8)}
    assert classify.run(str(tmp_path), small, seeds=1)["cnn"] > 0.7


def test_a_shifted_image_shows_the_same_elsewhere() -> None:
    images = np.zeros((50, 1, 8, 8), np.float32)
    images[:, 0, 3, 4] = 1.0
    moved = classify.shifted(images, np.random.default_rng(0))
    places = {tuple(place) for place in np.argwhere(moved)[:, 2:].tolist()}
    assert (moved.sum((1, 2, 3)) == 1).all()
    assert places == {(row, column) for row in (2, 3, 4) for column in (3, 4, 5)}

"""The example that hears: made sounds are told apart, and bands lie where ears have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.examples.uses import USES, load


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(USES / "hear"))
    return load("hear")


def test_sounds_are_told_apart(example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("soundfile")
    import sounds

    monkeypatch.setattr(sounds, "WORDS", ("oa",))
    monkeypatch.setattr(sounds, "TONES", {"square": sounds.TONES["square"]})
    monkeypatch.setattr(sounds, "WAYS", {"steady": 0})
    example.make_sounds(tmp_path, each=32, spoken=False)
    spectrograms, labels, classes = example.read(tmp_path)
    assert classes == ["nothing", "oa", "square steady"]
    accuracy, _, ear = example.judge(spectrograms, labels, 3, epochs=12, batch=16, widths=(8, 16))
    assert accuracy > 0.6  # by chance 0.33
    np.testing.assert_allclose(ear(spectrograms[:3]).sum(1), 1, rtol=1e-5)


def test_a_tone_is_loudest_in_its_band(example) -> None:
    """mel = 2595 log10(1 + hertz / 700): 32 bands up to 4,000 hertz are 65 mel apart."""
    for hertz in (500, 1000, 3000):
        sound = np.sin(2 * np.pi * hertz * np.arange(8000) / 8000)[None]
        found = example.log_mel(sound, 8000)
        assert found.shape == (1, 1, 32, 61)
        step = 2595 * np.log10(1 + 4000 / 700) / 33
        expected = 2595 * np.log10(1 + hertz / 700) / step - 1
        assert abs(found[0, 0, :, 30].argmax() - expected) <= 1

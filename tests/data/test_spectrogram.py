"""Sounds as pictures: where tones and silence lie, and that nothing else is learned from them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.data import ArrayColumn, Column, Preparation, Table
from chainrule.data.spectrogram import BANDS, FLOOR, MOMENTS, Spectrogram
from chainrule.data.target import ClassTarget

RATE = 8000


def tone(frequency: float, samples: int = 2000) -> np.ndarray:
    return np.sin(2 * np.pi * frequency * np.arange(samples) / RATE).astype(np.float32)


def heard(*sounds: np.ndarray) -> np.ndarray:
    column = ArrayColumn(np.stack(sounds), rate=RATE)
    record = Spectrogram.fit("sound", column)
    return record.inverse(record.apply(column))


@settings(max_examples=10, deadline=None)
@given(st.floats(300, 3500))
def test_a_tone_is_loudest_in_the_band_whose_middle_is_nearest(frequency: float) -> None:
    highest = 2595 * np.log10(1 + RATE / 2 / 700)
    middles = 700 * (10 ** (np.linspace(0, highest, BANDS + 2)[1:-1] / 2595) - 1)
    loudest = heard(tone(frequency), np.zeros(2000))[0].mean(axis=1).argmax()
    nearest = np.abs(middles - frequency).argmin()
    assert abs(loudest - nearest) <= 1  # 40 Hz lie between frequencies of a window of 25 ms


def test_silence_and_moments() -> None:
    half = tone(1000)
    half[:1000] = 0
    loud, silent = heard(half, np.zeros(2000, np.float32))
    np.testing.assert_allclose(silent, np.log(FLOOR), rtol=1e-4)
    moments = loud.max(axis=0)
    assert (moments[:10] < np.log(FLOOR) + 0.1).all()
    assert (moments[-8:] > -1).all()


@pytest.mark.parametrize("samples", [1, 50, 199, 200, 8000, 100_000])
def test_any_length_makes_a_picture_that_is_not_too_wide(samples: int) -> None:
    column = ArrayColumn(np.ones((3, samples), np.float32), rate=RATE)
    record = Spectrogram.fit("sound", column)
    bands, moments = record.made
    assert bands == BANDS
    assert 1 <= moments <= MOMENTS
    assert record.apply(column).shape == (3, len(record.features)) == (3, bands * moments)
    assert np.isfinite(record.apply(column)).all()
    assert record.apply(column.take(np.array([], int))).shape == (0, bands * moments)


def test_a_preparation_keeps_it_and_knows_its_pictures() -> None:
    sounds = ArrayColumn(np.stack([tone(400 + 9 * i) for i in range(12)]), rate=RATE)
    numbers = Column.of([i * 7 % 5 + 0.5 for i in range(12)])
    answers = Column.of(list("ab" * 6))
    columns = {"age": numbers, "sound": sounds, "label": answers}
    train = Table(columns, np.arange(1, 13), "sounds", True)
    fitted = Preparation.fit(train, [ClassTarget.fit(train, "label")])
    again = Preparation.from_json(fitted.to_json())
    np.testing.assert_array_equal(again.apply(train)[0].numbers, fitted.apply(train)[0].numbers)
    record = fitted.inputs[1]
    assert isinstance(record, Spectrogram)
    before = len(fitted.features) - len(record.features)
    assert again.pictures == [(before, (BANDS, record.made[1], 1))]
    assert again.familiar.shapes == {"sound": (2000,)}

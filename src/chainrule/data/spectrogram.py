"""Sounds as pictures: how loud each band of tones is at each moment."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from chainrule.data.array_input import Arrays, Picture
from chainrule.data.arrays import ArrayColumn
from chainrule.data.column import Column

BANDS = 40
"""The height of the picture."""

WINDOW, STEP = 0.025, 0.010
"""Seconds heard at once, and from one moment to the next."""

MOMENTS = 128
"""A picture is at most so wide: in longer sounds moments lie further apart."""

FLOOR = 1e-6
"""The power below which all is silence: 60 dB below that of a tone as loud as can be."""

AT_ONCE = 256
"""Sounds that are transformed together."""


class Spectrogram(Arrays):
    """A column of sounds: the log of the power in each mel band and moment, scaled as one.

    mel(f) = 2595 log10(1 + f / 700); the bands are triangles that overlap by half, evenly spaced on
    that scale up to half of `rate`, the samples a second. float32 [n, bands · moments] of sounds
    [n, samples]. Source: S. Davis and P. Mermelstein, "Comparison of parametric representations for
    monosyllabic word recognition in continuously spoken sentences", 1980.

    >>> sounds = np.sin(np.arange(4000.0) / np.array([[2.0], [8.0]])).astype(np.float32)
    >>> record = Spectrogram.fit("sound", ArrayColumn(sounds, rate=8000))
    >>> pictures = record.apply(ArrayColumn(sounds)).reshape(2, *record.made)
    >>> pictures.shape, pictures.mean(axis=2).argmax(axis=1).tolist()
    ((2, 40, 48), [13, 3])
    """

    kind: Literal["spectrogram"] = "spectrogram"
    rate: int

    @classmethod
    def fit(cls, name: str, column: ArrayColumn) -> Spectrogram:
        """Learn from the sounds of the training rows."""
        shape, rate = list(column.array.shape[1:]), column.rate or 1
        plain = cls(name=name, shape=shape, mean=0.0, std=1.0, rate=rate)
        heard = plain.apply(column)
        mean = float(heard.mean(dtype=np.float64))
        std = float(heard.std(dtype=np.float64))
        return plain.model_copy(update={"mean": mean, "std": std or 1.0})

    @property
    def made(self) -> tuple[int, ...]:
        """Bands, from low to high, and moments."""
        return BANDS, len(self._starts())

    @property
    def picture(self) -> Picture | None:
        """Bands x moments."""
        return BANDS, len(self._starts()), 1

    def apply(self, column: Column) -> NDArray[np.float32]:
        """A column's sounds as numbers, float32 [n, bands · moments]; 0 where all are missing.

        DataError if their length is not that of training, or if there are texts or numbers.
        """
        array = self.expected(column)
        if array is None:
            return self.scaled(column, None)
        parts = [self._heard(array[at : at + AT_ONCE]) for at in range(0, len(array), AT_ONCE)]
        return self.scaled(column, np.concatenate(parts) if parts else array[:, :0])

    def treatment(self) -> str:
        """What becomes of the column, in words."""
        return f"sound, as a spectrogram of {BANDS} mel bands x {self.made[1]} moments, scaled"

    def _window(self) -> int:
        """The samples that are heard at once."""
        return max(2, round(WINDOW * self.rate))

    def _starts(self) -> NDArray[np.int64]:
        """The first sample of each moment."""
        last = max(0, self.shape[0] - self._window())
        step = max(1, round(STEP * self.rate), -(-last // (MOMENTS - 1)))
        return np.arange(0, last + 1, step)

    def _heard(self, sounds: NDArray[Any]) -> NDArray[np.float32]:
        """The log of the power, float32 [n, bands, moments]; a sine of height 1 has log power 0."""
        size = self._window()
        short = max(0, size - sounds.shape[1])
        padded = np.pad(sounds.astype(np.float32), [(0, 0), (0, short)])
        views = np.lib.stride_tricks.sliding_window_view(padded, size, axis=1)
        hann = np.hanning(size + 1)[:-1].astype(np.float32)
        spectrum = np.fft.rfft(views[:, self._starts()] * hann, axis=2)
        power = (np.abs(spectrum) * (2 / hann.sum())) ** 2
        loud = power.astype(np.float32) @ _bands(self.rate, size).T
        heard = np.log(np.maximum(loud, FLOOR)).transpose(0, 2, 1)
        return np.asarray(heard, dtype=np.float32)


def _bands(rate: int, size: int) -> NDArray[np.float32]:
    """How much each frequency of a window of `size` samples counts in each band.

    float32 [bands, frequencies]; a band narrower than the distance of frequencies has the nearest.
    """
    highest = 2595 * np.log10(1 + rate / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, highest, BANDS + 2) / 2595) - 1)
    frequencies = np.fft.rfftfreq(size, 1 / rate)
    low, middle, high = (edges[start : start + BANDS, None] for start in range(3))
    rising, falling = (frequencies - low) / (middle - low), (high - frequencies) / (high - middle)
    bands = np.maximum(0, np.minimum(rising, falling))
    nearest = np.abs(frequencies - middle).argmin(axis=1)
    empty = np.flatnonzero(bands.sum(axis=1) == 0)
    bands[empty, nearest[empty]] = 1
    return bands.astype(np.float32)

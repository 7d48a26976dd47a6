"""Sounds as arrays of one length, decoded by soundfile."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from chainrule.data.arrays import ArrayColumn
from chainrule.data.column import Cells
from chainrule.data.report import Note
from chainrule.data.sources.reading import installed
from chainrule.errors import DataError

SUFFIXES = frozenset([".wav", ".flac", ".ogg", ".aiff", ".mp3"])

Sound = tuple[NDArray[np.float32], int]
"""The samples, float32 [samples], channels averaged, and how many there are a second."""


def sound_column(
    sounds: Sequence[Sound],
    names: Cells,
    shape: tuple[int, ...] | None = None,
    rate: int | None = None,
) -> tuple[ArrayColumn, list[Note]]:
    """Sounds as float32 [n, samples]: as long as the longest, or of the `shape` given.

    Shorter ones get silence at their end, longer ones are cut. DataError if they differ in
    samples a second, from each other or from the `rate` of training.
    """
    rates = {} if rate is None else {rate: "in training"}
    rates |= {own: str(name) for (_, own), name in zip(sounds, names, strict=True)}
    if len(rates) > 1:
        raise DataError(
            "the sounds differ in samples a second",
            got=", ".join(f"{rate} ({name})" for rate, name in rates.items()),
            hint="bring them to one rate first",
        )
    lengths = [len(samples) for samples, _ in sounds]
    length = max(lengths) if shape is None else shape[0]
    array = np.zeros((len(sounds), length), dtype=np.float32)
    for row, (samples, _) in zip(array, sounds, strict=True):
        row[: len(samples)] = samples[:length]
    text = f"sounds of {length:,} samples, {next(iter(rates)):,} a second"
    for words, count in (
        ("filled up", sum(own < length for own in lengths)),
        ("cut", sum(own > length for own in lengths)),
    ):
        text += f"; {count:,} {words}" if count else ""
    return ArrayColumn(array, names, next(iter(rates))), [Note(about="sounds", text=text)]


def sound_decoder() -> Callable[[bytes], Sound]:
    """A function that decodes a sound; it raises whatever soundfile does for what is none."""
    with installed("audio", "a sound"):
        import soundfile

    def decode(raw: bytes) -> Sound:
        samples, rate = soundfile.read(io.BytesIO(raw), dtype="float32", always_2d=True)
        return samples.mean(axis=1, dtype=np.float32), int(rate)

    return decode

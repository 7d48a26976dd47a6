"""Recordings to learn from: tones, words of two vowels, and spoken ones by espeak-ng if there."""

import shutil
import subprocess
import wave
from pathlib import Path

import numpy as np

RATE, SECONDS = 8000, 0.7
TONES = {
    "sine": lambda turns: np.sin(2 * np.pi * turns),
    "square": lambda turns: np.sign(np.sin(2 * np.pi * turns)),
}
WAYS = {"steady": 0, "rising": 1, "falling": -1}
FORMANTS = {"a": (800, 1200, 2500), "i": (300, 2300, 3000), "o": (450, 800, 2600)}  # hertz
WORDS = ("ai", "ia", "oa", "ao")
SPOKEN = ("yes", "no", "stop", "go")


def make_sounds(folder, each=60, seed=0, spoken=True):
    """A folder of WAV files for each class: loud and quiet, high and low, early and late, noisy."""
    rng, folder = np.random.default_rng(seed), Path(folder)
    for kind in [*(f"{shape} {way}" for shape in TONES for way in WAYS), *WORDS, "nothing"]:
        for number in range(each):
            sound = np.zeros(int(SECONDS * RATE))
            length = int(rng.uniform(0.5, 0.9) * len(sound))
            start = rng.integers(len(sound) - length)
            made = rng.uniform(0.2, 0.8) * np.hanning(length) ** 0.3 * recording(kind, length, rng)
            sound[start : start + length] = made
            sound += rng.uniform(0.02, 0.2) * rng.standard_normal(len(sound))
            write(folder / kind / f"{number}.wav", sound)
    if spoken and shutil.which("espeak-ng"):
        speak(folder, each, rng)


def recording(kind, length, rng):
    if kind in WORDS:
        return word(kind, length, rng)
    return tone(*kind.split(), length, rng) if " " in kind else np.zeros(length)


def tone(shape, way, length, rng):
    """Up or down by half an octave to a whole one, or neither."""
    octaves = WAYS[way] * rng.uniform(0.5, 1) * np.linspace(-0.5, 0.5, length)
    return TONES[shape](np.cumsum(rng.uniform(200, 900) * 2**octaves) / RATE)


def word(vowels, length, rng):
    """The harmonics of a voice, strong near the formants, which glide from vowel to vowel."""
    pitch = rng.uniform(90, 220) * 2 ** np.linspace(0, rng.uniform(-0.4, 0.2), length)
    harmonics = np.arange(1, 30)[:, None] * pitch
    first, last = (rng.uniform(0.9, 1.1) * np.array(FORMANTS[vowel]) for vowel in vowels)
    glide = np.clip(np.linspace(-0.5, 1.5, length), 0, 1)
    formants = first[:, None] + (last - first)[:, None] * glide
    near = 1 / (1 + ((harmonics - formants[:, None]) / 80) ** 2)
    strength = near.sum(0) * (harmonics < RATE / 2)
    sound = (strength * np.sin(2 * np.pi * np.cumsum(harmonics, 1) / RATE)).sum(0)
    return sound / np.abs(sound).max()


def write(path, sound):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())


def speak(folder, each, rng):
    """Real words by espeak-ng, in many pitches and speeds, brought to the same rate."""
    for kind in SPOKEN:
        for number in range(each):
            path = folder / kind / f"{number}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            how = ["-p", str(rng.integers(20, 90)), "-s", str(rng.integers(120, 220))]
            subprocess.run(["espeak-ng", *how, "-w", str(path), kind], check=True)
            with wave.open(str(path)) as file:
                rate = file.getframerate()
                samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
            places = np.arange(0, len(samples), rate / RATE)
            sound = np.interp(places, np.arange(len(samples)), samples)[: int(SECONDS * RATE)]
            write(path, np.pad(sound, (0, int(SECONDS * RATE) - len(sound))))

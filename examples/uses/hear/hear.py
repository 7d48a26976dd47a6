"""Hear: tell short recordings apart by their log-mel spectrogram and a convolutional network.

    python examples/uses/hear/hear.py [FOLDER]

The folder has a subfolder of WAV files for each class. Without one it makes tones and words.
"""

import sys
import tempfile
from dataclasses import dataclass

import numpy as np
from sounds import make_sounds

import chainrule as cr
from chainrule import nn, optim
from chainrule.data import read_table, split_rows
from chainrule.nn.networks import ResNet, ResNetConfig

WIDTHS, RATE = (16, 32, 64), 5e-3

# -- prepare


def log_mel(sounds, rate, bands=32):
    """Sounds [n, samples] as [n, 1, bands, frames]: energy in bands as wide as ears hear them.

    Frames of about 32 ms, every 16 ms; mel = 2595 log10(1 + hertz / 700), triangles that overlap.
    """
    size = 2 ** round(np.log2(rate * 0.032))
    frames = np.lib.stride_tricks.sliding_window_view(sounds, size, axis=1)[:, :: size // 2]
    power = np.abs(np.fft.rfft(frames * np.hanning(size), axis=2)) ** 2
    mel = np.linspace(0, 2595 * np.log10(1 + rate / 2 / 700), bands + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    hertz = np.linspace(0, rate / 2, power.shape[2])
    up, down = ((hertz - edges[i : bands + i, None]) for i in (0, 2))
    rise, fall = np.diff(edges)[:-1, None], np.diff(edges)[1:, None]
    filters = np.maximum(0, np.minimum(up / rise, -down / fall))
    return np.log(power @ filters.T + 1e-3).transpose(0, 2, 1)[:, None].astype(np.float32)


def read(folder):
    """Spectrograms, the place of each one's class, and the classes."""
    table = read_table(folder)
    classes, labels = np.unique(table.columns["label"].cells.astype(str), return_inverse=True)
    return log_mel(table.columns["sound"].array, table.layout.rate), labels, classes.tolist()


# -- train


@dataclass(frozen=True)
class Ear:
    """A trained network, and the scale of what it was trained on."""

    model: nn.Module
    middle: float
    spread: float

    def __call__(self, spectrograms):
        """The probability of each class: [n, classes]."""
        scaled = (spectrograms - self.middle) / self.spread
        with cr.no_grad():
            return cr.softmax(self.model(cr.as_tensor(scaled)), -1).numpy()


def train(spectrograms, labels, classes, seed=0, epochs=15, batch=32, widths=WIDTHS):
    cr.manual_seed(seed)
    model = ResNet(ResNetConfig(1, classes, widths=widths, blocks=(1,) * len(widths)))
    optimizer, criterion = optim.AdamW(model.parameters(), RATE), nn.CrossEntropyLoss()

    @cr.compile
    def learn(x, y):
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    middle, spread = spectrograms.mean(), spectrograms.std()
    arrays = [(spectrograms - middle) / spread, labels]
    rng, (lr,) = np.random.default_rng(seed), optimizer.param_groups[0].cells["lr"]
    steps = len(labels) // batch
    for rates in np.linspace(RATE, 0, epochs * steps).reshape(epochs, steps):
        order = rng.permutation(len(labels))[: steps * batch]
        learn.epoch(arrays, batch, order, {lr: rates})
    return Ear(model.eval(), middle, spread)


# -- score


def judge(spectrograms, labels, classes, seed=0, **settings):
    """The accuracy on a quarter of the recordings that was not trained on, which, and the ear."""
    split = split_rows(len(labels), seed, labels, 0.0, 0.25)
    ear = train(spectrograms[split.train], labels[split.train], classes, seed, **settings)
    heard = ear(spectrograms[split.test]).argmax(1)
    return np.mean(heard == labels[split.test]), split.test, ear


# -- use


def main(folder=None):
    with tempfile.TemporaryDirectory() as made:
        if folder is None:
            make_sounds(folder := made)
        spectrograms, labels, classes = read(folder)
    found = [judge(spectrograms, labels, len(classes), seed) for seed in range(3)]
    print(f"{len(labels)} recordings of {len(classes)} classes: {', '.join(classes)}")
    print(f"  accuracy, mean over three seeds  {np.mean([accuracy for accuracy, *_ in found]):.4f}")
    print(f"  always the most frequent         {np.bincount(labels).max() / len(labels):.4f}")
    _, new, ear = found[0]
    for row in new[:: len(new) // 5 + 1]:
        chances = ear(spectrograms[[row]])[0]
        best = ", ".join(f"{classes[i]} {chances[i]:.2f}" for i in np.argsort(-chances)[:2])
        print(f"  a recording of {classes[labels[row]]!r} is heard as: {best}")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Classify images: a convolutional network and a vision transformer learn what is in a picture.

    python examples/uses/classify/classify.py [FOLDER]

FOLDER has a subfolder of images for each class; without one it reads 1,797 handwritten digits.
"""

import sys

import numpy as np

import chainrule as cr
from chainrule import nn, optim
from chainrule.data import read_table, split_rows
from chainrule.nn.networks import ResNet, ResNetConfig, ViT, ViTConfig
from chainrule.optim.lr_scheduler import OneCycleLR

SETTINGS = {"cnn": dict(epochs=30, rate=3e-3), "vit": dict(epochs=100, rate=2e-3)}


# -- prepare


def read(source):
    """Images float32 [n, channels, side, side] from 0 to 1, the number of each class, the names."""
    table = read_table(source)
    if "image" in table.names:
        pixels, labels = table.column("image").array / np.float32(255), table.column("label").cells
    else:  # a row of pixels, the class last
        *names, target = table.names
        rows = np.stack([table.column(name).numbers for name in names], axis=1)
        side = int(len(names) ** 0.5)
        pixels = (rows / rows.max()).reshape(-1, side, side, 1)
        labels = table.column(target).cells
    classes, codes = np.unique(np.asarray(labels, str), return_inverse=True)
    return square(pixels).astype(np.float32), codes, classes.tolist()


def square(pixels):
    """Channels first, and black around until height and width are the same multiple of 8."""
    side = -(-max(pixels.shape[1:3]) // 8) * 8
    around = [((side - size) // 2, (side - size + 1) // 2) for size in pixels.shape[1:3]]
    return np.pad(pixels, [(0, 0), *around, (0, 0)]).transpose(0, 3, 1, 2)


def shifted(images, rng):
    """Each image moved by up to an eighth of its side: what it shows stays the same."""
    count, _, side, _ = images.shape
    most = side // 8
    moved = np.clip(np.arange(side) + rng.integers(-most, most + 1, (2, count, 1)), 0, side - 1)
    row, column = moved[0][:, None, :, None], moved[1][:, None, None, :]
    channel = np.arange(images.shape[1])[:, None, None]
    return images[np.arange(count)[:, None, None, None], channel, row, column]


# -- train


def build(network, images, classes):
    channels, side = images.shape[1], images.shape[2]
    if network == "cnn":
        return ResNet(ResNetConfig(channels, len(classes), widths=(16, 32, 64), blocks=(1, 1, 1)))
    model = ViT(ViTConfig(side, max(2, side // 8), channels, len(classes), width=64, layers=3))
    nn.init.normal_(model.places.weight, std=0.3)  # as large as what small patches become
    return model


def train(network, images, codes, classes, seed, epochs, rate, batch=64):
    """The trained network: each epoch moves the images a little and shuffles them."""
    cr.manual_seed(seed)
    model = build(network, images, classes)
    loss_function = nn.CrossEntropyLoss(label_smoothing=0.1)
    optimizer = optim.AdamW(model.parameters(), rate, weight_decay=0.05)

    @cr.compile
    def learn(images, codes):
        loss = loss_function(model(images), codes)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    schedule = OneCycleLR(optimizer, rate, epochs, cycle_momentum=False)
    rng = np.random.default_rng(seed)
    size = min(batch, len(images))
    whole = len(images) // size * size  # all batches are of one size
    for _ in range(epochs):
        order = rng.permutation(len(images))[:whole]
        learn.epoch([shifted(images, rng), codes], size, order)
        schedule.step()
    return model.eval()


# -- score and use


def probabilities(model, images, at_once=256):
    """How probable each class is for each image, [n, classes]."""
    parts = np.split(images, range(at_once, len(images), at_once))
    with cr.no_grad():
        scores = cr.cat([model(cr.tensor(part)) for part in parts])
        return nn.functional.softmax(scores, 1).numpy()


def show(images, answers, shades=" .:-=+*#%@"):
    """Images side by side as text, each below what the network says."""
    images = images[:, :, :: max(1, images.shape[2] // 16), :: max(1, images.shape[3] // 16)]
    width = 2 * images.shape[-1] + 4
    print("".join(f"{answer:<{width}}" for answer in answers))
    levels = (images.mean(1) * (len(shades) - 1)).round().astype(int)
    for row in levels.transpose(1, 0, 2):  # a row of pixels of every image
        line = ["".join(2 * shades[level] for level in part).ljust(width) for part in row]
        print("".join(line).rstrip())


def run(source="digits", settings=SETTINGS, seeds=3):
    """Trains and judges each network once per seed, each time on another split: mean accuracies."""
    images, codes, classes = read(source)
    print(f"{len(images):,} images, {len(classes)} classes: {', '.join(classes)}\n")
    means = {}
    for network, chosen in settings.items():
        scores = []
        for seed in range(seeds):
            split = split_rows(len(images), seed, codes)
            known = images[split.train], codes[split.train]
            model = train(network, *known, classes, seed, **chosen)
            shares = probabilities(model, images[split.test])
            scores.append(np.mean(shares.argmax(1) == codes[split.test]))
        size = sum(parameter.size for parameter in model.parameters())
        print(f"{network}: {size:,} parameters, {len(split.test)} test images that it never saw")
        print("   right", ", ".join(f"{score:.4f}" for score in scores), end="; ")
        print(f"mean {np.mean(scores):.4f}")
        means[network] = float(np.mean(scores))
    usual = np.bincount(codes[split.train]).argmax()
    print(f"always the most frequent class: {np.mean(codes[split.test] == usual):.4f}")
    print("\nThe last network on six test images:\n")
    answers = [f"{classes[row.argmax()]} ({row.max():.2f})" for row in shares[:6]]
    show(images[split.test[:6]], answers)
    return means


if __name__ == "__main__":
    run(*sys.argv[1:2])

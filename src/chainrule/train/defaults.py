"""What is chosen when nobody says: layers, batch, epochs and rates from the task and the size.

The numbers were found on the built-in tables, titanic, California housing and adult, each with
seeds 0, 1 and 2; `python -m benchmarks tables` measures them again.
"""

from __future__ import annotations

from typing import Any

from chainrule.data import Preparation
from chainrule.errors import SettingError
from chainrule.train.settings import Chosen, Settings

STEPS, PICTURE_STEPS = 3000, 1000
"""About how many updates a training gets, as far as its epochs are not the limit; of pictures."""

AUTO = "auto"

RATE, PICTURE_RATE = 0.002, 0.004
"""The highest learning rate; the one-cycle schedule begins and ends far below it."""


def choose(settings: Settings, preparation: Preparation, rows: int) -> Chosen:
    """The settings for a training of `rows` rows: every None that concerns it becomes a choice.

    SettingError for the rate "auto", which is found by a training alone.
    """
    if settings.lr == AUTO:
        raise SettingError("lr cannot be 'auto' here", expected="a number", hint="lr=0.002")
    batch_size = settings.batch_size or batch_for(rows)
    network = settings.network or ("convolutional" if preparation.pictures else "fully-connected")
    pictures = bool(preparation.pictures) and network == "convolutional"
    epochs = settings.epochs or epochs_for(rows, batch_size, PICTURE_STEPS if pictures else STEPS)
    choices: dict[str, Any] = {
        "network": network,
        "layers": layers_for(rows)[pictures:],
        "dropout": dropout_for(rows),
        "lr": PICTURE_RATE if pictures else RATE,
        "batch_size": batch_size,
        "epochs": epochs,
        "weight_decay": 0.01,
        "patience": max(8, epochs // 4),
    }
    given = {name: value for name, value in settings if value is not None}
    task = None if preparation.task == "mixed" else preparation.task
    return Chosen.model_validate({**choices, **given, "task": task})


def batch_for(rows: int) -> int:
    """Rows in a batch: fewer where there are fewer, so that an epoch still has some updates.

    >>> batch_for(300), batch_for(5_000), batch_for(1_000_000)
    (32, 64, 512)
    """
    for limit, size in ((1_000, 32), (10_000, 64), (100_000, 256)):
        if rows <= limit:
            return size
    return 512


def epochs_for(rows: int, batch_size: int, steps: int = STEPS) -> int:
    """As many passes as make up about so many updates, 10 to 200.

    >>> epochs_for(300, 32), epochs_for(15_000, 256), epochs_for(1_000_000, 512)
    (200, 51, 10)
    """
    per_epoch = max(1, rows // batch_size)
    return min(200, max(10, steps // per_epoch))


def layers_for(rows: int) -> list[int]:
    """Widths of two hidden layers, wider where there is more to learn from.

    >>> layers_for(300), layers_for(50_000)
    ([64, 64], [256, 128])
    """
    for limit, width in ((1_000, 64), (5_000, 128)):
        if rows <= limit:
            return [width, width]
    return [256, 128]


def dropout_for(rows: int) -> float:
    """The share of neurons left out: more for few rows, which are soon learned by heart."""
    return 0.2 if rows <= 5_000 else 0.1

"""What is chosen when nobody says: layers, batch, epochs and rates from the task and the size."""

from __future__ import annotations

from chainrule.data import Prepared
from chainrule.train.settings import Settings

STEPS = 6000
"""About how many updates a training gets, as far as its epochs are not the limit."""


def completed(settings: Settings, prepared: Prepared) -> Settings:
    """The settings with every None that concerns the training replaced by a choice."""
    rows = len(prepared.train)
    batch_size = settings.batch_size or batch_for(rows)
    epochs = settings.epochs or epochs_for(rows, batch_size)
    chosen = {
        "task": prepared.task,
        "layers": layers_for(rows) if settings.layers is None else settings.layers,
        "dropout": dropout_for(rows) if settings.dropout is None else settings.dropout,
        "lr": settings.lr or 0.002,
        "batch_size": batch_size,
        "epochs": epochs,
        "weight_decay": 0.01 if settings.weight_decay is None else settings.weight_decay,
        "patience": settings.patience or max(8, epochs // 4),
    }
    return settings.model_copy(update=chosen)


def batch_for(rows: int) -> int:
    """Smaller batches for fewer rows, so that an epoch still has some updates."""
    for limit, size in ((1_000, 32), (10_000, 64), (100_000, 256)):
        if rows <= limit:
            return size
    return 512


def epochs_for(rows: int, batch_size: int) -> int:
    """As many passes as make up about `STEPS` updates, 10 to 200."""
    per_epoch = max(1, rows // batch_size)
    return min(200, max(10, STEPS // per_epoch))


def layers_for(rows: int) -> list[int]:
    """Two hidden layers, wider where there is more to learn from."""
    for limit, width in ((1_000, 64), (5_000, 128)):
        if rows <= limit:
            return [width, width]
    return [256, 128]


def dropout_for(rows: int) -> float:
    """Some for few rows, which are soon learned by heart."""
    return 0.2 if rows <= 5_000 else 0.1

"""Tables with columns of several kinds, for both estimators."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

Table = tuple[Any, np.ndarray[Any, Any]]


def _columns(rows: int = 240) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    load = rng.normal(size=rows).round(3)
    load[::17] = np.nan
    return {
        "load": load,
        "crew": rng.integers(1, 9, rows),
        "port": rng.choice(["Bergen", "Oslo", "Turku"], rows).astype(object),
    }


@pytest.fixture
def ships() -> Table:
    """A frame with numbers, some missing, whole numbers and texts; and answers that follow it."""
    pandas = pytest.importorskip("pandas")
    columns = _columns()
    y = np.nan_to_num(columns["load"]) * 2 + (columns["port"] == "Oslo") * 3.0
    return pandas.DataFrame(columns), y


@pytest.fixture
def blobs() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Two classes of points that a line nearly divides, f64[200, 3]."""
    rng = np.random.default_rng(1)
    labels = np.repeat(["no", "yes"], 100)
    return rng.normal(size=(200, 3)) + (labels == "yes")[:, None] * 1.5, labels

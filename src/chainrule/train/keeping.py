"""What a training leaves behind so that any of its steps can be opened later: states and losses."""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import ArtefactError
from chainrule.explain.evidence import Probe
from chainrule.model.files import unwritable
from chainrule.tensors import Cell

CHECKPOINTS = "checkpoints"  # the folder of states, in that of the run
ROWS_TRAINED = "fingerprint"  # of the arrays trained with, in that folder
LOSSES = "losses.f64"  # the loss of every step, before its update; float64, little-endian

MOST, FEWEST = 16, 4
"""How many states are kept of a training: `MOST`, fewer where they are large."""

ALL_BYTES = 64 * 2**20
"""About how many bytes the states of a training may take; `FEWEST` are kept in any case."""


LEAST_SECONDS, LARGEST_SHARE = 0.03, 0.01
"""Keeping states may take so many seconds of a processor, or this share of the training, if more.

What is kept depends on the clock, then; what is trained does not.
"""


_AT_ONCE = 1024  # rows


class Keeper:
    """Is given what a training goes through; a subclass keeps it.

    `look` is set by the training: it gives what the network makes of some rows now.
    """

    look: Callable[[], Probe]

    def state(self, epoch: int, cells: Mapping[str, Cell]) -> None:
        """The state after an epoch; 0: before the first."""

    def losses(self, losses: NDArray[np.float64]) -> None:
        """The losses of the steps of an epoch, also if they are no longer finite."""

    def done(self) -> None:
        """The training is over, or failed."""


class RunKeeper(Keeper):
    """Keeps the losses, and the states of evenly spaced epochs, in the folder of a run."""

    def __init__(self, run: Path, epochs: int, arrays: Sequence[NDArray[Any]]) -> None:
        self.run, self.epochs, self.arrays = run, epochs, arrays
        self.began, self.spent = time.perf_counter(), 0.0
        self.waiting: list[bytes] = []
        self.first = math.nan  # the loss of the first step

    def state(self, epoch: int, cells: Mapping[str, Cell]) -> None:
        began = time.thread_time()
        if epoch == 0:
            size = sum(cell.held().nbytes for cell in cells.values())
            wanted = min(MOST, max(FEWEST, ALL_BYTES // max(1, size)))
            self.every = -(-self.epochs // wanted)
            (self.run / CHECKPOINTS).mkdir(exist_ok=True)
            (self.run / CHECKPOINTS / ROWS_TRAINED).write_text(fingerprint(self.arrays))
        allowed = max(LEAST_SECONDS, LARGEST_SHARE * (time.perf_counter() - self.began))
        if epoch % self.every == 0 and (epoch == 0 or self.spent < allowed):
            save_state(self.run, epoch, {name: cell.held() for name, cell in cells.items()})
            self._write()
        self.spent += time.thread_time() - began

    def losses(self, losses: NDArray[np.float64]) -> None:
        if math.isnan(self.first) and len(losses):
            self.first = float(losses[0])
        self.waiting.append(losses.astype("<f8").tobytes())

    def done(self) -> None:
        self._write()

    def _write(self) -> None:
        """Append the losses that wait: one write for many epochs."""
        try:
            with (self.run / LOSSES).open("ab") as file:
                file.write(b"".join(self.waiting))
        except OSError as problem:
            raise unwritable(self.run / LOSSES, problem) from None
        self.waiting.clear()


def held(cells: Mapping[str, Cell]) -> dict[str, NDArray[Any]]:
    """Copies of what cells hold, by name."""
    return {name: np.array(cell.held(), order="C") for name, cell in cells.items()}


def save_state(run: Path, epoch: int, state: Mapping[str, NDArray[Any]]) -> None:
    """Write the state after an epoch; a reader sees it whole or not at all."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    path = run / CHECKPOINTS / f"epoch-{epoch:06}.safetensors"
    part = path.with_suffix(".part")
    try:
        save_file({name: np.asarray(raw, order="C") for name, raw in state.items()}, part)
        part.replace(path)
    except SafetensorError as problem:  # what the library makes of a full disk
        raise unwritable(path, OSError(str(problem))) from None
    except OSError as problem:
        raise unwritable(path, problem) from None


def kept_epochs(run: Path) -> list[int]:
    """After which epochs the state was kept, in order; 0: before the first."""
    found = (run / CHECKPOINTS).glob("epoch-*.safetensors")
    return sorted(int(path.stem.removeprefix("epoch-")) for path in found)


def load_state(run: Path, epoch: int) -> dict[str, NDArray[Any]]:
    """The state after an epoch; ArtefactError if it cannot be read."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    path = run / CHECKPOINTS / f"epoch-{epoch:06}.safetensors"
    try:
        state: dict[str, NDArray[Any]] = load(path.read_bytes())
    except (OSError, SafetensorError) as problem:
        raise ArtefactError(f"{path} cannot be read: {problem}") from None
    return state


def kept_losses(run: Path) -> NDArray[np.float64]:
    """The loss of every step, before its update, float64 [steps]; empty if they were not kept."""
    path = run / LOSSES
    return np.fromfile(path, "<f8").astype(np.float64) if path.is_file() else np.empty(0)


def fingerprint(arrays: Sequence[NDArray[Any]]) -> str:
    """A short text that is another one for other arrays: shapes and a checksum of the bytes.

    >>> fingerprint([np.zeros((2, 1), np.float32)])
    '2x1 6522df69'
    """
    total = 0
    for array in arrays:
        for start in range(0, len(array), _AT_ONCE):  # it may be one on disk
            piece = np.ascontiguousarray(array[start : start + _AT_ONCE])
            total = zlib.crc32(piece.reshape(-1).view(np.uint8).data, total)
    shapes = " ".join("x".join(map(str, array.shape)) for array in arrays)
    return f"{shapes} {total:08x}"


def kept_fingerprint(run: Path) -> str:
    """The fingerprint of the arrays that a run was trained with; empty if it was not kept."""
    path = run / CHECKPOINTS / ROWS_TRAINED
    return path.read_text() if path.is_file() else ""

"""Many steps in one call: batches gathered by an order of rows, results gathered per step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.compile.step import CompiledStep
from chainrule.core.state import no_grad
from chainrule.errors import SettingError, ShapeError
from chainrule.tensor import Cell, Tensor


def run_epoch(
    step: CompiledStep,
    arrays: Sequence[NDArray[Any]],
    order: NDArray[np.int64],
    batch_size: int,
    schedule: Mapping[Cell, Sequence[float]] | None = None,
    after_step: Callable[[int], None] | None = None,
) -> NDArray[np.float64]:
    """Run `step` once per batch of rows; gives what it returned, float64 [steps].

    `arrays`: each [rows, ...], gathered by `order` (int64, at most a pass over the rows) into
    batches of `batch_size`; the last, smaller batch counts. `schedule` gives cells, such as the
    learning rate, a value per step. `after_step(number)` is called after each step.
    """
    _check(arrays, batch_size)
    starts = range(0, len(order), batch_size)
    for cell, values in (schedule or {}).items():
        if len(values) != len(starts):
            raise ShapeError(
                f"the schedule of {cell.name} needs a value per step",
                expected=len(starts),
                got=len(values),
            )
    results = np.empty(len(starts))
    for number, start in enumerate(starts):
        rows = order[start : start + batch_size]
        for cell, values in (schedule or {}).items():
            cell.hold(np.asarray(values[number], cell.dtype))
        results[number] = step(*(Tensor(array[rows]) for array in arrays)).item()
        if after_step is not None:
            after_step(number)
    return results


def run_rows(
    forward: Callable[..., Any], arrays: Sequence[NDArray[Any]], batch_size: int
) -> Iterator[Any]:
    """Run `forward` over the rows in order, without history: what it gives for each batch."""
    _check(arrays, batch_size)
    with no_grad():
        for start in range(0, len(arrays[0]), batch_size):
            yield forward(*(Tensor(array[start : start + batch_size]) for array in arrays))


def _check(arrays: Sequence[NDArray[Any]], batch_size: int) -> None:
    if batch_size < 1:
        raise SettingError("a batch holds at least one row", got=f"batch size {batch_size}")
    if len({len(array) for array in arrays}) != 1:
        raise ShapeError(
            "the arrays of an epoch have a row each for every sample",
            got=", ".join(str(array.shape) for array in arrays),
        )

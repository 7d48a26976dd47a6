"""Many steps in one call: batches gathered by an order of rows, results gathered per step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.compile.step import CompiledStep
from chainrule.core.state import no_grad
from chainrule.data import batches
from chainrule.errors import ShapeError
from chainrule.tensor import Cell, Tensor

Schedule = Mapping[Cell, Sequence[float] | NDArray[np.float64]]
"""Cells, such as a learning rate, with their values: one per step."""


def run_epoch(
    step: CompiledStep,
    arrays: Sequence[NDArray[Any]],
    order: NDArray[np.int64],
    batch_size: int,
    schedule: Schedule | None = None,
    after_step: Callable[[int], bool] | None = None,
) -> NDArray[np.float64]:
    """Run `step` once per batch of rows; gives the number that each step returned, float64 [steps].

    `arrays`: each [rows, ...], gathered by `order` (int64, which rows and in which order) into
    batches of `batch_size`; the last, smaller batch counts. `after_step(number)`, from 0, is
    called after each step, or after each call of a native step (some twentieth of a second), with
    the last step done; the epoch ends there when it gives True. ShapeError for arrays of
    different lengths, or a schedule of another length than the epoch; SettingError for a
    `batch_size` below 1.

    >>> import chainrule as cr
    >>> total = cr.compile(lambda x: x.sum())
    >>> run_epoch(total, [np.arange(5.0)], np.array([4, 0, 1, 2, 3]), 2)
    array([4., 3., 3.])
    """
    _check_lengths(arrays)
    chosen = list(batches(order, batch_size))
    planned = dict(schedule or {})
    for cell, values in planned.items():
        _check_schedule(cell, len(values), len(chosen))
    results = np.empty(len(chosen))
    done = _native_epoch(step, arrays, order, batch_size, planned, after_step, results)
    if 0 < done < len(order) // batch_size:  # ended on the way
        return results[:done]
    for number, rows in enumerate(chosen[done:], done):
        for cell, values in planned.items():
            cell.hold(np.asarray(values[number], cell.dtype))
        results[number] = step(*(Tensor(array[rows]) for array in arrays)).item()
        if after_step is not None and after_step(number):
            return results[: number + 1]
    return results


def _native_epoch(
    step: CompiledStep,
    arrays: Sequence[NDArray[Any]],
    order: NDArray[np.int64],
    batch_size: int,
    planned: Schedule,
    after_step: Callable[[int], bool] | None,
    results: NDArray[np.float64],
) -> int:
    """The whole batches in native calls, where the step can do that; how many were done."""
    if step.backend != "native" or len(order) < batch_size:
        return 0
    run = step.variant(*(Tensor(array[order[:batch_size]]) for array in arrays)).run
    if not getattr(run, "runs_epochs", False):
        return 0
    after = None if after_step is None else lambda done: after_step(done - 1)
    found = run.epoch(arrays, order, planned, after)  # type: ignore[attr-defined]
    results[: len(found)] = found
    return len(found)


def run_rows(
    forward: Callable[..., Any], arrays: Sequence[NDArray[Any]], batch_size: int
) -> Iterator[tuple[int, Any]]:
    """Run `forward` over the rows in order, without history.

    Gives, for each batch, its number of rows and what `forward` returned. ShapeError and
    SettingError as in `run_epoch`.

    >>> import chainrule as cr
    >>> [(n, y.tolist()) for n, y in run_rows(cr.compile(lambda x: x * 2), [np.arange(3.0)], 2)]
    [(2, [0.0, 2.0]), (1, [4.0])]
    """
    _check_lengths(arrays)
    with no_grad():
        for rows in batches(np.arange(len(arrays[0])), batch_size):
            yield len(rows), forward(*(Tensor(array[rows]) for array in arrays))


def _check_lengths(arrays: Sequence[NDArray[Any]]) -> None:
    if len({len(array) for array in arrays}) != 1:
        raise ShapeError(
            "the arrays of an epoch have one row each for every sample",
            got=", ".join(str(array.shape) for array in arrays),
        )


def _check_schedule(cell: Cell, given: int, steps: int) -> None:
    if given != steps:
        raise ShapeError(
            f"the schedule of {cell.name} needs a value per step", expected=steps, got=given
        )

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


def expect_epochs(
    step: CompiledStep, arrays: Sequence[NDArray[Any]], batch_size: int, epochs: int
) -> None:
    """Say beforehand that `step` will go over the rows of `arrays` `epochs` times.

    Machine code is then made for the whole batches, and for the smaller last one, only where it
    pays: the last one runs once an epoch and is rarely worth a second compilation.
    """
    whole, rest = divmod(len(arrays[0]), batch_size)
    for rows, runs in ((batch_size, whole * epochs), (rest, epochs)):
        if rows and runs:
            step.expect(runs, *(Tensor(array[:rows]) for array in arrays))


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
    ended = False

    def after(done: int) -> bool:
        nonlocal ended
        ended = after_step is not None and after_step(done - 1)
        return ended

    results = np.empty(len(chosen))
    done = _native_epoch(step, arrays, order, batch_size, planned, after, results)
    for rows in chosen[done:]:
        if ended:
            break
        for cell, values in planned.items():
            cell.hold(np.asarray(values[done], cell.dtype))
        results[done] = step(*(Tensor(array[rows]) for array in arrays)).item()
        done += 1
        after(done)
    return results[:done]


def _native_epoch(
    step: CompiledStep,
    arrays: Sequence[NDArray[Any]],
    order: NDArray[np.int64],
    batch_size: int,
    planned: Schedule,
    after: Callable[[int], bool],
    results: NDArray[np.float64],
) -> int:
    """The whole batches in native calls, where the step can do that; how many were done."""
    if step.backend != "native" or len(order) < batch_size:
        return 0
    variant = step.variant(*(Tensor(array[order[:batch_size]]) for array in arrays))
    if not variant.runs_epochs or not _settable(variant.run, planned):
        return 0
    found = variant.run.epoch(arrays, order, planned, after)  # type: ignore[attr-defined]
    results[: len(found)] = found
    for cell, values in planned.items():
        cell.hold(np.asarray(values[len(found) - 1], cell.dtype))
    return len(found)


def _settable(run: Any, planned: Schedule) -> bool:
    """Whether a native epoch can set every planned cell that its program reads."""
    from chainrule.compile.epochs import scheduled  # llvmlite: only who uses it waits

    cells = run.program.cells
    fixed = {cells[name] for name in set(run.program.reads) - set(scheduled(run))}
    return fixed.isdisjoint(planned)


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
            part = slice(rows[0], rows[-1] + 1)  # not the rows one by one: that would copy them
            yield len(rows), forward(*(Tensor(array[part]) for array in arrays))


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

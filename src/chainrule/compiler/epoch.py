"""Many steps in one call: batches gathered by an order of rows, results gathered per step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from chainrule.compiler.forms import Slot, flatten
from chainrule.core.state import no_grad
from chainrule.data import batch_count, batches
from chainrule.errors import ShapeError
from chainrule.tensors import Cell, Tensor

Schedule = Mapping[Cell, Sequence[float] | NDArray[np.float64]]
"""Cells, such as a learning rate, with their values: one per step."""


class Step(Protocol):
    """What an epoch needs of a compiled step."""

    @property
    def backend(self) -> str: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
    def variant(self, *args: Any, **kwargs: Any) -> Any: ...
    def expect(self, runs: int | None, *args: Any, **kwargs: Any) -> None: ...
    def announced(self, *args: Any, **kwargs: Any) -> bool: ...


def expect_epochs(
    step: Step, arrays: Sequence[NDArray[Any]], batch_size: int, epochs: int | None
) -> None:
    """Say beforehand that `step` will go over the rows of `arrays` `epochs` times; None: unknown.

    Machine code is then made for the whole batches, and for the smaller last one, only where it
    pays: the last one runs once an epoch and is rarely worth a second compilation.
    """
    whole, rest = divmod(len(arrays[0]), batch_size)
    for rows, runs in ((batch_size, whole), (rest, 1)):
        if rows and runs and epochs != 0:
            expected = None if epochs is None else runs * epochs
            step.expect(expected, *(Tensor(array[:rows]) for array in arrays))


def run_epoch(
    step: Step,
    arrays: Sequence[NDArray[Any]],
    order: NDArray[np.int64],
    batch_size: int,
    schedule: Schedule | None = None,
    after_step: Callable[[int], bool] | None = None,
) -> Any:
    """Run `step` once per batch of rows; gives the numbers that the steps returned.

    In place of each number that a step returns, alone or in tuples, lists and dicts, stands an
    array with a value per step, float64 [steps]. `arrays`: each [rows, ...], gathered by `order`
    (int64, which rows and in which order) into batches of `batch_size`; the last, smaller batch
    counts. `after_step(number)`, from 0, is called after each step, or after each call of a native
    step (some twentieth of a second), with the last step done; the epoch ends there when it gives
    True. ShapeError for arrays of different lengths, a schedule of another length than the epoch,
    or a step that returns more than numbers; SettingError for a `batch_size` below 1.

    >>> import chainrule as cr
    >>> step = cr.compile(lambda x: {"total": x.sum(), "largest": x.max()})
    >>> found = run_epoch(step, [np.arange(5.0)], np.array([4, 0, 1, 2, 3]), 2)
    >>> found["total"].tolist(), found["largest"].tolist()
    ([4.0, 3.0, 3.0], [4.0, 2.0, 3.0])
    """
    _check_lengths(arrays)
    steps, planned = batch_count(len(order), batch_size), dict(schedule or {})
    for cell, values in planned.items():
        _check_schedule(cell, len(values), steps)
    ended = False

    def after(done: int) -> bool:
        nonlocal ended
        ended = after_step is not None and after_step(done - 1)
        return ended

    if rest := len(order) % batch_size:  # one run an epoch, and nobody knows how many
        last = [Tensor(array[order[-rest:]]) for array in arrays]
        if not step.announced(*last):
            step.expect(None, *last)
    form, found = _native_epoch(step, arrays, order, batch_size, planned, after)
    singly: list[list[float]] = []
    for rows in batches(order[len(found) * batch_size :], batch_size):
        if ended:
            break
        for cell, values in planned.items():
            cell.hold(np.asarray(values[len(found) + len(singly)], cell.dtype))
        leaves: list[Any] = []
        form = flatten(step(*(Tensor(array[rows]) for array in arrays)), leaves, results=True)
        singly.append(_numbers(leaves))
        after(len(found) + len(singly))
    if not len(found) + len(singly):
        return np.empty(0)
    if singly:
        more = np.array(singly, np.float64).reshape(len(singly), -1)
        found = np.concatenate([found, more]) if len(found) else more
    return _in_form(form, found)


def _native_epoch(
    step: Step,
    arrays: Sequence[NDArray[Any]],
    order: NDArray[np.int64],
    batch_size: int,
    planned: Schedule,
    after: Callable[[int], bool],
) -> tuple[Any, NDArray[np.float64]]:
    """The whole batches in native calls, where the step can do that: what they returned."""
    if step.backend != "native" or len(order) < batch_size:
        return None, np.empty((0, 1))
    variant = step.variant(*(Tensor(array[order[:batch_size]]) for array in arrays))
    if not variant.runs_epochs or not _settable(variant.run, planned):
        return None, np.empty((0, 1))
    found = variant.run.epoch(arrays, order, planned, after)
    for cell, values in planned.items():
        cell.hold(np.asarray(values[len(found) - 1], cell.dtype))
    return variant.returns, found


def _numbers(leaves: Sequence[Any]) -> list[float]:
    """What a step returned, as numbers."""
    for leaf in leaves:
        if leaf.size != 1:
            raise ShapeError(
                "a step of an epoch returns numbers", expected="tensors of one element",
                got=f"a tensor of shape {leaf.shape}", hint="its mean, or its sum",
            )  # fmt: skip
    return [leaf.item() for leaf in leaves]


def _in_form(form: Any, found: NDArray[np.float64]) -> Any:
    """The columns of `found`, in place of the numbers that a step returns."""
    if isinstance(form, Slot):
        return np.ascontiguousarray(found[:, form.number])
    kind, items = form
    if kind == "fixed":
        return items.thing
    if kind is dict:
        return {key: _in_form(item, found) for key, item in items}
    return kind(_in_form(item, found) for item in items)


def _settable(run: Any, planned: Schedule) -> bool:
    """Whether a native epoch can set every planned cell that its program reads."""
    from chainrule.compiler.epochs import scheduled  # llvmlite: only who uses it waits

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

"""A step of a run, opened: gone back to natively, then interpreted with everything kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.core.program import Program
from chainrule.core.value import Symbol
from chainrule.data.preparation import Inputs
from chainrule.data.report import on_lines
from chainrule.errors import SettingError
from chainrule.explain.opened import Apart, Labels
from chainrule.explain.plain import number
from chainrule.explain.step import OpenedStep, open_program
from chainrule.explain.trace import trace
from chainrule.train.learning import ARGUMENTS
from chainrule.train.replay import Place, Replay, State


def opened_step(replay: Replay, step: int, line: int | None = None, layer: str = "") -> OpenedStep:
    """Open step `step`, from 1, of a run.

    `line`: the row to show, by its line in the file; the first of the batch if not given. `layer`
    is told in full. SettingError if there is no such step, row of the batch, or layer.
    """
    place = replay.place(step)
    lines = replay.prepared.train.lines[place.rows]
    row = 0 if line is None else _row_of(line, lines, step)
    before = replay.before(step)
    with replay.cells_kept():
        program = replay.program(place)
    state = {**before, **replay.planned(place)}
    args = [array[place.rows] for array in replay.loop.train]
    opened = open_program(
        program,
        args,
        state,
        row=row,
        layer=layer,
        labels=_labels(replay, place, lines, row),
        apart=_apart(replay, place, program, args, state),
    )
    return _in_words(replay, place, opened)


def _row_of(line: int, lines: NDArray[np.int64], step: int) -> int:
    found = np.flatnonzero(lines == line)
    if not len(found):
        raise SettingError(
            f"the row of line {line} is not in the batch of step {step}",
            expected=on_lines(sorted(lines.tolist())),
        )
    return int(found[0])


def _labels(replay: Replay, place: Place, lines: NDArray[np.int64], row: int) -> Labels:
    preparation, train = replay.prepared.preparation, replay.prepared.train
    at = place.rows[row : row + 1]
    inputs = Inputs(train.numbers[at], train.codes[at])
    names = [target.name for target in preparation.targets]
    modules = replay.loop.network.named_modules()
    return Labels(
        step=place.step,
        epoch=place.epoch,
        within=place.within,
        steps=replay.steps,
        source=train.source,
        lines=[int(line) for line in lines],
        arguments=[*ARGUMENTS, *names, *["weights"] * (train.weights is not None)],
        features={ARGUMENTS[0]: preparation.features},
        kinds={path: repr(module) for path, module in modules if not list(module.children())},
        cells=_cells({name: found[0] for name, found in preparation.inverse(inputs).items()}),
    )


def _cells(row: dict[str, Any]) -> dict[str, str]:
    """A row as text, by column."""
    return dict(zip(row, _texts(list(row.values())), strict=True))


def _texts(values: list[Any]) -> list[str]:
    """Values as text; what the way back through the scaling left of a 0 is 0."""
    largest = max((abs(float(v)) for v in values if _is_number(v)), default=0.0)
    return [number(value, largest) if _is_number(value) else str(value) for value in values]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number)


def _apart(
    replay: Replay, place: Place, program: Program, args: list[NDArray[Any]], state: State
) -> Apart:
    """How far the step as it was trained and the interpreted one are apart."""
    loss, after = replay.natively(place, state)
    traced = trace(program, args, state)
    interpreted = traced[program.returns[0]].item()
    where, largest = "loss", abs(loss - interpreted) / (abs(loss) or 1.0)
    for name, symbol in program.assigns.items():
        if name in after and isinstance(symbol, Symbol):
            found = _difference(after[name], traced[symbol])
            if found > largest:
                where, largest = name, found
    return Apart(replay.ran, loss, interpreted, largest, where)


def _difference(one: NDArray[Any], other: NDArray[Any]) -> float:
    """The largest difference of two arrays, as a share of the largest number in them."""
    if np.array_equal(one, other, equal_nan=one.dtype.kind == "f"):
        return 0.0
    scale = float(np.abs(other).max()) or 1.0
    return float(np.abs(one.astype(np.float64) - other).max()) / scale


def _in_words(replay: Replay, place: Place, opened: OpenedStep) -> OpenedStep:
    """The rows with what the network said of each and what is true, in the user's words."""
    outputs = next(one for one in reversed(opened.layers) if one.phase == "forward").output
    preparation, train = replay.prepared.preparation, replay.prepared.train
    found = zip(preparation.targets, preparation.split(outputs), train.targets, strict=True)
    said, true = [], []
    for target, part, answers in found:
        said.append(_texts(target.inverse(part).tolist()))
        true.append(_texts(target.inverse(answers[place.rows]).tolist()))
    rows = [
        replace(row, predicted=", ".join(one), true=", ".join(other))
        for row, one, other in zip(
            opened.rows, zip(*said, strict=True), zip(*true, strict=True), strict=True
        )
    ]
    return replace(opened, rows=rows)

"""Reductions in two stages: first the last axes, then those before them.

The first stage is a reduction of rows, which runs together with what else is done with the rows,
and which threads share; the second has little left to do. The stages follow from the shapes.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace

from chainrule.core.op import Reduce
from chainrule.core.program import Instruction, Program
from chainrule.core.value import Symbol

Axes = tuple[int, ...]

_MANY = 8192  # elements: a reduction to one number of fewer is one stage
_WIDE = 16  # elements of a row: where nothing else says what a row is


def in_stages(program: Program) -> Program:
    """The program with reductions over more than its last axes divided in two."""
    rows = {
        (tuple(made.inputs[0].shape), _large(made))
        for made in program.instructions
        if isinstance(made.op.lower, Reduce)
    }
    instructions: list[Instruction] = []
    for made in program.instructions:
        first = _first_stage(made, rows) if isinstance(made.op.lower, Reduce) else ()
        instructions += _divided(made, first) if first else [made]
    return replace(program, instructions=instructions, derived={})


def _first_stage(made: Instruction, rows: Collection[tuple[Axes, Axes]]) -> Axes:
    """The axes to reduce first; none where one stage is enough."""
    shape, axes = tuple(made.inputs[0].shape), _large(made)
    large = [axis for axis, size in enumerate(shape) if size != 1]
    if 0 in shape or len(axes) < 2:
        return ()
    last: Axes = ()
    for axis in reversed(large):
        if axis not in axes:
            break
        last = (axis, *last)
    if last != axes:
        return last
    if len(axes) < len(large):
        return ()
    return _rows_of_all(shape, axes, rows)


def _rows_of_all(shape: Axes, axes: Axes, rows: Collection[tuple[Axes, Axes]]) -> Axes:
    """Where everything is reduced: the rows that others reduce too, or a few of the last axes."""
    ends = [axes[i:] for i in range(len(axes) - 1, 0, -1)]
    for end in ends:
        if (shape, end) in rows:
            return end
    if math.prod(shape) < _MANY:
        return ()
    return next((e for e in ends if math.prod(shape[a] for a in e) >= _WIDE), ())


def _large(made: Instruction) -> Axes:
    """The axes that are reduced and longer than 1."""
    shape = made.inputs[0].shape
    return tuple(sorted(a for a in made.settings["axes"] if shape[a] != 1))


def _divided(made: Instruction, first: Axes) -> list[Instruction]:
    source, axes = made.inputs[0], made.settings["axes"]
    shape = tuple(n for axis, n in enumerate(source.shape) if axis not in first)
    partial = Symbol(shape, made.outputs[0].dtype, -1)
    rest = tuple(a - sum(f < a for f in first) for a in axes if a not in first)
    one = replace(made, settings={**made.settings, "axes": first}, outputs=(partial,))
    partial.made = one
    return [one, replace(made, inputs=(partial,), settings={**made.settings, "axes": rest})]

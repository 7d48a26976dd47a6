"""Sums of parts that were each padded to the size of the whole become one join of the parts.

The gradient of a value that was read slice by slice is recorded so: one part at its place in zeros
for every slice, added up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from chainrule.compiler.linear import is_sum
from chainrule.core.op import OPS, Place
from chainrule.core.program import Instruction, Program
from chainrule.core.value import Symbol


@dataclass(frozen=True)
class _Part:
    """Where along one axis of the whole a value lies, from `begin` up to `end`."""

    axis: int
    begin: int
    end: int
    value: Symbol


def joined(program: Program) -> Program:
    """The program with such sums as joins, in bodies of scans too."""
    parts: dict[Any, list[_Part]] = {}  # of the sums met so far, in the order they lie in
    instructions: list[Instruction] = []
    for made in program.instructions:
        bodies = {k: joined(v) for k, v in made.settings.items() if isinstance(v, Program)}
        made = replace(made, settings={**made.settings, **bodies}) if bodies else made
        found = list(_parts(made, parts))
        if found:
            parts[made.outputs[0]] = found
        instructions.append(_joined(made, found) if _is_whole(made, found) else made)
    return replace(program, instructions=instructions, derived={}).pruned()


def _parts(made: Instruction, parts: dict[Any, list[_Part]]) -> Iterator[_Part]:
    """The parts that an instruction's result consists of; nothing if it is no sum of parts."""
    if isinstance(made.op.lower, Place):
        part = _placed(made, made.op.lower)
        if part:
            yield part
    elif is_sum(made):
        found = [parts.get(source, []) for source in made.inputs]
        both = sorted([*found[0], *found[1]], key=lambda part: part.begin)
        follow = all(a.end <= b.begin for a, b in pairwise(both))
        if all(found) and follow and len({part.axis for part in both}) == 1:
            yield from both


def _placed(made: Instruction, lower: Place) -> _Part | None:
    """Where a value is put as it is, if that is a part along one axis, with zeros around it."""
    part, whole = made.inputs[0], made.outputs[0]
    if not isinstance(part, Symbol) or 0 in part.shape or made.settings.get("value"):
        return None
    start = lower.index((0,) * part.ndim, **made.settings)
    last = lower.index(tuple(n - 1 for n in part.shape), **made.settings)
    close = all(b - a == n - 1 for a, b, n in zip(start, last, part.shape, strict=True))
    along = [a for a, n in enumerate(part.shape) if n != whole.shape[a]]
    if not close or len(along) != 1:
        return None
    return _Part(along[0], start[along[0]], last[along[0]] + 1, part)


def _is_whole(made: Instruction, parts: list[_Part]) -> bool:
    """Whether the parts leave nothing between them."""
    if len(parts) < 2:
        return False
    ends = [0, *(part.end for part in parts)]
    length = made.outputs[0].shape[parts[0].axis]
    return ends[-1] == length and ends[:-1] == [part.begin for part in parts]


def _joined(made: Instruction, parts: list[_Part]) -> Instruction:
    inputs = tuple(part.value for part in parts)
    return replace(made, op=OPS["concat"], inputs=inputs, settings={"axis": parts[0].axis})

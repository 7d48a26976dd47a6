"""Run a Program with NumPy, an instruction at a time: the oracle and the microscope."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from chainrule.core.op import CALLS
from chainrule.core.program import Instruction, Program
from chainrule.core.state import RECORDER
from chainrule.core.value import Raw, Symbol
from chainrule.errors import ProgramError

# What runs: (forward, settings, where each input is, where each output goes, what dies after it).
_Step = tuple[Callable[..., Any], dict[str, Any], tuple[int, ...], tuple[int, ...], tuple[int, ...]]


def interpret(
    program: Program,
    args: Sequence[Raw],
    watch: Callable[[Instruction, tuple[Raw, ...], tuple[Raw, ...]], None] | None = None,
) -> tuple[Raw, ...]:
    """The program's returns for these arguments; cells are read on entry and assigned at the end.

    `watch(instruction, inputs, outputs)` is called after every instruction: the microscope.
    """
    slots, steps = _prepared(program)
    values = slots.copy()
    assigned = _bound(program, program.assigns)
    heads = [*args, *(cell.held() for cell in _bound(program, program.reads))]
    if len(args) != len(program.args):
        raise ProgramError(
            "a program runs on a value per argument", expected=len(program.args), got=len(args)
        )
    values[: len(heads)] = heads
    with np.errstate(all="ignore"):
        if watch is None:
            _run(steps, values)
        else:
            _run_watched(program, steps, values, watch)
    at = program.derived["slot of"]
    found = [values[at[s]] if isinstance(s, Symbol) else s for s in program.results()]
    for cell, raw in zip(assigned, found[len(program.returns) :], strict=True):
        cell.hold(raw)
    return tuple(found[: len(program.returns)])


def _bound(program: Program, names: Iterable[str]) -> list[Any]:
    try:
        return [program.cells[name] for name in names]
    except KeyError as missing:
        raise ProgramError(
            f"the program is not bound to a cell that it uses: {missing}",
            hint="Program.from_json(text, cells=...) binds cells by their names",
        ) from None


def _run(steps: list[_Step], values: list[Raw]) -> None:
    for forward, settings, ins, outs, dead in steps:
        out = forward(*[values[i] for i in ins], **settings)
        if type(out) is tuple:  # also of one: a scan that only carries
            for slot, one in zip(outs, out, strict=True):
                values[slot] = one
        else:
            values[outs[0]] = out
        for slot in dead:
            values[slot] = None


def _run_watched(
    program: Program, steps: list[_Step], values: list[Raw], watch: Callable[..., None]
) -> None:
    for made, step in zip(program.instructions, steps, strict=True):
        inputs = tuple(values[i] for i in step[2])
        _run([(*step[:4], ())], values)
        watch(made, inputs, tuple(values[i] for i in step[3]))
        for slot in step[4]:
            values[slot] = None


def _prepared(program: Program) -> tuple[list[Raw], list[_Step]]:
    """Work out once where every value lies and when it is last used."""
    if "steps" not in program.derived:
        at: dict[Any, int] = {}
        slots: list[Raw] = []

        def place(operand: Any) -> int:
            key = operand if isinstance(operand, Symbol) else ("number", len(slots))
            if key not in at:
                at[key] = len(slots)
                slots.append(None if isinstance(operand, Symbol) else operand)
            return at[key]

        for symbol in program.heads():
            place(symbol)
        for symbol, raw in [*program.captured.items(), *program.constants.items()]:
            slots[at[symbol]] = raw
        placed = [
            (i, tuple(map(place, i.inputs)), tuple(map(place, i.outputs)))
            for i in program.instructions
        ]
        ends = _last_uses(placed, {at[s] for s in program.results() if isinstance(s, Symbol)})
        program.derived["slot of"] = at
        program.derived["steps"] = (
            slots,
            [
                (i.op.forward, i.settings, ins, outs, dead)
                for (i, ins, outs), dead in zip(placed, ends, strict=True)
            ],
        )
    prepared: tuple[list[Raw], list[_Step]] = program.derived["steps"]
    return prepared


def _last_uses(placed: list[Any], alive: set[int]) -> list[tuple[int, ...]]:
    seen, ends = set(alive), []
    for _, ins, outs in reversed(placed):
        dead = tuple(slot for slot in {*ins, *outs} if slot not in seen)
        seen.update(dead)
        ends.append(dead)
    return ends[::-1]


def replay(program: Program, inputs: Sequence[Any]) -> tuple[Any, ...]:
    """The same instructions on Values or symbols: how a Program is differentiated or nested.

    `inputs` stand for the arguments and then for the captured tensors; constants are its own.
    """
    at = replayed(program, inputs)
    return tuple(at.get(s, s) for s in program.returns)


def replayed(program: Program, inputs: Sequence[Any]) -> dict[Symbol, Any]:
    """As `replay`; gives what every value of the program became."""
    at = dict(zip([*program.args, *program.captured], inputs, strict=True))
    at.update(program.constants)
    recorder = RECORDER.get()
    for made in program.instructions:
        if recorder is not None:
            recorder.at = made.phase, made.scope, made.line
        out = CALLS[made.op.name](*[at.get(x, x) for x in made.inputs], **made.settings)
        outs = out if type(out) is tuple else (out,)
        at.update(zip(made.outputs, outs, strict=True))
    if recorder is not None:
        recorder.at = None
    return at

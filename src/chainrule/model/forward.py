"""A forward pass as a Program for any number of rows.

It is recorded once, for a number of rows that no real size is a multiple of: wherever a multiple
of that prime stands in the program, the number of rows is meant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from chainrule.core.program import Instruction, Program
from chainrule.core.record import record
from chainrule.core.state import no_grad
from chainrule.core.value import Symbol
from chainrule.spec import Spec

ANY_ROWS = 1_000_003  # a prime


def record_forward(fn: Callable[..., Any], specs: Sequence[Spec]) -> Program:
    """Record `fn` for any number of rows; `specs` are those of its inputs for a single row."""
    wide = [Spec((ANY_ROWS, *spec.shape[1:]), spec.dtype) for spec in specs]
    with no_grad():
        program, _ = record(lambda *inputs: (fn(*inputs),), wide)
    return program.pruned().verify()


def for_rows(program: Program, rows: int) -> Program:
    """The same program for `rows` rows; it shares the cells."""
    symbols: dict[Any, Any] = {}

    def sized(value: Any) -> Any:
        if isinstance(value, Symbol):
            if value not in symbols:
                symbols[value] = Symbol(sized(value.shape), value.dtype, value.id)
            return symbols[value]
        if isinstance(value, tuple):
            return tuple(sized(item) for item in value)
        if type(value) is int and value and value % ANY_ROWS == 0:
            return value // ANY_ROWS * rows
        return value

    instructions = []
    for made in program.instructions:
        settings = {key: sized(value) for key, value in made.settings.items()}
        inputs = tuple(sized(value) for value in made.inputs)
        fitted = Instruction(
            made.op, inputs, settings, sized(made.outputs), made.phase, made.scope, made.line
        )
        for output in fitted.outputs:
            output.made = fitted
        instructions.append(fitted)
    return Program(
        [sized(symbol) for symbol in program.args],
        {name: sized(symbol) for name, symbol in program.reads.items()},
        {sized(symbol): raw for symbol, raw in program.captured.items()},
        {sized(symbol): raw for symbol, raw in program.constants.items()},
        instructions,
        [sized(value) for value in program.returns],
        {},
        program.cells,
    )

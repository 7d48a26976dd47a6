"""A forward pass as a Program for any number of rows.

It is recorded for a number of rows that is a large prime: wherever a multiple of that prime stands
in the program, the number of rows is meant. That this reading is right is not left to chance: the
pass is recorded a second time, for another prime, and the program made from the first recording
must be the same as that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from chainrule.core.program import Instruction, Program
from chainrule.core.record import record
from chainrule.core.state import no_grad
from chainrule.core.value import Symbol
from chainrule.errors import ProgramError
from chainrule.spec import Spec

ANY_ROWS = 1_000_003
"""The number of rows that a saved forward program is written for."""

_OTHER = 1_000_033


def record_forward(fn: Callable[..., Any], specs: Sequence[Spec]) -> Program:
    """Record `fn`, which gives a tensor or a tuple of them, for any number of rows.

    `specs` are those of its inputs, for a single row each: the first axis is that of the rows.
    ProgramError if what `fn` does depends on the number of rows by more than its multiples.

    >>> from chainrule.spec import F32
    >>> program = record_forward(lambda x: x * 2, [Spec((1, 3), F32)])
    >>> print(for_rows(program, 5).args[0].shape)
    (5, 3)
    """
    program = _recorded(fn, specs, ANY_ROWS)
    if for_rows(program, _OTHER).to_json() != _recorded(fn, specs, _OTHER).to_json():
        raise ProgramError(
            "this forward pass is another computation for another number of rows",
            expected="one that uses the number of rows in shapes only",
        )
    return program


def for_rows(program: Program, rows: int) -> Program:
    """The program of `record_forward` for `rows` rows, 0 or more; it shares the cells."""
    sized = _Resizer(rows).sized
    return Program(
        sized(program.args),
        sized(program.reads),
        {sized(symbol): raw for symbol, raw in program.captured.items()},
        {sized(symbol): raw for symbol, raw in program.constants.items()},
        [_instruction(made, sized) for made in program.instructions],
        sized(program.returns),
        {},
        program.cells,
    )


def _recorded(fn: Callable[..., Any], specs: Sequence[Spec], rows: int) -> Program:
    wide = [Spec((rows, *spec.shape[1:]), spec.dtype) for spec in specs]
    with no_grad():
        program, _ = record(lambda *inputs: _several(fn(*inputs)), wide)
    return program.pruned().verify()


def _several(found: Any) -> tuple[Any, ...]:
    return found if isinstance(found, tuple) else (found,)


def _instruction(made: Instruction, sized: Callable[[Any], Any]) -> Instruction:
    """The same instruction for another number of rows."""
    fitted = Instruction(
        made.op,
        sized(made.inputs),
        sized(made.settings),
        sized(made.outputs),
        made.phase,
        made.scope,
        made.line,
    )
    for output in fitted.outputs:
        output.made = fitted
    return fitted


class _Resizer:
    """Puts a number of rows in place of `ANY_ROWS`, in shapes and in whatever holds them."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.symbols: dict[Symbol, Symbol] = {}

    def sized(self, value: Any) -> Any:
        if isinstance(value, Symbol):
            if value not in self.symbols:
                self.symbols[value] = Symbol(self.sized(value.shape), value.dtype, value.id)
            return self.symbols[value]
        if isinstance(value, tuple | list):
            return type(value)(self.sized(item) for item in value)
        if isinstance(value, dict):
            return {key: self.sized(item) for key, item in value.items()}
        if isinstance(value, Program):  # the body of a scan
            return for_rows(value, self.rows)
        if type(value) is int and value % ANY_ROWS == 0:
            return value // ANY_ROWS * self.rows
        return value

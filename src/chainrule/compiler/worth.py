"""When machine code is worth the wait for it: the one rule, and whether there can be any.

The rule knows the program and how often it will run, nothing else: not the clock, nor what is in
the cache, or the same seed would not give the same weights twice. docs/decisions/009.md has the
measurements behind the numbers.
"""

from __future__ import annotations

import functools
import math
import sys

from chainrule.core.program import Program

_START = 0.05  # seconds that LLVM takes for any program
_COMPILED = 3.5e-3  # seconds that it takes for an instruction
_INTERPRETED = 3e-6  # seconds that an instruction costs above its arithmetic when NumPy runs it
_ELEMENT = 0.4e-9  # seconds that each number costs, written to memory and read again


def breakeven(program: Program) -> int:
    """From how many runs on machine code saves more time than compiling takes.

    >>> import chainrule as cr
    >>> program = cr.compile(lambda x: x * 2).program(cr.zeros(32))
    >>> 100 < breakeven(program) < 100_000
    True
    """
    count = len(program.instructions)
    elements = sum(math.prod(s.shape) for made in program.instructions for s in made.outputs)
    saved = count * _INTERPRETED + elements * _ELEMENT
    return math.ceil((_START + count * _COMPILED) / saved) if saved else sys.maxsize


@functools.cache
def no_machine_code() -> str:
    """Why there can be no machine code here, in a line; nothing where there can be."""
    try:
        import llvmlite.binding  # noqa: F401 - whether it is there, and its library loads
    except Exception as problem:  # whatever a foreign library fails with
        return f"llvmlite cannot be loaded ({str(problem).partition(chr(10))[0]})"
    return ""

"""From the recorded program to the one that kernels are made of, pass by pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from chainrule.compiler.expand import expand
from chainrule.compiler.joins import joined
from chainrule.compiler.slopes import with_slopes
from chainrule.compiler.stages import in_stages
from chainrule.core.program import Program


def _pruned(program: Program) -> Program:
    return replace(program, derived={}).pruned()


PASSES: dict[str, Callable[[Program], Program]] = {
    "without what nothing depends on": _pruned,
    "padded parts joined": joined,
    "gradients times slopes": with_slopes,
    "composites written out": expand,
    "reductions in stages": in_stages,
}
"""What is done to a program, in this order."""


def passed(program: Program) -> dict[str, Program]:
    """The program as it was recorded, and as each pass left it; the last one is compiled."""
    found = {"recorded": program}
    for name, change in PASSES.items():
        program = found[name] = change(program)
    return found

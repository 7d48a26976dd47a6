"""What a scan's gradient computes, and what it does not compute again."""

from __future__ import annotations

from typing import Any

import numpy as np

import chainrule as cr
from chainrule.core.program import Program

RNG = np.random.default_rng(0)


def recurrence(share: Any) -> Program:
    """The program of a recurrent layer's gradients; `share(w)` is what its steps multiply by."""
    w = cr.Parameter(RNG.standard_normal((3, 3)) * 0.5)
    b = cr.Parameter(np.zeros(3))

    def body(h: Any, x: Any) -> tuple[Any, Any]:
        h = (h @ share(w) + x + b).tanh()
        return h, h

    @cr.compile
    def slopes(xs: Any) -> Any:
        _, hs = cr.scan(body, cr.zeros(2, 3, dtype=cr.float64), xs)
        return cr.grad((hs * hs).sum(), [w, b])

    xs = cr.from_numpy(RNG.standard_normal((5, 2, 3)))
    return slopes.program(xs)


def bodies(program: Program) -> list[list[str]]:
    return [
        [made.op.name for made in made.settings["body"].instructions]
        for made in program.instructions
        if made.op.name == "scan"
    ]


def after_the_last_scan(program: Program) -> list[str]:
    names = [made.op.name for made in program.instructions]
    return names[len(names) - names[::-1].index("scan") :]


def test_what_the_reverse_sweep_reads_is_kept() -> None:
    forward, reverse = bodies(recurrence(lambda w: w))
    assert forward.count("tanh") == 1
    assert "tanh" not in reverse
    assert reverse.count("contract") == 1  # the gradient of the step before


def test_shared_gradients_are_one_product_and_one_sum_after_all_steps() -> None:
    program = recurrence(lambda w: w)
    assert "contract" in after_the_last_scan(program)
    assert "sum" in after_the_last_scan(program)
    (reverse,) = (made for made in program.instructions if made.settings.get("reverse"))
    assert reverse.settings["carries"] == 1  # no sums are carried along


def test_a_gradient_of_more_than_one_product_is_carried_along() -> None:
    program = recurrence(lambda w: w @ w)
    (reverse,) = (made for made in program.instructions if made.settings.get("reverse"))
    assert reverse.settings["carries"] == 2

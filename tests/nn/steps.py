"""A computation and its gradients, run eagerly, or recorded and interpreted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import chainrule as cr
from chainrule.core.interpret import interpret
from chainrule.core.program import Program
from chainrule.core.record import record


def weighting(shape: tuple[int, ...]) -> Any:
    """Fixed numbers to sum a result with, so that one gradient tells of every element."""
    return np.random.default_rng(99).standard_normal(shape)


def derivatives(out: cr.Tensor, wrt: Sequence[cr.Tensor], order: int) -> list[cr.Tensor | None]:
    """The gradients of every order up to `order` of the weighted sum of `out`."""
    found: list[cr.Tensor | None] = []
    roots = [out]
    for level in range(order):
        if not roots:  # linear: nothing further depends on anything
            break
        total = sum(((r * cr.tensor(weighting(r.shape))).sum() for r in roots), start=0.0)
        further = level + 1 < order
        slopes = cr.grad(total, wrt, create_graph=further, allow_unused=True)
        found += slopes
        roots = [g for g in slopes if g is not None and (g.requires_grad or not further)]
    return found


def joined(out: Any) -> cr.Tensor:
    """The tensors that a layer gives, however nested, in one row; a single one as it is."""
    if isinstance(out, cr.Tensor):
        return out
    return cr.cat([joined(part).reshape(-1) for part in out if part is not None])


def leaves_of(arrays: Sequence[Any]) -> list[cr.Cell]:
    """The arrays as tensors; the floating-point ones want a gradient."""
    return [cr.Cell(a, f"x{i}", np.asarray(a).dtype.kind == "f") for i, a in enumerate(arrays)]


def run(
    fn: Callable[..., cr.Tensor],
    arrays: Sequence[Any],
    parameters: Sequence[cr.Cell] = (),
    order: int = 1,
    recorded: bool = False,
) -> list[Any]:
    """What fn gives, then its derivatives to the arrays and to the parameters."""
    leaves = leaves_of(arrays)
    wrt = [leaf for leaf in [*leaves, *parameters] if leaf.requires_grad]

    def step() -> tuple[Any, ...]:
        out = joined(fn(*leaves))
        return (out, *(derivatives(out, wrt, order) if out.requires_grad else ()))

    if not recorded:
        return [None if t is None else t.numpy() for t in step()]
    program = written(step)
    return list(interpret(program, []))


def written(step: Callable[[], tuple[Any, ...]]) -> Program:
    """The Program of a step without arguments, verified, printable, and saved as JSON and back."""
    program, _ = record(step, [])
    program.verify()
    text = program.to_json()
    again = Program.from_json(text, program.cells.values())
    assert again.to_json() == text
    listing = str(program)
    assert all(made.op.name in listing for made in program.instructions)
    return program


def assert_close(got: Any, expected: Any, relative: float = 1e-10) -> None:
    """Equal to `relative` of each element, or of the largest where elements cancel to nearly 0."""
    got, expected = np.asarray(got), np.asarray(expected)
    assert got.shape == expected.shape
    finite = np.abs(expected[np.isfinite(expected)])
    largest = finite.max() if finite.size else 0.0
    np.testing.assert_allclose(got, expected, rtol=relative, atol=relative * max(largest, 0.01))


def assert_same(got: Sequence[Any], expected: Sequence[Any], relative: float) -> None:
    """As `assert_close`, one by one; None only where None is expected."""
    assert len(got) == len(expected)
    for one, other in zip(got, expected, strict=True):
        assert (one is None) == (other is None)
        if other is not None:
            assert_close(one, other, relative)

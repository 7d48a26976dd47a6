"""Whole programs as machine code against the interpreter: layers, losses, updates, random ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.nn.cases import LAYERS, LOSSES, Case
from tests.nn.steps import assert_close, derivatives, joined, leaves_of, written
from tests.nn.test_every_layer import built
from tests.optim.problem import CHOICES, NAMES, arrays, cells, step_of

import chainrule as cr
from chainrule.compiler.native import NativeProgram
from chainrule.core.interpret import interpret
from chainrule.core.program import Program
from chainrule.core.record import record
from chainrule.ops import layout, pointwise, reduce
from chainrule.spec import Spec


def held(program: Program) -> dict[str, Any]:
    return {n: None if c.held() is None else np.array(c.held()) for n, c in program.cells.items()}


def both(program: Program, args: list[Any], times: int = 2) -> None:
    """Run several times each way from the same cells; results and cells agree."""
    before = held(program)
    expected = [interpret(program, args) for _ in range(times)]
    after = held(program)
    for name, cell in program.cells.items():
        cell.hold(before[name])
    native = NativeProgram(program)
    found = [native(args) for _ in range(times)]
    tolerance = 1e-11 if _double(program) else 3e-5
    for ones, others in zip(found, expected, strict=True):
        for one, other in zip(ones, others, strict=True):
            assert (one is None) == (other is None)
            if other is not None:
                assert_close(one, other, tolerance)
    for name, array in held(program).items():
        assert (array is None) == (after[name] is None)
        if array is not None:
            assert_close(array, after[name], tolerance)


def _double(program: Program) -> bool:
    symbols = [*program.heads(), *(o for made in program.instructions for o in made.outputs)]
    return not any(s.dtype == np.float32 for s in symbols)


@pytest.mark.parametrize("case", [pytest.param(c, id=str(c)) for c in [*LAYERS, *LOSSES]])
def test_layer_and_its_gradients(case: Case) -> None:
    module = built(case)
    leaves = leaves_of(case.arrays())
    wrt = [x for x in [*leaves, *module.parameters()] if x.requires_grad]

    def step() -> tuple[Any, ...]:
        out = joined(module(*leaves))
        order = 2 if case.smooth else 1
        return (out, *(derivatives(out, wrt, order) if out.requires_grad else ()))

    both(written(step), [])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("choice", CHOICES, ids=NAMES)
def test_training_step(choice: Any, dtype: str) -> None:
    kind, options = choice
    parameters = cells(dtype)
    step = cr.compile(step_of(parameters, kind(parameters, **options)))
    data = arrays(dtype)
    xs = [data["x"], data["y"]]
    both(step.program(*map(cr.from_numpy, xs)), xs, times=5)


UNARY = ["neg", "square", "tanh", "exp", "sigmoid", "relu", "absolute", "sqrt"]
BINARY = ["add", "sub", "mul", "maximum", "minimum", "logaddexp"]
FOLDS = [reduce.sum, reduce.max, reduce.min]
SIZES = st.sampled_from([0, 1, 2, 3, 7, 8, 9, 16, 17, 31])


@st.composite
def programs(draw: Any) -> tuple[Program, list[Any]]:
    """A random program over a growing pool of values: broadcasts, layouts, reductions, products."""
    dtype = np.dtype(draw(st.sampled_from(["float32", "float64"])))
    shape = (draw(SIZES), draw(SIZES))
    specs = [Spec(shape, dtype), Spec((shape[1],), dtype), Spec((), dtype)]
    specs += [Spec((draw(st.integers(1, 3)), *shape), dtype)]
    choices = draw(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 99), st.integers(0, 99)),
                            min_size=1, max_size=14))  # fmt: skip
    outs = draw(st.lists(st.integers(0, 99), min_size=1, max_size=3))

    def fn(*values: cr.Tensor) -> tuple[Any, ...]:
        pool = list(values)
        for kind, a, b in choices:
            x, y = pool[a % len(pool)], pool[b % len(pool)]
            new = _one(kind, x, y, a, b)
            if new is not None:
                pool.append(new)
        return tuple(pool[-1 - (o % len(pool))] for o in outs)

    rng = np.random.default_rng(draw(st.integers(0, 5)))
    xs = [
        (rng.uniform(0.2, 1.5, s.shape) * rng.choice([-1, 1], s.shape)).astype(dtype) for s in specs
    ]
    return record(fn, specs)[0], xs


def _one(kind: int, x: Any, y: Any, a: int, b: int) -> Any:
    """Another value made of two of the pool, or None where they do not fit."""
    if kind <= 1:
        name = UNARY[a % len(UNARY)]
        x = pointwise.absolute(x) if name == "sqrt" else x
        return getattr(pointwise, name)(pointwise.tanh(x) if name == "exp" else x)
    if kind <= 4:
        try:
            np.broadcast_shapes(x.shape, y.shape)
        except ValueError:
            return None
        return getattr(pointwise, BINARY[b % len(BINARY)])(x, y)
    if kind == 5:
        return reduce.sum(x, axes=tuple(i for i in range(x.ndim) if (a >> i) & 1))
    if kind == 6:
        return layout.permute(x, axes=tuple(range(x.ndim))[::-1])
    if kind == 7 and x.ndim == 2 and y.ndim == 2 and x.shape[1] == y.shape[0]:
        return pointwise.mul(x @ y, 0.1)
    if kind == 8 and x.ndim:
        return layout.reshape(x, shape=(x.size,))
    if kind == 9 and x.ndim and x.shape[0] > 1:
        return x[a % x.shape[0] :: 1 + b % 2]
    if kind >= 10 and x.size:
        return _against_its_rows(x, FOLDS[a % len(FOLDS)], BINARY[b % len(BINARY)], a, b)
    return None


def _against_its_rows(x: Any, fold: Any, binary: str, a: int, b: int) -> Any:
    """A reduction, most often of the last axes, kept or repeated beside what was reduced."""
    axes = tuple(range(a % (x.ndim + 1), x.ndim))
    if b % 5 == 0:
        axes = tuple(i for i in range(x.ndim) if (a >> i) & 1)
    found = pointwise.tanh(fold(x, axes=axes))
    if b % 3 == 0:
        return found
    kept = tuple(1 if axis in axes else n for axis, n in enumerate(x.shape))
    spread = layout.reshape(found, shape=kept) if axes else found
    return getattr(pointwise, binary)(spread, x if b % 2 else pointwise.exp(pointwise.tanh(x)))


@settings(max_examples=250, deadline=None)
@given(programs())
def test_random_program(case: tuple[Program, list[Any]]) -> None:
    program, xs = case
    with np.errstate(all="ignore"):
        both(program, xs, times=1)

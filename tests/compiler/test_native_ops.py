"""Every op as machine code against NumPy: the contract's samples, in both dtypes."""

from typing import Any

import numpy as np
import pytest

from chainrule.compiler.native import NativeProgram
from chainrule.core.interpret import interpret
from chainrule.core.op import CALLS, OPS, Op
from chainrule.core.program import Program
from chainrule.core.record import record
from chainrule.spec import spec_of

CASES = [
    pytest.param(op, number, id=f"{op.name}-{number}")
    for op in OPS.values()
    for number in range(len(op.samples(np.random.default_rng(0))))
]


def close(found: Any, expected: Any) -> None:
    assert spec_of(np.asarray(found)) == spec_of(np.asarray(expected))
    dtype = np.asarray(expected).dtype
    if dtype.kind == "f":
        tolerance = {"float32": 2e-6, "float64": 1e-13}[dtype.name]
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
    else:
        np.testing.assert_array_equal(found, expected)


def agree(program: Program, xs: list[Any]) -> None:
    expected = interpret(program, xs)
    native = NativeProgram(program)
    for found in (native(xs), native(xs)):  # the second run finds memory that is not fresh
        for one, other in zip(found, expected, strict=True):
            close(one, other)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("op", "number"), CASES)
def test_op_is_the_same_native(op: Op, number: int, dtype: str) -> None:
    xs, settings = op.samples(np.random.default_rng(number))[number]
    xs = [np.asarray(x) for x in xs]
    xs = [x.astype(dtype) if x.dtype.kind == "f" else x for x in xs]

    def step(*values: Any) -> tuple[Any, ...]:
        out = CALLS[op.name](*values, **settings)
        return out if isinstance(out, tuple) else (out,)

    agree(record(step, [spec_of(x) for x in xs])[0], xs)


SPECIAL = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-40, -1e-40, 3e38, -3e38, 0.5, 100.0]
POINTWISE = [
    pytest.param(op, id=op.name)
    for op in OPS.values()
    if type(op.lower).__name__ == "Pointwise" and len(op.inputs) < 3
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("op", POINTWISE)
def test_nan_and_infinity_behave_as_in_numpy(op: Op, dtype: str) -> None:
    special = np.array(SPECIAL, dtype)
    xs = [special] if len(op.inputs) == 1 else [np.repeat(special, 13), np.tile(special, 13)]
    settings = {"dtype": "float64"} if op.name == "cast" else {}
    if op.name.startswith("logical"):
        xs = [x > 0 for x in xs]

    def step(*values: Any) -> tuple[Any, ...]:
        return (CALLS[op.name](*values, **settings),)

    agree(record(step, [spec_of(x) for x in xs])[0], xs)


@pytest.mark.parametrize(
    ("first", "second"),
    [("float32", "float64"), ("int64", "float32"), ("bool", "float32"), ("int32", "int64")],
)
@pytest.mark.parametrize("swapped", [False, True])
def test_operands_of_different_dtypes(first: str, second: str, swapped: bool) -> None:
    rng = np.random.default_rng(0)
    pair = [(rng.standard_normal((3, 4)) * 3).astype(dtype) for dtype in (first, second)]
    xs = pair[::-1] if swapped else pair

    def step(x: Any, y: Any) -> tuple[Any, ...]:
        product = CALLS["contract"](x, y, dims="bi,oi->bo")
        return product, CALLS["concat"](x, y, axis=0), CALLS["mul"](x, y)

    agree(record(step, [spec_of(x) for x in xs])[0], xs)

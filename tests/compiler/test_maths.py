"""The vectors' mathematics, in units in the last place, against NumPy with more digits."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.compiler import llvm
from chainrule.compiler.emitter import Emitter
from chainrule.compiler.ir import Code
from chainrule.compiler.native import NativeProgram
from chainrule.core.op import CALLS
from chainrule.core.record import record
from chainrule.spec import Spec

# The largest error, in units in the last place; some more than was found over many more samples.
ULPS = {"exp": 1.1, "expm1": 2.0, "log": 1.1, "log1p": 1.1, "tanh": 1.6, "sin": 1.7, "cos": 1.7,
        "erf": 1.6, "sigmoid": 2.5, "power": 1.4}  # fmt: skip
DTYPES = ["float32", "float64"]
LANES = [1, 4, 8]
SPECIAL = [0.0, 1.0, 2.0, 3.0, 0.5, np.inf, 1e-40, 5e-324, 1e-310, 1e30, 3e38, 1e300, 88.72,
           88.73, 103.9, 104.0, 709.78, 709.79, 745.1, 746.0, 2.5, 1e15, 2.0**24 + 2]  # fmt: skip
SIGNED = [np.nan, *SPECIAL, *(-x for x in SPECIAL)]
ERF = np.vectorize(math.erf, otypes=[np.float64])
ORACLES: dict[str, Callable[..., Any]] = {
    "erf": lambda x: ERF(x.astype(np.float64)).astype(x.dtype),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}
quiet = pytest.mark.filterwarnings("ignore::RuntimeWarning")


@cache
def compiled(name: str, dtype: str, lanes: int, width: int) -> Callable[..., Any]:
    """The function over arrays whose size is a multiple of the lanes."""
    del width  # of the processor's vectors: another one, another function
    code, inputs = Code(), 2 if name == "power" else 1

    def some(i: Any, _: Any) -> None:
        wanted = np.dtype(dtype)
        xs = [code.load(code.at(f"%x{n}", i, wanted), wanted, lanes) for n in range(inputs)]
        code.store(getattr(Emitter(code), name)(*xs), code.at("%out", i, wanted))

    code.loop("%n", some, step=lanes)
    head = "define void @run(ptr %x0, ptr %x1, ptr %out, i64 %n) nounwind {\nentry:"
    library = llvm.Library("\n".join([*sorted(code.uses), head, *code.lines, "  ret void", "}"]))
    run = library.function("run", *[ctypes.c_void_p] * 3, ctypes.c_int64)

    def call(*xs: Any) -> Any:
        out = np.empty_like(xs[0])
        assert out.size % lanes == 0
        run(xs[0].ctypes.data, xs[-1].ctypes.data, out.ctypes.data, out.size)
        return out

    call.keeps = library  # type: ignore[attr-defined]
    return call


def function(name: str, dtype: str, lanes: int) -> Callable[..., Any]:
    return compiled(name, dtype, lanes, llvm.host().bytes)


def check(name: str, found: Any, *xs: Any) -> None:
    """As close as `ULPS` says; nan, infinities and the signs of zeros exactly."""
    wider = np.float64 if found.dtype == np.float32 else np.longdouble
    expected = ORACLES.get(name, getattr(np, name, None))(*(x.astype(wider) for x in xs))
    rounded = expected.astype(found.dtype)
    exact = ~np.isfinite(rounded) | ~np.isfinite(found) | (rounded == 0)
    # What is as near to infinity as to the largest number may be either.
    most = np.finfo(found.dtype).max
    edge = np.isinf(rounded) ^ np.isinf(found)
    near = np.abs(np.where(edge, expected, most)) / most - 1
    assert np.all(np.abs(near) < 4 * np.finfo(found.dtype).eps), xs[0][edge]
    exact &= ~edge & ~((rounded == 0) & (found != 0))
    np.testing.assert_array_equal(found[exact], rounded[exact])
    signs = exact & ~np.isnan(found)
    np.testing.assert_array_equal(np.signbit(found[signs]), np.signbit(rounded[signs]))
    rest = ~exact & ~edge
    apart = np.abs(found[rest] - expected[rest]) / np.spacing(np.abs(rounded[rest]))
    if rest.any():
        worst = int(np.argmax(apart))
        assert apart[worst] <= ULPS[name], [x[rest][worst] for x in xs]


def samples(dtype: str) -> Any:
    """All magnitudes, ordinary ones, near 1, whole turns, and the special ones."""
    rng = np.random.default_rng(0)
    bits = rng.integers(
        0, 2 ** (8 * np.dtype(dtype).itemsize), 12000, dtype=dtype.replace("float", "uint")
    )
    usual = [rng.normal(0, s, 6000) for s in (0.3, 3.0, 40.0, 400.0)]
    turns = rng.integers(-60000, 60000, 4000) * (np.pi / 4)
    parts = [bits.view(dtype), *usual, 1 + rng.normal(0, 1e-2, 4000), turns, SIGNED, np.zeros(7)]
    with np.errstate(over="ignore"):
        x = np.concatenate([np.asarray(part).astype(dtype) for part in parts])
    return x[: x.size // 8 * 8]


@quiet
@pytest.mark.parametrize("lanes", LANES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [name for name in ULPS if name != "power"])
def test_close_over_the_whole_range(name: str, dtype: str, lanes: int) -> None:
    x = samples(dtype)
    check(name, function(name, dtype, lanes)(x), x)


@quiet
@pytest.mark.parametrize("lanes", LANES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_powers_are_close(dtype: str, lanes: int) -> None:
    rng = np.random.default_rng(1)
    base = [samples(dtype), np.exp(rng.normal(0, 3, 8000)), 1 + rng.normal(0, 1e-3, 8000)]
    exponent = [rng.permutation(base[0]), rng.normal(0, 30, 8000), rng.normal(0, 1e5, 8000)]
    whole = np.rint(rng.normal(0, 9, 8000))
    x = np.concatenate([*base, rng.normal(0, 3, 8000)]).astype(dtype)
    y = np.concatenate([*exponent, whole]).astype(dtype)
    check("power", function("power", dtype, lanes)(x, y), x, y)


@quiet
@pytest.mark.parametrize("dtype", DTYPES)
def test_powers_of_special_numbers_are_those_of_numpy(dtype: str) -> None:
    special = np.array([*SIGNED, 0.0], dtype)  # 48 of them: whole vectors
    x, y = np.repeat(special, special.size), np.tile(special, special.size)
    check("power", function("power", dtype, 8)(x, y), x, y)


@pytest.mark.parametrize("lanes", LANES)
@pytest.mark.parametrize("dtype", ["int64", "int32"])
def test_powers_of_whole_numbers(dtype: str, lanes: int) -> None:
    """Those that run over too, as in NumPy."""
    rng = np.random.default_rng(3)
    x, y = rng.integers(-9, 10, 512).astype(dtype), rng.integers(0, 100, 512).astype(dtype)
    power = function("power", dtype, lanes)
    np.testing.assert_array_equal(power(x, y), np.power(x, y))
    assert not power(x, -1 - y).any()


@quiet
@settings(max_examples=60, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ULPS)
def test_any_vector(name: str, dtype: str, data: st.DataObject) -> None:
    """Lanes do not disturb each other: some may leave the range where polynomials hold."""
    numbers = st.floats(width=32 if dtype == "float32" else 64)
    vectors = st.lists(numbers, min_size=8, max_size=8)
    xs = [np.array(data.draw(vectors), dtype) for _ in range(2 if name == "power" else 1)]
    found = function(name, dtype, 8)(*xs)
    check(name, found, *xs)
    np.testing.assert_array_equal(found, function(name, dtype, 1)(*xs))


@quiet
@pytest.mark.parametrize("width", ["16", "32"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ULPS)
def test_narrower_vectors(
    name: str, dtype: str, width: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAINRULE_VECTOR_BYTES", width)
    llvm.host.cache_clear()
    try:
        assert llvm.host().bytes == int(width)
        xs = [np.resize(samples(dtype)[::7], 4096) for _ in range(2 if name == "power" else 1)]
        xs[-1] = xs[-1][::-1].copy()
        check(name, function(name, dtype, llvm.host().lanes)(*xs), *xs)
    finally:
        monkeypatch.undo()
        llvm.host.cache_clear()


@pytest.mark.parametrize("dtype", DTYPES)
def test_logaddexp_is_symmetric_and_bounded(dtype: str) -> None:
    x = samples(dtype)
    x = x[np.abs(x) < 1e30]
    y = np.random.default_rng(2).permutation(x)
    program, _ = record(lambda a, b: (CALLS["logaddexp"](a, b),), [Spec(x.shape, x.dtype)] * 2)
    (found,), (swapped,) = (NativeProgram(program)(pair) for pair in ([x, y], [y, x]))
    np.testing.assert_array_equal(found, swapped)
    larger = np.maximum(x, y)
    assert np.all(found >= larger)
    assert np.all(found <= larger + x.dtype.type(0.6931473))


def test_a_function_is_in_a_module_once() -> None:
    def step(x: Any) -> tuple[Any, ...]:
        return cr.tanh(cr.tanh(x)), cr.tanh(cr.sum(cr.exp(x)))

    program, _ = record(step, [Spec((64,), cr.float32)])
    lines = NativeProgram(program).library.text.splitlines()
    name = f" @tanh.{4 * llvm.host().lanes}.float("
    defined = [line for line in lines if line.startswith("define internal") and name in line]
    calls = [line for line in lines if "call fastcc" in line and name in line]
    assert len(defined) == 1
    assert len(calls) >= 2

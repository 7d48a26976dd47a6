"""Products of any shape as machine code, against NumPy's einsum in float64."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.compiler import llvm, writer
from chainrule.compiler.native import NativeProgram
from chainrule.core.op import CALLS
from chainrule.core.record import record
from chainrule.spec import spec_of

DIMS = [
    "bi,oi->bo", "bo,oi->bi", "bo,bi->oi", "ik,kj->ij", "ik,kj->ji", "i,i->", "i,j->ij", "ij,j->i",
    "bhtd,bhsd->bhts", "bhts,bhsd->bhtd", "bthd,bshd->bhts", "bhts,bshd->bthd", "bci,oci->bo",
    "boyx,bcyx->oc", "bcyx,oc->boyx", "bd,bd->bd", "bkd,kd->bd", "abd,cbd->acbd", "bi,bi->b",
]  # fmt: skip
SIZES = st.sampled_from([0, 1, 1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 24, 31, 33])


@pytest.fixture(params=["16", "32"])
def width(request: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Vectors of so many bytes."""
    monkeypatch.setenv("CHAINRULE_VECTOR_BYTES", request.param)
    llvm.host.cache_clear()
    yield request.param
    llvm.host.cache_clear()


def numbers(dims: str, shape: tuple[int, ...], dtype: str, seed: int) -> Any:
    """Small whole numbers: their products and sums are exact in every order."""
    found = np.random.default_rng(seed).integers(-4, 5, shape).astype(dtype)
    assert len(shape) == len(dims)
    return found


def compiled(step: Any, xs: list[Any]) -> NativeProgram:
    return NativeProgram(record(step, [spec_of(x) for x in xs])[0])


def on(native: NativeProgram, threads: int, xs: list[Any]) -> tuple[Any, ...]:
    native.choice.pick = lambda: threads  # type: ignore[method-assign]
    return native(xs)


def agree(dims: str, xs: list[Any]) -> NativeProgram:
    native = compiled(lambda x, y: (CALLS["contract"](x, y, dims=dims),), xs)
    (found,) = on(native, 1, xs)
    expected = np.einsum(dims, *[x.astype("float64") for x in xs])
    np.testing.assert_array_equal(found, expected.astype(xs[0].dtype))
    return native


@settings(max_examples=60)
@given(
    dims=st.sampled_from(DIMS),
    sizes=st.lists(SIZES, min_size=7, max_size=7),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_any_shape(dims: str, sizes: list[int], dtype: str) -> None:
    left, right = dims.partition("->")[0].split(",")
    size = dict(zip(dict.fromkeys(left + right), sizes, strict=False))
    shapes = [tuple(size[n] for n in names) for names in (left, right)]
    pairs = zip((left, right), shapes, strict=True)
    agree(dims, [numbers(n, shape, dtype, i) for i, (n, shape) in enumerate(pairs)])


@pytest.mark.usefixtures("width")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("dims", "left", "right"),
    [
        ("bi,oi->bo", (37, 130), (41, 130)),  # both turned, the rest of every tile
        ("bo,bi->oi", (70, 52), (70, 67)),
        ("ik,kj->ij", (3, 1031), (1031, 18)),  # blocks of the inner axis, and a rest
        ("bo,bi->oi", (160, 100), (160, 1024)),  # both packed
        ("bi,oi->bo", (1, 65), (19, 65)),  # dots
        ("bi,oi->bo", (9, 65), (1, 65)),
        ("bi,oi->bo", (21, 40), (3, 40)),
    ],
)
def test_every_form(dims: str, left: tuple[int, ...], right: tuple[int, ...], dtype: str) -> None:
    left_names, right_names = dims.partition("->")[0].split(",")
    xs = [numbers(left_names, left, dtype, 0), numbers(right_names, right, dtype, 1)]
    native = agree(dims, xs)
    assert "x" in native.written[0].notes["tile"]


def test_the_forms_are_chosen_by_shape() -> None:
    def form(dims: str, left: tuple[int, ...], right: tuple[int, ...]) -> str:
        xs = [np.ones(left, "float32"), np.ones(right, "float32")]
        native = compiled(lambda x, y: (CALLS["contract"](x, y, dims=dims),), xs)
        return str(native.written[0].notes["tile"])

    assert form("bi,oi->bo", (1, 256), (64, 256)).startswith("dots")
    assert form("bi,oi->bo", (64, 256), (1, 256)).startswith("dots")
    assert "packed right" in form("bi,oi->bo", (64, 64), (64, 64))
    assert "packed" not in form("bo,oi->bi", (32, 64), (64, 64))
    assert "packed right packed left" in form("bo,bi->oi", (512, 512), (512, 1024))
    assert form("bi,oi->bo", (64, 256), (10, 256)).startswith("dots")
    assert form("bi,oi->bo", (64, 2048), (128, 2048)).startswith("outer")  # dots read too far


def test_rows_that_leave_few_are_less_code() -> None:
    def lines(rows: int) -> int:
        xs = [np.ones((rows, 64), "float32"), np.ones((64, 64), "float32")]
        native = compiled(lambda x, y: (CALLS["contract"](x, y, dims="bi,oi->bo"),), xs)
        return len(native.library.text.splitlines())

    assert lines(512) < 0.95 * lines(509)  # 85 tiles of 6 rows and one of 2, or of 5


@settings(max_examples=40)
@given(
    start=st.integers(0, 3),
    by=st.integers(1, 3),
    flip=st.booleans(),
    repeat=st.booleans(),
    rows=st.integers(1, 20),
    columns=st.integers(1, 20),
    inner=st.integers(1, 20),
)
def test_operands_of_any_strides(
    start: int, by: int, flip: bool, repeat: bool, rows: int, columns: int, inner: int
) -> None:
    """Transposed, cut out with steps, broadcast: all are read where they lie."""
    x = numbers("ik", (inner + 3, rows) if flip else (rows, inner + 3), "float32", 0)
    y = numbers("kj", (inner, 1 if repeat else start + by * columns), "float32", 1)

    def step(x: Any, y: Any) -> tuple[Any, ...]:
        x = CALLS["permute"](x, axes=(1, 0)) if flip else x
        x = CALLS["slice"](x, start=(0, start), stop=(rows, start + inner), step=(1, 1))
        if repeat:
            y = CALLS["broadcast_to"](y, shape=(inner, columns))
        else:
            y = CALLS["slice"](
                y, start=(0, start), stop=(inner, start + by * columns), step=(1, by)
            )
        return (CALLS["contract"](x, y, dims="ik,kj->ij"),)

    (found,) = on(compiled(step, [x, y]), 1, [x, y])
    left = (x.T if flip else x)[:, start : start + inner]
    right = np.repeat(y, columns, 1) if repeat else y[:, start::by]
    np.testing.assert_array_equal(found, left @ right)


@settings(max_examples=20)
@given(
    batch=st.integers(1, 3),
    channels=st.integers(1, 5),
    size=st.integers(3, 12),
    kernel=st.integers(1, 3),
    out=st.integers(1, 9),
)
def test_sliding_windows(batch: int, channels: int, size: int, kernel: int, out: int) -> None:
    """Views that read elements several times, many axes in each group: a convolution's products."""
    rng = np.random.default_rng(0)
    x = rng.integers(-4, 5, (batch, channels, size, size)).astype("float32")
    w = rng.integers(-4, 5, (out, channels, kernel, kernel)).astype("float32")
    many = size - kernel + 1
    windows = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), (2, 3))
    g = rng.integers(-4, 5, (batch, out, many, many)).astype("float32")

    def slid(x: Any) -> Any:
        window, ones = (kernel, kernel), (1, 1)
        return CALLS["windows"](x, axis=2, window=window, stride=ones, dilation=ones)

    def step(x: Any, w: Any, g: Any) -> tuple[Any, ...]:
        contract = CALLS["contract"]
        forward = contract(slid(x), w, dims="bcyxkl,ockl->boyx")
        return forward, contract(g, slid(x), dims="boyx,bcyxkl->ockl")

    forward, slope = on(compiled(step, [x, w, g]), 1, [x, w, g])
    np.testing.assert_array_equal(forward, np.einsum("bcyxkl,ockl->boyx", windows, w))
    np.testing.assert_array_equal(slope, np.einsum("boyx,bcyxkl->ockl", g, windows))


@pytest.mark.parametrize(
    ("rows", "inner", "columns"), [(50, 40, 30), (1, 300, 70), (64, 700, 1), (23, 1030, 37)]
)
def test_bits_do_not_depend_on_threads(
    rows: int, inner: int, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "ENOUGH", 0)
    rng = np.random.default_rng(0)
    shapes = [(rows, inner), (columns, inner), (columns,), (rows, columns)]
    xs = [rng.standard_normal(s).astype("float32") for s in shapes]

    def step(x: Any, w: Any, bias: Any, other: Any) -> tuple[Any, ...]:
        y = CALLS["contract"](x, w, dims="bi,oi->bo")
        y = CALLS["add"](y, CALLS["broadcast_to"](bias, shape=(rows, columns)))
        z = CALLS["mul"](CALLS["maximum"](y, 0.0), other)
        return y, z, CALLS["contract"](z, x, dims="bo,bi->oi")

    native = compiled(step, xs)
    alone = on(native, 1, xs)
    y = xs[0].astype("float64") @ xs[1].T + xs[2]
    z = np.maximum(y, 0) * xs[3]
    for found, expected in zip(alone, (y, z, z.T @ xs[0]), strict=True):
        scale = math.sqrt(inner * rows)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * scale)
    for threads in (2, 3):
        for one, other in zip(on(native, threads, xs), alone, strict=True):
            assert one.tobytes() == other.tobytes()

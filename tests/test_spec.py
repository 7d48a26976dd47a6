"""Shapes and dtypes: the text form, and promotion. (Against PyTorch: tests/peers/test_ops.py.)"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import ShapeError
from chainrule.spec import SHORT, Number, Spec, promote, promote_float, spec_of

F32, F64, I64, I32, BOOL = map(np.dtype, ("float32", "float64", "int64", "int32", "bool"))
DTYPES = [*SHORT, np.dtype("uint8"), np.dtype("int16"), np.dtype("float16")]
specs = st.builds(
    Spec, st.lists(st.integers(0, 10**6), max_size=5).map(tuple), st.sampled_from(DTYPES)
)


@given(specs)
def test_text_there_and_back(spec: Spec) -> None:
    assert Spec.parse(repr(spec)) == spec


def test_text() -> None:
    assert repr(Spec((64, 10), F32)) == "f32[64,10]"
    assert repr(Spec((), BOOL)) == "bool[]"
    assert repr(Spec((3,), np.dtype("uint8"))) == "uint8[3]"


@pytest.mark.parametrize(
    "text",
    ["", "f32", "f32[3", "f32[3]]", "f32[-1]", "f32[a]", "f32[3,]", "x[3]", "object[3]", "<U3[2]"],
)
def test_text_of_nothing(text: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        Spec.parse(text)


def test_sizes() -> None:
    assert (Spec((2, 3), F32).ndim, Spec((2, 3), F32).size, Spec((), F32).size) == (2, 6, 1)
    assert Spec((4, 0), F32).size == 0


@pytest.mark.parametrize(
    ("operands", "expected"),
    [
        ([Spec((3,), I64), Spec((3,), F32)], F32),  # NumPy: float64
        ([Spec((3,), F32), Spec((3,), F64)], F64),
        ([Spec((3,), F32), Spec((), F64)], F32),  # a 0-d array gives way within its category
        ([Spec((3,), I64), Spec((), F64)], F64),  # but not to a lower category
        ([Spec((), F32), Spec((), F64)], F64),
        ([Spec((3,), I32), Number(5)], I32),
        ([Spec((3,), I32), Number(0.5)], F32),
        ([Spec((3,), F64), Number(0.5)], F64),
        ([Spec((3,), BOOL), Number(True)], BOOL),
        ([Spec((3,), BOOL), Number(1)], I64),
        ([Spec((), BOOL), Number(1.5)], F32),
        ([Number(1), Number(2)], I64),
    ],
)
def test_promotion(operands: list[Spec | Number], expected: np.dtype[np.generic]) -> None:
    assert promote(*operands) == expected
    assert promote(*reversed(operands)) == expected


@given(st.lists(specs, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_order_does_not_matter(operands: list[Spec], random: object) -> None:
    mixed = list(operands)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert promote(*operands) == promote(*mixed)


@given(specs)
def test_promotion_to_itself(spec: Spec) -> None:
    assert promote(spec, spec) == spec.dtype
    assert promote_float(spec).kind == "f"
    assert promote(spec, Number(True)) == spec.dtype


def test_spec_of() -> None:
    assert spec_of(np.ones((2, 3), "float32")) == Spec((2, 3), F32)
    assert spec_of(np.float64(1)) == Spec((), F64)
    assert spec_of(2) == Number(2)
    assert (spec_of(True).dtype, spec_of(1).dtype, spec_of(1.0).dtype) == (BOOL, I64, F32)


@pytest.mark.parametrize("thing", [None, [1.0, 2.0], "text", object()])
def test_what_has_no_spec(thing: object) -> None:
    with pytest.raises(ShapeError, match="tensors, arrays and numbers"):
        spec_of(thing)

"""Packed numbers are the same numbers, to the last bit, in as few bytes as that takes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.data.packed import Packed

NAN = float("nan")

NUMBERS = st.one_of(
    st.integers(-(10**10), 10**10).map(lambda cents: float(f"{cents}e-2")),
    st.integers(-130, 130).map(float),
    st.floats(-1e150, 1e150),
    st.sampled_from([0.0, -0.0, NAN, 1e150, -(2.0**31), 2.0**31 - 1, 327.66, 327.67, 0.1 + 0.2]),
)
CELLS = st.lists(st.tuples(NUMBERS, st.booleans()), max_size=12)


def arrays(cells: list[tuple[float, bool]]) -> tuple[np.ndarray, np.ndarray]:
    """Numbers, NaN where they are missing, and where they are."""
    missing = np.array([gone for _, gone in cells], dtype=np.bool_)
    return np.array([NAN if gone else number for number, gone in cells]), missing


def bits(numbers: np.ndarray) -> list[int]:
    """Each number's bits; one NaN is as good as another."""
    return np.where(np.isnan(numbers), NAN, numbers).view(np.int64).tolist()


@given(parts=st.lists(CELLS, max_size=4), scale=st.sampled_from([1.0, 100.0, 1e6]))
def test_numbers_come_back_to_the_last_bit_from_any_parts(
    parts: list[list[tuple[float, bool]]], scale: float
) -> None:
    numbers, missing = arrays([cell for part in parts for cell in part])
    ends = np.cumsum([0, *map(len, parts)]).tolist()
    placed = (
        (slice(start, start + len(part)), Packed.of(*arrays(part), scale))
        for start, part in zip(ends, parts, strict=False)
    )
    packed = Packed.joined(placed, len(numbers))
    assert bits(packed.numbers) == bits(numbers)
    assert packed.missing.tolist() == missing.tolist()
    assert packed.bad.tolist() == np.flatnonzero(np.isnan(numbers) & ~missing).tolist()
    backwards = np.arange(len(numbers))[::-1]
    assert bits(packed[backwards].numbers) == bits(numbers[::-1])


@pytest.mark.parametrize(
    ("numbers", "scale", "dtype"),
    [
        ([1.0, -126.0, NAN], 1.0, np.int8),
        ([1.27], 100.0, np.int16),
        ([327.67], 100.0, np.int32),
        ([2.0**31 - 1], 1.0, np.float64),
        ([1.25], 10.0, np.float64),
        ([-0.0], 1.0, np.float64),
    ],
)
def test_the_smallest_integers_that_hold_all(
    numbers: list[float], scale: float, dtype: type
) -> None:
    packed = Packed.of(np.array(numbers), np.zeros(len(numbers), np.bool_), scale)
    assert packed.held.dtype == dtype
    assert packed.nbytes == len(numbers) * np.dtype(dtype).itemsize

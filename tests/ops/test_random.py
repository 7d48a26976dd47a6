"""random_uniform: what a saved seed relies on, and that the numbers are spread evenly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule.core.op import OPS
from chainrule.ops.random import bits


def draw(seed: int, number: int, shape: tuple[int, ...], dtype: str = "float32") -> Any:
    return OPS["random_uniform"].forward(np.int64(seed), np.int64(number), shape=shape, dtype=dtype)


# Literal, so that they are the same in every version, on every machine.
GOLDEN_BITS = {
    (0, 0): [213000021201967259, 4455796210202625458, 2055444239878205049, 10411612076246414556],
    (0, 1): [3908118788357988974, 3976118584364544030, 13943884316977772245, 9841404159791100892],
    (42, 7): [8305950373989433421, 5644400767158196621, 10229095922241509741, 648384940033509112],
    (-1, 3): [10826648586333843546, 5232443500476602291, 4618026042722729872, 4159965715562135770],
}
GOLDEN = {
    (0, 0, "float32"): [
        0.034741878509521484,
        0.011546730995178223,
        0.6119502186775208,
        0.24154919385910034,
        0.36548125743865967,
    ],
    (42, 7, "float32"): [
        0.7330589294433594,
        0.45026642084121704,
        0.6578384041786194,
        0.3059835433959961,
        0.5726638436317444,
    ],
    (0, 0, "float64"): [
        0.011546754286331562,
        0.24154919656271812,
        0.11142585551493822,
        0.5644146216071337,
        0.5023796042735054,
    ],
    (-1, 3, "float64"): [
        0.5869137959020134,
        0.2836513305312194,
        0.2503436934057309,
        0.22551219331388417,
        0.33401725691301054,
    ],
}


def test_bits_never_change() -> None:
    for (seed, number), expected in GOLDEN_BITS.items():
        assert bits(seed, number, 4).tolist() == expected


def test_numbers_never_change() -> None:
    for (seed, number, dtype), expected in GOLDEN.items():
        assert draw(seed, number, (5,), dtype).tolist() == expected


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_shape_only_says_how_many(dtype: str) -> None:
    """The first n numbers of a draw are the same whatever is asked for after them."""
    whole = draw(3, 1, (100,), dtype)
    for shape in [(), (1,), (7,), (4, 5), (2, 3, 3), (0, 4)]:
        found = draw(3, 1, shape, dtype)
        assert found.shape == shape
        assert found.dtype == dtype
        np.testing.assert_array_equal(found.ravel(), whole[: found.size])


@pytest.mark.parametrize(("dtype", "n"), [("float32", 24), ("float64", 53)])
def test_all_bits_are_used(dtype: str, n: int) -> None:
    """Multiples of 2^-n in [0, 1), each bit one half of the time."""
    x = draw(5, 0, (20_000,), dtype).astype("float64")
    whole = x * 2.0**n
    assert (whole == np.floor(whole)).all()
    assert x.min() >= 0
    assert x.max() < 1
    ones = [((whole.astype("uint64") >> np.uint64(bit)) & np.uint64(1)).mean() for bit in range(n)]
    assert max(abs(share - 0.5) for share in ones) < 5 * 0.5 / np.sqrt(20_000)


def test_draws_and_seeds_differ() -> None:
    seen = {
        draw(seed, number, (4,), "float64").tobytes() for seed in range(20) for number in range(20)
    }
    assert len(seen) == 400
    pair = [draw(1, number, (10_000,), "float64") for number in (0, 1)]
    assert abs(np.corrcoef(*pair)[0, 1]) < 5 / 100


def test_draws_do_not_overlap() -> None:
    """No stretch of one draw is the beginning of the next."""
    first, second = bits(1, 0, 50_000), bits(1, 1, 4)
    assert not np.isin(second, first).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_chi_square(dtype: str) -> None:
    """1000 boxes of 100 each: chi-square of 999 degrees of freedom, within five deviations."""
    for seed in range(3):
        counts = np.histogram(draw(seed, 9, (100_000,), dtype), bins=1000, range=(0, 1))[0]
        chi = ((counts - 100.0) ** 2 / 100.0).sum()
        assert abs(chi - 999) < 5 * np.sqrt(2 * 999)


def test_extreme_seeds() -> None:
    """Negative seeds, and draw numbers, are 64 bits like any other."""
    rows = [bits(seed, number, 2).tolist() for seed, number in [(-1, 0), (2**63 - 1, 0), (0, -1)]]
    assert len({tuple(row) for row in rows}) == 3
    assert bits(-1, 0, 2).tolist() == bits(2**64 - 1, 0, 2).tolist()

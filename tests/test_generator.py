"""Random numbers: what a seed fixes, how they are spread, and that a recorded step draws them."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.core.interpret import interpret
from chainrule.core.record import record
from chainrule.errors import RecordingError, SettingError
from chainrule.generator import Generator, default_generator, manual_seed


def test_a_seed_fixes_the_stream() -> None:
    def stream(seed: int) -> list[list[float]]:
        g = Generator(seed)
        return [g.uniform((3,)).tolist(), g.normal((3,)).tolist(), g.permutation(5).tolist()]

    assert stream(3) == stream(3)
    assert stream(3) != stream(4)


def test_known_numbers_never_change() -> None:
    """Saved seeds must give the same weights in every version."""
    g = Generator(42)
    assert g.uniform((3,)).tolist() == [0.30228471755981445, 0.820198118686676, 0.3624339699745178]
    assert g.permutation(6).tolist() == [5, 4, 0, 1, 2, 3]


def test_a_draw_does_not_depend_on_the_shapes_of_earlier_ones() -> None:
    first, second = Generator(1), Generator(1)
    first.uniform((2, 2))
    second.uniform((1000,))
    assert first.uniform((4,)).tolist() == second.uniform((4,)).tolist()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_spread(dtype: str) -> None:
    g = Generator(0)
    u, z = g.uniform((100_000,), dtype).numpy(), g.normal((100_001,), dtype).numpy()
    assert u.dtype == z.dtype == dtype
    assert u.min() >= 0
    assert u.max() < 1
    # Five standard errors.
    assert abs(u.mean() - 0.5) < 5 * 0.289 / 316
    assert abs(z.mean()) < 5 / 316
    assert abs(z.var() - 1) < 5 * 1.42 / 316
    assert abs((z**4).mean() - 3) < 5 * 9.8 / 316
    half = len(z) // 2  # cos and sin of one angle do not go together
    assert abs((z[:half] * z[-half:]).mean()) < 5 / 223


@pytest.mark.parametrize("shape", [(), (0, 3), (1,), (5, 7)])
def test_shapes(shape: tuple[int, ...]) -> None:
    g = Generator(0)
    assert g.uniform(shape).shape == g.normal(shape).shape == shape
    assert g.randint(0, 3, shape).shape == shape


def test_integers_are_equally_likely() -> None:
    counts = np.bincount(Generator(5).randint(-2, 3, (10_000,)).numpy() + 2)
    assert counts.sum() == 10_000
    assert len(counts) == 5
    assert abs(counts - 2000).max() < 200  # five standard errors


def test_permutation_is_one() -> None:
    assert sorted(Generator(9).permutation(50).tolist()) == list(range(50))


def test_recorded_draws_are_the_eager_ones() -> None:
    recorded, eager = Generator(11), Generator(11)

    def step() -> tuple[cr.Tensor, ...]:
        return (
            recorded.uniform((3,)),
            recorded.normal((2, 2), "float64"),
            recorded.randint(0, 9, (4,)),
        )

    program = record(step, [])[0].verify()
    assert int(recorded.draw) == 0, "recording draws nothing"
    for _ in range(3):
        wanted = eager.uniform((3,)), eager.normal((2, 2), "float64"), eager.randint(0, 9, (4,))
        for raw, tensor in zip(interpret(program, []), wanted, strict=True):
            assert raw.tolist() == tensor.tolist()
    assert int(recorded.draw) == int(eager.draw) == 9


def test_results_keep_no_history() -> None:
    assert not Generator(0).normal((2,)).requires_grad


def test_state_goes_on() -> None:
    g = Generator(2)
    g.uniform((3,))
    state = g.state_dict()
    wanted = g.normal((3,)).tolist()
    again = Generator(0)
    again.load_state_dict(state)
    assert again.normal((3,)).tolist() == wanted


@pytest.mark.parametrize("seed", [-1, 2**64 - 1, -(2**63)])
def test_large_seeds(seed: int) -> None:
    assert Generator(seed).uniform((2,)).tolist() != Generator(0).uniform((2,)).tolist()


def test_default_generator() -> None:
    assert manual_seed(4) is default_generator
    first = default_generator.uniform((2,)).tolist()
    manual_seed(4)
    assert default_generator.uniform((2,)).tolist() == first


def test_errors() -> None:
    with pytest.raises(SettingError, match="not a seed"):
        Generator(2**64)
    with pytest.raises(SettingError, match="more than 3"):
        Generator().randint(3, 3, (2,))
    with pytest.raises(SettingError, match="float32 or float64"):
        Generator().uniform((2,), "int64")
    with pytest.raises(RecordingError, match="pass the indices"):
        record(lambda: (Generator.permutation(default_generator, 3),), [])

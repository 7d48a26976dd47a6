"""Random numbers for whoever asks: a seed and the number of the next draw, both in cells.

Every draw is a pure function of (seed, draw number, position), so a recorded step, a resumed run
and an eager one get the same numbers, whichever order they are asked in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from chainrule.core.record import user_line
from chainrule.core.state import RECORDER
from chainrule.core.value import Raw
from chainrule.errors import RecordingError, SettingError
from chainrule.ops import pointwise as p
from chainrule.ops.create import full
from chainrule.ops.layout import concat, reshape
from chainrule.ops.layout import slice as slice_op
from chainrule.ops.random import bits, random_uniform
from chainrule.spec import F32, F64, I64
from chainrule.tensors import Cell, Tensor, as_tensor

_LOWEST, _HIGHEST = -(2**63), 2**64 - 1  # the seeds that PyTorch takes


class Generator:
    """A stream of random numbers that a seed fixes.

    `seed`: an integer from -2**63 to 2**64 - 1. Two cells hold all of its state: `seed`, and
    `draw`, the number of the next draw. Each call below is one draw, whatever its shape. The bits
    are Philox-4x64's (J. Salmon et al., SC 2011), so the numbers differ from PyTorch's.
    Raises SettingError for a seed out of range.

    >>> first, second = Generator(7), Generator(7)
    >>> first.uniform((2,)).tolist() == second.uniform((2,)).tolist()
    True
    >>> first.uniform((2,)).tolist() == first.uniform((2,)).tolist()
    False
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = Cell(np.int64(0), "seed")
        self.draw = Cell(np.int64(0), "draw")
        self.manual_seed(seed)

    def manual_seed(self, seed: int) -> Generator:
        """Start again from `seed`; gives the generator."""
        if not isinstance(seed, int | np.integer) or not _LOWEST <= seed <= _HIGHEST:
            raise SettingError("not a seed", expected="an integer of 64 bits", got=repr(seed))
        wrapped = (int(seed) + 2**63) % 2**64 - 2**63  # in two's complement: the same 64 bits
        self.seed.array = full(shape=(), value=wrapped, dtype="int64")
        self.draw.array = full(shape=(), value=0, dtype="int64")
        return self

    def uniform(self, shape: Sequence[int], dtype: DTypeLike = F32) -> Tensor:
        """Numbers of [0, 1), in this shape; float32 or float64."""
        return as_tensor(self._uniform(shape, dtype))

    def normal(self, shape: Sequence[int], dtype: DTypeLike = F32) -> Tensor:
        """Numbers of mean 0 and deviation 1, in this shape; float32 or float64.

        One draw u gives both halves of them: sqrt(-2 log(1 - u[0])) times cos and sin of
        2 pi u[1] (G. Box and M. Muller, 1958).
        """
        count = math.prod(shape)
        half = (count + 1) // 2
        u = self._uniform((2, half), dtype)
        # 1 - u lies in (0, 1]: its logarithm is finite.
        radius = p.sqrt(p.mul(p.log(p.sub(1.0, _row(u, 0))), -2.0))
        angle = p.mul(_row(u, 1), 2.0 * math.pi)
        both = concat(p.mul(radius, p.cos(angle)), p.mul(radius, p.sin(angle)), axis=0)
        kept = slice_op(both, start=(0,), stop=(count,), step=(1,))
        return as_tensor(reshape(kept, shape=tuple(shape)))

    def randint(self, low: int, high: int, shape: Sequence[int], dtype: DTypeLike = I64) -> Tensor:
        """Integers from `low` up to `high` - 1, all equally likely, in this shape.

        Raises SettingError when `high` is not above `low`.
        """
        if high <= low:
            raise SettingError("randint draws below high", expected=f"more than {low}", got=high)
        steps = p.cast(p.mul(self._uniform(shape, F64), float(high - low)), dtype="int64")
        return as_tensor(p.cast(p.add(steps, low), dtype=np.dtype(dtype).name))

    def permutation(self, n: int) -> Tensor:
        """The integers from 0 up to n - 1 in random order: the ranks of n random numbers.

        Raises RecordingError while a step is recorded: an order is drawn once per epoch, outside.
        """
        if RECORDER.get() is not None:
            raise RecordingError(
                f"an order is drawn, but this step is being recorded ({user_line()})",
                hint="draw the order outside and pass the indices to the step",
            )
        found = bits(int(self.seed.held()), int(self.draw.held()), n)
        self._count_on()
        return Tensor(np.argsort(found, kind="stable").astype(I64, copy=False))

    def state_dict(self) -> dict[str, Tensor]:
        """Seed and draw number: what an interrupted stream goes on from."""
        return {cell.name: Tensor(np.array(cell.held())) for cell in (self.seed, self.draw)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where `state_dict` was taken."""
        for cell in (self.seed, self.draw):
            cell.hold(np.array(state[cell.name], dtype=I64))

    def _uniform(self, shape: Sequence[int], dtype: DTypeLike) -> Raw:
        name = np.dtype(dtype).name
        if name not in ("float32", "float64"):
            raise SettingError(
                "random real numbers are floating-point", expected="float32 or float64", got=name
            )
        found = random_uniform(self.seed.array, self.draw.array, shape=tuple(shape), dtype=name)
        self._count_on()
        return found

    def _count_on(self) -> None:
        self.draw.array = p.add(self.draw.array, 1)


def _row(u: Raw, row: int) -> Raw:
    size = u.shape[1]
    return reshape(slice_op(u, start=(row, 0), stop=(row + 1, size), step=(1, 1)), shape=(size,))


default_generator = Generator(0)
"""What is drawn from when no generator is named: initial weights, dropout, order of batches."""


def manual_seed(seed: int) -> Generator:
    """Let the default generator start again from `seed`, and give it, as `torch.manual_seed`."""
    return default_generator.manual_seed(seed)

"""The two levels every op works on: raw (an array or a Symbol) and Value (raw and where it came from)."""

from __future__ import annotations

import math
from typing import Any

from chainrule.spec import DType

# A raw: np.ndarray, a NumPy scalar, a Python number, or (while recording) a Symbol.
Raw = Any

# Where a value came from: None (untracked), a leaf (a Cell, or a stand-in for one), or a node,
# the tuple (op, parents' origins, raws, settings, out). A raw that no rule needs is there only as
# its shape. A tuple rather than a class: building one is the largest cost of eager history.
Origin = Any


class Symbol:
    """Stands for an array while a program is recorded; `made` is its Instruction, None for an input."""

    __slots__ = ("dtype", "id", "made", "shape")

    def __init__(
        self, shape: tuple[int, ...], dtype: DType, id: int, made: Any | None = None
    ) -> None:
        self.shape, self.dtype, self.id, self.made = shape, dtype, id, made

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def __repr__(self) -> str:
        return f"%{self.id}"


class Value:
    """A raw and its origin."""

    __slots__ = ("array", "origin")

    array: Raw
    origin: Origin

    def __init__(self, array: Raw, origin: Origin = None) -> None:
        self.array, self.origin = array, origin

    @property
    def shape(self) -> tuple[int, ...]:
        shape: tuple[int, ...] = self.array.shape
        return shape

    @property
    def dtype(self) -> DType:
        dtype: DType = self.array.dtype
        return dtype

    @property
    def ndim(self) -> int:
        return len(self.array.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(self.array.size)

"""The two levels every op works on: raw (an array or a Symbol), and Value (raw and its origin)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from chainrule.core.op import CALLS
from chainrule.spec import DType

# A raw: np.ndarray, a NumPy scalar, a Python number, or (while recording) a Symbol.
Raw = Any

# Where a value came from: None (untracked), a leaf (a Cell, or a stand-in for one), or a node, the
# tuple (number, op, parents' origins, saved, settings). Numbers fall with age: a smaller one was
# made later. Saved is (out, *inputs): an input that no rule needs only as its shape, such an
# output as None. A tuple rather than a class: building one is the largest cost of eager history.
Origin = Any


def _operator(name: str, swapped: bool = False) -> Callable[[Any, Any], Any]:
    if swapped:
        return lambda self, other: CALLS[name](other, self)
    return lambda self, other: CALLS[name](self, other)


class Symbol:
    """Stands for an array while a program is recorded.

    `made` is its Instruction, None for an input. It has the operators of arithmetic, so that
    a gradient rule written with them, as a user's often is, works on symbols as on arrays.
    """

    __slots__ = ("dtype", "id", "made", "shape")
    __array_ufunc__ = None  # so that array * symbol asks the symbol

    __add__, __radd__ = _operator("add"), _operator("add", swapped=True)
    __sub__, __rsub__ = _operator("sub"), _operator("sub", swapped=True)
    __mul__, __rmul__ = _operator("mul"), _operator("mul", swapped=True)
    __truediv__, __rtruediv__ = _operator("div"), _operator("div", swapped=True)
    __pow__, __rpow__ = _operator("power"), _operator("power", swapped=True)

    def __neg__(self) -> Any:
        return CALLS["neg"](self)

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

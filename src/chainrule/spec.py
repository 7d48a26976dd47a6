"""Shapes and dtypes: what is known of an array before it exists, promotion, the form f32[64,10]."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from chainrule.errors import SettingError, ShapeError

DType = np.dtype[Any]

F32, F64 = np.dtype("float32"), np.dtype("float64")
I64, I32, BOOL = (np.dtype(name) for name in ("int64", "int32", "bool"))
U64, U32, U8 = (np.dtype(name) for name in ("uint64", "uint32", "uint8"))
float32, float64, int64, int32, bool_ = F32, F64, I64, I32, BOOL  # as users know them
SHORT: dict[DType, str] = {
    F32: "f32",
    F64: "f64",
    I64: "i64",
    I32: "i32",
    U32: "u32",
    U64: "u64",
    BOOL: "bool",
}
LONG = {short: dtype for dtype, short in SHORT.items()}

NUMBERS = (bool, int, float)  # compared by exact type: np.float64 is a float, too


@dataclass(frozen=True, slots=True)
class Spec:
    """The shape and dtype of an array.

    >>> Spec((64, 10), F32)
    f32[64,10]
    """

    shape: tuple[int, ...]
    dtype: DType

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def __repr__(self) -> str:
        return f"{SHORT.get(self.dtype, self.dtype.name)}[{','.join(map(str, self.shape))}]"

    @staticmethod
    def parse(text: str) -> Spec:
        """The Spec that `text` is the repr of; raises ValueError when it is of none."""
        name, _, sizes = text.rstrip("]").partition("[")
        shape = tuple(int(size) for size in sizes.split(",") if size)
        found = Spec(shape, LONG[name] if name in LONG else np.dtype(name))
        if repr(found) != text or found.dtype.kind not in "fiub" or any(n < 0 for n in shape):
            raise ValueError(f"not a shape and dtype: {text!r}")
        return found


@dataclass(frozen=True, slots=True)
class Number:
    """A Python number among an op's inputs: no shape, and a dtype that gives way to any array's."""

    value: bool | int | float
    shape: tuple[int, ...] = ()

    @property
    def ndim(self) -> int:
        return 0

    @property
    def dtype(self) -> DType:
        """What the number would be on its own: f32, i64 or bool."""
        return {bool: BOOL, int: I64, float: F32}[type(self.value)]

    def __repr__(self) -> str:
        return repr(self.value)


def spec_of(raw: Any) -> Spec | Number:
    """The Spec of an array or symbol; a Number for a Python number."""
    if type(raw) in NUMBERS:
        return Number(raw)
    try:
        return Spec(tuple(raw.shape), raw.dtype)
    except AttributeError:
        raise ShapeError(
            "an op computes with tensors, arrays and numbers",
            got=f"{raw!r} ({type(raw).__name__})",
            hint="make a tensor of it: cr.tensor(...)",
        ) from None


def dtype_of(wanted: Any, otherwise: DType) -> DType:
    """The dtype that `wanted` names; `otherwise` for "cpu", which is a device.

    Raises SettingError for another device, and for what is no dtype.
    """
    if isinstance(wanted, str) and wanted == "cpu":
        return otherwise
    try:
        found: DType = np.dtype(wanted)
        return found
    except TypeError:
        raise SettingError(
            "no such dtype",
            expected=", ".join(dtype.name for dtype in SHORT),
            got=repr(wanted),
            hint="there is one device, the CPU: .to(device) can be left out",
        ) from None


def promote(*operands: Spec | Number) -> DType:
    """The dtype that operands meet in, by PyTorch's rule.

    A float beats any integer and keeps its width (i64 + f32 is f32; NumPy makes it f64), an
    integer beats bool; within a category, arrays with axes beat 0-d arrays, which beat numbers.
    """
    return _promote(tuple((_rank(operand), operand.dtype) for operand in operands))


def promote_float(*operands: Spec | Number) -> DType:
    """As `promote`, but never an integer: the rule of division and of exp, log and their like."""
    dtype = promote(*operands)
    return dtype if dtype.kind == "f" else F32


def _rank(operand: Spec | Number) -> int:
    if isinstance(operand, Number):
        return 2
    return 0 if operand.shape else 1


@lru_cache(maxsize=4096)
def _promote(operands: tuple[tuple[int, DType], ...]) -> DType:
    found: DType | None = None
    for rank in (2, 1, 0):
        group = [dtype for r, dtype in operands if r == rank]
        if group:
            found = _meet(_widest(group), found)
    assert found is not None, "promotion of nothing"
    return found


def _widest(dtypes: list[DType]) -> DType:
    """Within one rank: a float beats any integer and keeps its width."""
    floats = [dtype for dtype in dtypes if dtype.kind == "f"]
    return np.result_type(*(floats or dtypes))


def _meet(higher: DType, lower: DType | None) -> DType:
    """A lower rank counts only when it is of a higher category."""
    if lower is None or higher.kind == "f":
        return higher
    if higher.kind == "b" or lower.kind == "f":
        return _widest([higher, lower])
    return higher

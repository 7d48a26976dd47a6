"""Where values lie while a program runs: one arena, in which those that never meet share places."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.core.value import Symbol
from chainrule.spec import I64

STATUS = Symbol((), I64, 0)
"""Where kernels note that something was wrong: not 0 after an index out of range."""

BARRIER = Symbol((16,), I64, 0)
"""What threads count in when they meet: who came, and a cache line further, how often they met."""

Region = tuple[object, int, int]
"""A piece of memory: whose, from which byte, to below which."""

ALIGNMENT = 64  # bytes: a cache line, and the widest vector


@dataclass(frozen=True)
class Lifetime:
    """A value, and the first and last kernel that need its memory."""

    symbol: Symbol
    first: int
    last: int

    @property
    def bytes(self) -> int:
        """Its size, rounded up to whole lines."""
        size = math.prod(self.symbol.shape) * self.symbol.dtype.itemsize
        return max(1, -(-size // ALIGNMENT)) * ALIGNMENT


def places(lifetimes: Sequence[Lifetime]) -> tuple[dict[Symbol, int], int]:
    """An offset in bytes for every value, and the size of the arena.

    The largest first, each in the lowest gap between those that live at the same time.
    """
    placed: list[tuple[int, Lifetime]] = []
    found: dict[Symbol, int] = {}
    for life in sorted(lifetimes, key=lambda one: (-one.bytes, one.first)):
        offset = 0
        for begin, other in sorted(placed, key=lambda pair: pair[0]):
            if other.first > life.last or other.last < life.first:
                continue
            if offset + life.bytes <= begin:
                break
            offset = max(offset, begin + other.bytes)
        placed.append((offset, life))
        found[life.symbol] = offset
    return found, max((o + life.bytes for o, life in placed), default=0)


def aligned(size: int) -> NDArray[np.uint8]:
    """So many bytes from an address that is a multiple of the alignment."""
    raw = np.zeros(size + ALIGNMENT, np.uint8)
    begin = -raw.ctypes.data % ALIGNMENT
    return raw[begin : begin + size]


def address(array: NDArray[Any]) -> int:
    """Where an array's first element lies; by the quickest way there is, as calls are short."""
    try:
        return ctypes.addressof(ctypes.c_char.from_buffer(array))  # type: ignore[arg-type]
    except (TypeError, ValueError):  # one that may only be read, or of no elements
        return array.ctypes.data


def in_bytes(memory: NDArray[np.uint8], symbol: Symbol, offset: int = 0) -> NDArray[np.generic]:
    """The array of a value at an offset of some memory."""
    size = math.prod(symbol.shape) * symbol.dtype.itemsize
    part = memory[offset : offset + size]
    found: NDArray[np.generic] = part.view(symbol.dtype).reshape(symbol.shape)
    return found

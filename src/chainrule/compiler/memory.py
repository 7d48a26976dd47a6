"""Where the values of a program lie: cells at home, arguments where they come from, the rest in one
arena that values share when they never meet.
"""

from __future__ import annotations

import ctypes
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.compiler.fuse import Fused
from chainrule.compiler.kernels import Written
from chainrule.compiler.plan import (
    BARRIER,
    STATUS,
    Lifetime,
    Region,
    address,
    aligned,
    in_bytes,
    places,
)
from chainrule.compiler.views import View
from chainrule.core.program import Program
from chainrule.core.value import Symbol
from chainrule.spec import F64

_ARENA = "arena"


class Memory:
    """The memory of a native program, and the table of addresses that its functions read."""

    def __init__(self, program: Program, fused: Fused, written: Sequence[Written]) -> None:
        self.fused = fused
        homes = {s: in_bytes(aligned(_bytes(s)), s) for s in _owned(program)}
        reads, assigns = program.reads, program.assigns
        pairs = [(reads[name], new) for name, new in assigns.items() if name in reads]
        returned = {fused.base(s) for s in program.returns}
        self.in_place = in_place(pairs, fused, written, returned)
        self._same = {**self.in_place, **_same(written)}
        borrowed = (s for s in program.reads.values() if s not in homes)
        # In an order that is the same again: the table's is part of the code.
        self._outside = dict.fromkeys([*program.args, *program.captured, *borrowed])
        constants = {**fused.constants, **_constants(written)}
        self.arrays: dict[Symbol, Any] = {
            STATUS: np.zeros((), np.int64),
            BARRIER: in_bytes(aligned(128), BARRIER),
            **{symbol: np.ascontiguousarray(array) for symbol, array in constants.items()},
            **homes,
        }
        self.lifetimes = self._lifetimes(written, program)
        self.offsets, self.arena_bytes = places(self.lifetimes)
        self.peak_bytes = self.arena_bytes + sum(a.nbytes for a in self.arrays.values())
        self.arena = aligned(self.arena_bytes)
        for symbol, offset in self.offsets.items():
            self.arrays[symbol] = in_bytes(self.arena, symbol, offset)
        self._number()

    def _number(self) -> None:
        """A place in the table for everything that has memory."""
        owners = dict.fromkeys([*self.arrays, *self._outside])
        self._places = {symbol: place for place, symbol in enumerate(owners)}
        self.table = (ctypes.c_void_p * len(owners))()
        self.address = ctypes.addressof(self.table)
        for symbol, array in self.arrays.items():
            self.table[self._places[symbol]] = array.ctypes.data

    def place(self, symbol: Symbol) -> int:
        """Where in the table a value's address stands."""
        return self._places[self._owner(symbol)]

    def region(self, symbol: Symbol) -> Region:
        """The memory that a value lies in."""
        symbol = self._owner(symbol)
        if symbol not in self.offsets:
            return symbol, 0, 1
        begin = self.offsets[symbol]
        return _ARENA, begin, begin + _bytes(symbol)

    def point(self, symbol: Symbol, raw: Any) -> None:
        """Let a value from outside lie where the array `raw` does."""
        if type(raw) is not np.ndarray or raw.dtype != symbol.dtype or not raw.flags.c_contiguous:
            raw = np.ascontiguousarray(raw, symbol.dtype)
        self.arrays[symbol] = raw
        self.table[self._places[symbol]] = address(raw)

    def array(self, symbol: Symbol) -> NDArray[Any]:
        """A value as NumPy sees it in its memory."""
        view = self.fused.views[symbol]
        base = self.arrays[self._owner(view.base)]
        flat = np.asarray(base).reshape(-1)[view.start :]
        steps = tuple(s * base.itemsize for s in view.strides)
        if 0 in view.shape:
            return np.empty(view.shape, base.dtype)
        return np.lib.stride_tricks.as_strided(flat, view.shape, steps)

    def stays(self, symbol: Symbol) -> bool:
        """Whether a value lies at the same place in every run."""
        return self._owner(self.fused.base(symbol)) not in self._outside

    def home(self, symbol: Symbol) -> Any:
        """The array of the memory that a value of its own lies in; None if it has none."""
        return self.arrays.get(self._owner(symbol))

    def _owner(self, symbol: Symbol) -> Symbol:
        while symbol in self._same:
            symbol = self._same[symbol]
        return symbol

    def _lifetimes(self, written: Sequence[Written], program: Program) -> list[Lifetime]:
        """When each value of the arena is first and last needed, counted in kernels."""
        first: dict[Symbol, int] = {}
        last: dict[Symbol, int] = {}
        end = 0
        for begin, end, symbols in _uses(written, 0):
            for symbol in map(self._owner, symbols):
                first[symbol] = min(begin, first.get(symbol, begin))
                last[symbol] = max(end, last.get(symbol, end))
        for result in program.results():
            if isinstance(result, Symbol):
                last[self._owner(self.fused.base(result))] = end + 1
        kept = {*self.arrays, *self._outside}
        return [Lifetime(s, first[s], last[s]) for s in first if s not in kept]


def _owned(program: Program) -> list[Symbol]:
    """Cells that need memory of their own: those that are written to, also by a schedule."""
    return [
        symbol
        for name, symbol in program.reads.items()
        if name in program.assigns or (symbol.shape == () and symbol.dtype == F64)
    ]


def in_place(
    pairs: Iterable[tuple[Symbol, Any]],
    fused: Fused,
    written: Sequence[Written],
    kept: Collection[Symbol],
) -> dict[Symbol, Symbol]:
    """New values that can be written over the old ones, of pairs (old, new).

    Nobody reads the old one later, and the kernel that writes the new one reads the old element by
    element at the same place. What is in `kept` has a place of its own.
    """
    found: dict[Symbol, Symbol] = {}
    for old, new in pairs:
        if not isinstance(new, Symbol) or fused.views[new] != View.of(new):
            continue
        if new in found or new in kept or old in kept or old.dtype != new.dtype:
            continue
        makers = [i for i, w in enumerate(written) if new in w.writes]
        readers = [i for i, w in enumerate(written) if old in w.operands]
        alone = makers and written[makers[0]].loop is None and all(i <= makers[0] for i in readers)
        if alone and _same_place(old, fused, written[makers[0]]):
            found[new] = old
    return found


def _same_place(old: Symbol, fused: Fused, maker: Written) -> bool:
    kernel = maker.kernel
    for made in kernel.members:
        for source in made.inputs:
            if isinstance(source, Symbol) and fused.base(source) is old:
                view = fused.views[source]
                if made is kernel.root or kernel.rows or view != View.of(old):
                    return False  # a later stage of a row may read it again
                if view.shape != kernel.shape:
                    return False
    return True


def _uses(written: Sequence[Written], begin: int) -> Iterator[tuple[int, int, list[Symbol]]]:
    """Which values are needed from which kernel to which, in order; loops kernel by kernel too."""
    for w in written:
        if w.loop is None:
            yield begin, begin, list(w.operands)
            begin += 1
            continue
        inside = list(_uses([*w.loop.before, *w.loop.body], begin))
        end = max((last for _, last, _ in inside), default=begin)
        moving = (whole for whole, _ in w.loop.moving.values())
        outer = dict.fromkeys([*w.operands, *w.loop.same.values(), *moving])
        for first, last, symbols in inside:
            yield first, last, [s for s in symbols if s not in w.loop.moving]
        yield begin, end, list(outer)
        begin = end + 1


def _same(written: Sequence[Written]) -> dict[Symbol, Symbol]:
    found: dict[Symbol, Symbol] = {}
    for w in written:
        if w.loop is not None:
            found |= w.loop.same | _same(w.loop.body)
    return found


def _constants(written: Sequence[Written]) -> dict[Symbol, Any]:
    found: dict[Symbol, Any] = {}
    for w in written:
        if w.loop is not None:
            found |= w.loop.constants | _constants(w.loop.body)
    return found


def _bytes(symbol: Symbol) -> int:
    return Lifetime(symbol, 0, 0).bytes

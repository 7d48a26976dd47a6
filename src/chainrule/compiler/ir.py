"""LLVM's assembly, written line by line: values, loads and stores, loops of known length."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.spec import BOOL, F32, F64, I32, I64, U8, U32, U64, DType

SCALARS = {
    F32: "float", F64: "double", I64: "i64", I32: "i32", U64: "i64", U32: "i32", U8: "i8",
    BOOL: "i1",
}  # fmt: skip
"""How a dtype is written in a register; in memory a bool takes a byte."""


@dataclass(frozen=True, slots=True)
class Reg:
    """A value in a register: its name, dtype and how many lanes it has."""

    name: str
    dtype: DType
    lanes: int

    @property
    def type(self) -> str:
        """As LLVM writes it."""
        return vector(SCALARS[self.dtype], self.lanes)


Index = int | str
"""A count or offset: known now, or the name of an i64."""


def vector(scalar: str, lanes: int) -> str:
    """The type of so many lanes."""
    return scalar if lanes == 1 else f"<{lanes} x {scalar}>"


def literal(value: Any, dtype: DType) -> str:
    """A number as LLVM writes it: floats by their bits, so that nothing is lost."""
    if dtype.kind == "b":
        return "true" if value else "false"
    if dtype.kind in "iu":
        return str(int(value))
    exact = float(np.float32(value)) if dtype == F32 else float(value)
    return f"0x{struct.unpack('<Q', struct.pack('<d', exact))[0]:016X}"


class Code:
    """The body of one function, as it is being written."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.block = "entry"
        self.uses: set[str] = set()  # declarations of what is called
        self._values = self._blocks = 0

    def cut(self) -> list[str]:
        """The lines so far; what follows is another function's body."""
        lines, self.lines, self.block = self.lines, [], "entry"
        return lines

    def emit(self, text: str) -> None:
        """A line that gives no value."""
        self.lines.append(f"  {text}")

    def let(self, text: str) -> str:
        """A line that gives a value; its name."""
        self._values += 1
        name = f"%v{self._values}"
        self.lines.append(f"  {name} = {text}")
        return name

    # -- whole numbers known now are folded

    def add(self, a: Index, b: Index) -> Index:
        """a + b."""
        if isinstance(a, int) and isinstance(b, int):
            return a + b
        if a == 0:
            return b
        return a if b == 0 else self.let(f"add nsw i64 {a}, {b}")

    def mul(self, a: Index, b: Index) -> Index:
        """a * b."""
        if isinstance(a, int) and isinstance(b, int):
            return a * b
        if a == 0 or b == 0:
            return 0
        if a == 1:
            return b
        return a if b == 1 else self.let(f"mul nsw i64 {a}, {b}")

    def split(self, position: Index, sizes: Sequence[int]) -> list[Index]:
        """The positions along axes of these sizes of an element counted row by row."""
        found: list[Index] = []
        for number, size in reversed(list(enumerate(sizes))):
            if isinstance(position, int):
                position, rest = divmod(position, size)
                found.append(rest)
            elif size == 1 or number == 0:
                found.append(0 if size == 1 else position)
            else:
                found.append(self.let(f"urem i64 {position}, {size}"))
                position = self.let(f"udiv i64 {position}, {size}")
        return found[::-1]

    def least(self, a: Index, b: Index) -> Index:
        """The smaller of two counts."""
        if isinstance(a, int) and isinstance(b, int):
            return min(a, b)
        return self.let(f"select i1 {self.let(f'icmp ult i64 {a}, {b}')}, i64 {a}, i64 {b}")

    def greatest(self, a: Index, b: Index) -> Index:
        """The larger of two counts."""
        if isinstance(a, int) and isinstance(b, int):
            return max(a, b)
        return self.let(f"select i1 {self.let(f'icmp ugt i64 {a}, {b}')}, i64 {a}, i64 {b}")

    def dot(self, positions: Sequence[Index], strides: Sequence[int], start: Index = 0) -> Index:
        """start + the sum of positions times strides."""
        for position, stride in zip(positions, strides, strict=True):
            start = self.add(start, self.mul(position, stride))
        return start

    # -- memory

    def at(self, pointer: str, offset: Index, dtype: DType) -> str:
        """The address of the element at `offset`."""
        if offset == 0:
            return pointer
        return self.let(f"getelementptr {stored(dtype)}, ptr {pointer}, i64 {offset}")

    def load(self, address: str, dtype: DType, lanes: int = 1) -> Reg:
        """So many elements in a row."""
        name = self.let(
            f"load {vector(stored(dtype), lanes)}, ptr {address}, align {dtype.itemsize}"
        )
        return self._from_memory(name, dtype, lanes)

    def prefetch(self, address: str) -> None:
        """Ask for a line of memory that is soon needed."""
        self.uses.add("declare void @llvm.prefetch.p0(ptr, i32, i32, i32)")
        self.emit(f"call void @llvm.prefetch.p0(ptr {address}, i32 0, i32 3, i32 1)")

    def load_some(self, address: str, dtype: DType, lanes: int, count: int) -> Reg:
        """The first `count` of so many lanes; the others are 0."""
        kind, mask = vector(stored(dtype), lanes), _mask(lanes, count)
        suffix = f"v{lanes}{_suffix(dtype)}.p0"
        called = f"@llvm.masked.load.{suffix}"
        masks = vector("i1", lanes)
        self.uses.add(f"declare {kind} {called}(ptr, i32, {masks}, {kind})")
        name = self.let(
            f"call {kind} {called}(ptr {address}, i32 {dtype.itemsize}, {masks} {mask}, "
            f"{kind} zeroinitializer)"
        )
        return self._from_memory(name, dtype, lanes)

    def store(self, value: Reg, address: str) -> None:
        """All lanes, in a row."""
        name, kind = self._to_memory(value)
        self.emit(f"store {kind} {name}, ptr {address}, align {value.dtype.itemsize}")

    def store_some(self, value: Reg, address: str, count: int) -> None:
        """The first `count` lanes: by halves where processors are slow to store under a mask."""
        if value.lanes * value.dtype.itemsize > 32:
            self._store_masked(value, address, count)
            return
        done = 0
        while done < count:
            many = 1 << (count - done).bit_length() - 1
            lanes = range(done, done + many)
            piece = self.shuffle(value, value, lanes) if many > 1 else self.lane(value, done)
            self.store(piece, self.at(address, done, value.dtype))
            done += many

    def _store_masked(self, value: Reg, address: str, count: int) -> None:
        name, kind = self._to_memory(value)
        called = f"@llvm.masked.store.v{value.lanes}{_suffix(value.dtype)}.p0"
        masks = vector("i1", value.lanes)
        self.uses.add(f"declare void {called}({kind}, ptr, i32, {masks})")
        self.emit(
            f"call void {called}({kind} {name}, ptr {address}, i32 {value.dtype.itemsize}, "
            f"{masks} {_mask(value.lanes, count)})"
        )

    def _from_memory(self, name: str, dtype: DType, lanes: int) -> Reg:
        if dtype == BOOL:
            name = self.let(f"trunc {vector('i8', lanes)} {name} to {vector('i1', lanes)}")
        return Reg(name, dtype, lanes)

    def _to_memory(self, value: Reg) -> tuple[str, str]:
        kind = vector(stored(value.dtype), value.lanes)
        if value.dtype == BOOL:
            return self.let(f"zext {value.type} {value.name} to {kind}"), kind
        return value.name, kind

    # -- lanes

    def splat(self, value: Reg, lanes: int) -> Reg:
        """One number in every lane."""
        if lanes == 1 or value.lanes == lanes:
            return value
        kind = vector(SCALARS[value.dtype], lanes)
        one = self.let(f"insertelement {kind} poison, {value.type} {value.name}, i64 0")
        name = self.let(
            f"shufflevector {kind} {one}, {kind} poison, {vector('i32', lanes)} zeroinitializer"
        )
        return Reg(name, value.dtype, lanes)

    def constant(self, value: Any, dtype: DType, lanes: int = 1) -> Reg:
        """A number that is known now, in every lane."""
        text = literal(value, dtype)
        if lanes > 1:
            text = f"splat ({SCALARS[dtype]} {text})"
        return Reg(text, dtype, lanes)

    def shuffle(self, x: Reg, y: Reg, chosen: Sequence[int]) -> Reg:
        """The chosen lanes of x and y, those of y counted on from those of x."""
        mask = ", ".join(f"i32 {lane}" for lane in chosen)
        picks = f"{vector('i32', len(chosen))} <{mask}>"
        name = self.let(f"shufflevector {x.type} {x.name}, {y.type} {y.name}, {picks}")
        return Reg(name, x.dtype, len(chosen))

    def lane(self, value: Reg, number: int) -> Reg:
        """One lane of several."""
        if value.lanes == 1:
            return value
        name = self.let(f"extractelement {value.type} {value.name}, i64 {number}")
        return Reg(name, value.dtype, 1)

    def gathered(self, values: Sequence[Reg]) -> Reg:
        """Single numbers as the lanes of one value."""
        if len(values) == 1:
            return values[0]
        dtype, kind = values[0].dtype, vector(SCALARS[values[0].dtype], len(values))
        name = "poison"
        for number, value in enumerate(values):
            name = self.let(f"insertelement {kind} {name}, {value.type} {value.name}, i64 {number}")
        return Reg(name, dtype, len(values))

    # -- loops

    def loop(
        self,
        count: Index,
        body: Callable[[Index, list[Reg]], Sequence[Reg] | None],
        carried: Sequence[Reg] = (),
        step: int = 1,
        begin: Index = 0,
    ) -> list[Reg]:
        """Run `body(position, carried)` for begin, begin + step, ... below `count`.

        Gives the last carried. What is known to need one round is no loop, and what needs none is
        nothing; a count known only when it runs must need one round at least.
        """
        if isinstance(count, int) and isinstance(begin, int) and count - begin <= step:
            return list(body(begin, list(carried)) or ()) if count > begin else list(carried)
        self._blocks += 1
        head, done, before = f"loop{self._blocks}", f"done{self._blocks}", self.block
        self.emit(f"br label %{head}")
        self._begin(head)
        self._values += 1
        position, at = f"%v{self._values}", len(self.lines)
        self.lines.append("")
        held = []
        for reg in carried:
            self._values += 1
            held.append(Reg(f"%v{self._values}", reg.dtype, reg.lanes))
            self.lines.append("")
        new = list(body(position, list(held)) or ())
        following = self.let(f"add nuw nsw i64 {position}, {step}")
        again = self.let(f"icmp ult i64 {following}, {count}")
        last = self.block
        self.emit(f"br i1 {again}, label %{head}, label %{done}")
        self._begin(done)
        self.lines[at] = f"  {position} = phi i64 [ {begin}, %{before} ], [ {following}, %{last} ]"
        for i, (reg, phi, value) in enumerate(zip(carried, held, new, strict=True)):
            self.lines[at + 1 + i] = (
                f"  {phi.name} = phi {phi.type} "
                f"[ {reg.name}, %{before} ], [ {value.name}, %{last} ]"
            )
        return new

    def when(
        self,
        condition: str,
        body: Callable[[], Sequence[Reg] | None],
        otherwise: Sequence[Reg] = (),
    ) -> list[Reg]:
        """Run `body()` only where the i1 is true; gives its values, or else `otherwise`."""
        self._blocks += 1
        inside, after, before = f"then{self._blocks}", f"after{self._blocks}", self.block
        self.emit(f"br i1 {condition}, label %{inside}, label %{after}")
        self._begin(inside)
        new, last = list(body() or ()), self.block
        self.emit(f"br label %{after}")
        self._begin(after)
        return [
            Reg(
                self.let(f"phi {a.type} [ {a.name}, %{last} ], [ {b.name}, %{before} ]"),
                a.dtype,
                a.lanes,
            )
            for a, b in zip(new, otherwise, strict=True)
        ]

    def _begin(self, block: str) -> None:
        self.lines.append(f"{block}:")
        self.block = block


def stored(dtype: DType) -> str:
    """How one element is written in memory."""
    return "i8" if dtype == BOOL else SCALARS[dtype]


def _suffix(dtype: DType) -> str:
    return {"float": "f32", "double": "f64"}.get(stored(dtype), stored(dtype))


def _mask(lanes: int, count: int) -> str:
    return "<" + ", ".join(f"i1 {'true' if i < count else 'false'}" for i in range(lanes)) + ">"

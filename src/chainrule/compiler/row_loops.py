"""Kernels that run row by row: reductions of rows, and what is computed between them."""

from __future__ import annotations

import functools
import math

from chainrule.compiler.ir import Code, Index, Reg, stored
from chainrule.compiler.loops import leaves_of
from chainrule.compiler.reductions import Fold
from chainrule.compiler.row_stages import Stage, Stages
from chainrule.compiler.views import View, collapsed, contiguous
from chainrule.compiler.writer import Writer
from chainrule.core.program import Instruction
from chainrule.core.value import Symbol

_LIGHT = 4  # lines of code that are sooner computed again than kept
_SLOW = "call", "div"
_AT_ONCE = 4  # running results of a reduction, so that they do not wait for each other
_NEAR = 32768  # bytes: the nearest cache
_BODY = 16  # members in the body of a loop over vectors, above which it is not repeated


def write_rows(writer: Writer) -> None:
    """Every row, in stages."""
    _RowLoops(writer).write()


class _RowLoops:
    def __init__(self, writer: Writer) -> None:
        kernel, rows = writer.kernel, writer.kernel.rows
        assert rows is not None
        self.writer, self.code, self.rows = writer, writer.code, rows
        self.plan = Stages(kernel, self.read, self._light)
        self.stores = set(kernel.stores)
        self.leaves = leaves_of(writer, kernel.members)
        self.views = {leaf: writer.fused.views[leaf] for leaf in self.leaves}
        self.full = [leaf for leaf in self.leaves if any(rows.row_strides(self.views[leaf]))]
        sizes = tuple(rows.shape[axis] for axis in rows.axes)
        self.inner, steps = collapsed(
            sizes, [*(rows.row_strides(self.views[leaf]) for leaf in self.full), contiguous(sizes)]
        )
        self.steps = dict(zip(self.full, steps, strict=False))
        self.column_steps = steps[-1]
        members = [made for stage in self.plan.stages for made in stage.members]
        together = writer.together(members, self.inner[-1])
        self.lanes = min(together, 1 << (self.inner[-1] - 1).bit_length())

    def read(self, made: Instruction) -> list[Symbol]:
        return [self.writer.source(s) for s in made.inputs if isinstance(s, Symbol)]

    def _light(self, made: Instruction) -> bool:
        """Whether so little is written for a member that it is not worth keeping."""
        lines = self.writer.alone(made).lines
        slow = any(word in line for line in lines for word in _SLOW)
        return not slow and len(lines) <= _LIGHT

    def write(self) -> None:
        rows, writer = self.rows, self.writer
        sizes = tuple(rows.shape[axis] for axis in rows.lead)
        plain = contiguous(rows.shape)
        shape, strides = collapsed(
            sizes,
            [
                *(rows.lead_strides(self.views[leaf]) for leaf in self.leaves),
                tuple(plain[axis] for axis in rows.lead),
                contiguous(sizes),
            ],
        )
        self.row_steps = dict(zip(self.leaves, (s[-1] for s in strides), strict=False))
        self.full_step = strides[-2][-1]
        self.block = self._block_size(shape[-1])
        work = sum(len(s.members) + len(s.folds) for s in self.plan.stages) + len(self.full)
        weight = self.block * math.prod(self.inner) / self.lanes * work
        among = writer.share_nest(shape, self.block, weight)
        size = -(-math.prod(self.inner) // self.lanes) * self.lanes + self.lanes
        self.scratch = {s: Scratch(self.code, s, self.block, size) for s in self.plan.scratch}
        self.kept = {s: Scratch(self.code, s, self.block, 1) for s in self._spread()}
        starts = [*(self.views[leaf].start for leaf in self.leaves), 0, 0]
        writer.nest(shape, strides, starts, self._rows, self.block, among)

    def _block_size(self, count: int) -> int:
        """Rows that go through a stage together: each need not wait for its own results."""
        values = len(self.full) + len(self.stores) + len(self.plan.scratch)
        most = _NEAR // (4 * math.prod(self.inner) * values)
        size = max(1, min(self.writer.lanes, count, most))
        return 1 << (size.bit_length() - 1)

    def _spread(self) -> list[Symbol]:
        """Members of one number per row that stages fold, or read for every element of it."""
        found = [fold.outputs[0] for stage in self.plan.stages for fold in stage.folds]
        found += [s for stage in self.plan.stages for s in self.numbers_of(stage)]
        return [s for s in dict.fromkeys(found) if s not in self.views]

    def numbers_of(self, stage: Stage) -> list[Symbol]:
        """What a stage reads of which there is one per row."""
        read = (s for made in [*stage.members, *stage.folds] for s in self.read(made))
        return [s for s in dict.fromkeys(read) if s not in self.full and not self.plan.is_full(s)]

    def _rows(self, offsets: list[Index], _: int, count: int) -> None:
        """A block of rows; its numbers are the lanes of a vector."""
        self.at = dict(zip(self.leaves, offsets, strict=False))
        self.full_at, self.row_at = offsets[-2:]
        numbers: dict[Symbol, Reg] = {}

        def leaf(symbol: Symbol) -> Reg:
            view, step = self.views[symbol], self.row_steps[symbol]
            return self.writer.read(view, self.at[symbol], step, self.block, count)

        def have(made: Instruction) -> None:
            """Also where others read it."""
            (symbol,) = made.outputs
            value = numbers[symbol] = self.code.splat(numbers[symbol], self.block)
            if symbol in self.stores:
                self.writer.write(value, symbol, self.row_at, count)
            if symbol in self.kept and made in stage.before:
                self.code.store(value, self.kept[symbol].at(0))

        for stage in self.plan.stages:
            for made in stage.before:
                self.writer.tree([made], numbers, leaf)
                have(made)
            if stage.members or stage.folds:
                self.code.loop(count, functools.partial(self._row, stage))
            for made in stage.folds:
                place = self.kept[made.outputs[0]].at(0)
                numbers[made.outputs[0]] = self.code.load(place, made.outputs[0].dtype, self.block)
                have(made)

    def _row(self, stage: Stage, row: Index, _: list[Reg]) -> None:
        """One row in one stage."""
        StageLoop(self, stage, row).write()


class Scratch:
    """Memory for the values of a block of rows, so many of each."""

    def __init__(self, code: Code, symbol: Symbol, rows: int, size: int) -> None:
        self.code, self.dtype, self.size = code, symbol.dtype, size
        self.name = code.let(f"alloca [{rows * size} x {stored(symbol.dtype)}], align 64")

    def at(self, row: Index, column: Index = 0) -> str:
        """The address of an element of a row."""
        offset = self.code.add(self.code.mul(row, self.size), column)
        return self.code.at(self.name, offset, self.dtype)


class StageLoop:
    """The loops over the elements of one row, as vectors, for one stage."""

    def __init__(self, rows: _RowLoops, stage: Stage, row: Index) -> None:
        self.rows, self.stage, self.row = rows, stage, row
        self.writer, self.code, self.lanes = rows.writer, rows.code, rows.lanes
        self.folds = [Fold(self.writer, made) for made in stage.folds]
        self.at_once = self._at_once()
        self.splats = {s: self._splat(s) for s in rows.numbers_of(stage)}
        read = {s for made in self._made() for s in rows.read(made)}
        self.leaves = [leaf for leaf in rows.full if leaf in read]
        self.steps = [*(rows.steps[leaf] for leaf in self.leaves), rows.column_steps]
        self.full_at = self.code.add(rows.full_at, self.code.mul(row, rows.full_step))

    def _made(self) -> list[Instruction]:
        return [*self.stage.members, *self.stage.folds]

    def _at_once(self) -> int:
        """Vectors between the jumps of a loop, each with running results of its own."""
        vectors = self.rows.inner[-1] // self.lanes
        most = min(_AT_ONCE, vectors, _BODY // len(self._made()))
        return 1 << (max(1, most).bit_length() - 1) if self.folds else 1

    def _splat(self, symbol: Symbol) -> Reg:
        """The row's number in every lane."""
        if symbol in self.rows.views:
            one = self.writer.read(self.rows.views[symbol], self._leaf_at(symbol), 0, 1, 1)
        else:
            one = self.code.load(self.rows.kept[symbol].at(self.row), symbol.dtype)
        return self.code.splat(one, self.lanes)

    def _leaf_at(self, leaf: Symbol) -> Index:
        moved = self.code.mul(self.row, self.rows.row_steps[leaf])
        return self.code.add(self.rows.at[leaf], moved)

    def write(self) -> None:
        """All of the row."""
        held = [fold.first(self.lanes) for fold in self.folds for _ in range(self.at_once)]
        held = self.level(0, [*map(self._leaf_at, self.leaves), 0], held)
        for number, fold in enumerate(self.folds):
            several = held[number * self.at_once : (number + 1) * self.at_once]
            self.code.store(fold.folded(several), self.rows.kept[fold.out].at(self.row))

    def level(self, axis: int, at: list[Index], held: list[Reg]) -> list[Reg]:
        """The loop over one axis of a row; `at`: where its operands are, and the column."""
        if axis == len(self.rows.inner) - 1:
            return self._vectors(at, held)
        return self.code.loop(
            self.rows.inner[axis],
            lambda i, now: self.level(axis + 1, self._moved(at, axis, i), now),
            held,
        )

    def _moved(self, at: list[Index], axis: int, i: Index) -> list[Index]:
        return self.writer.moved(at, self.steps, axis, i)

    def _vectors(self, at: list[Index], held: list[Reg]) -> list[Reg]:
        """The innermost axis: several running results, then the rest."""
        size, lanes, axis = self.rows.inner[-1], self.lanes, len(self.rows.inner) - 1
        together = lanes * self.at_once
        many = size // together * together

        def several(i: Index, now: list[Reg]) -> list[Reg]:
            for turn in range(self.at_once):
                place = self._moved(at, axis, self.code.add(i, turn * lanes))
                now = self._vector(place, now, turn, lanes)
            return now

        if many:
            held = self.code.loop(many, several, held, together)
        for turn, begin in enumerate(range(many, size, lanes)):
            count = min(lanes, size - begin)
            held = self._vector(self._moved(at, axis, begin), held, turn % self.at_once, count)
        return held

    def _vector(self, at: list[Index], held: list[Reg], turn: int, count: int) -> list[Reg]:
        """Members and folds at one vector; each fold into the running result whose turn it is."""
        known = dict(self.splats)

        def value(symbol: Symbol) -> Reg:
            if symbol not in known:
                known[symbol] = self._loaded(symbol, at, count)
            return self.code.splat(known[symbol], self.lanes)

        self.writer.tree(self.stage.members, known, value)
        for symbol in self.stage.keeps:
            self._keep(symbol, value(symbol), at[-1], count)
        held = list(held)
        for number, fold in enumerate(self.folds):
            source = self.writer.source(self.stage.folds[number].inputs[0])
            place = number * self.at_once + turn
            held[place] = fold.more(held[place], value(source), count)
        return held

    def _loaded(self, symbol: Symbol, at: list[Index], count: int) -> Reg:
        """A vector from memory: of what the kernel reads, or of what an earlier stage kept."""
        rows, lanes = self.rows, self.lanes
        if symbol in rows.views:
            number = self.leaves.index(symbol)
            step = self.steps[number][-1]
            return self.writer.read(rows.views[symbol], at[number], step, lanes, count)
        if symbol in rows.scratch:
            return self.code.load(rows.scratch[symbol].at(self.row, at[-1]), symbol.dtype, lanes)
        place = self.code.add(self.full_at, at[-1])
        return self.writer.read(View.of(symbol), place, 1, lanes, count)

    def _keep(self, symbol: Symbol, value: Reg, column: Index, count: int) -> None:
        if symbol in self.rows.stores:
            self.writer.write(value, symbol, self.code.add(self.full_at, column), count)
        else:
            self.code.store(value, self.rows.scratch[symbol].at(self.row, column))

"""Kernels that run row by row: reductions of rows, and what is computed between them."""

from __future__ import annotations

import math

from chainrule.compile.emitter import Emitter
from chainrule.compile.ir import Code, Index, Reg, stored
from chainrule.compile.loops import leaves_of
from chainrule.compile.reductions import Fold
from chainrule.compile.row_stages import Stage, Stages
from chainrule.compile.views import View, collapsed, contiguous
from chainrule.compile.writer import Writer
from chainrule.core.program import Instruction
from chainrule.core.value import Symbol

_LIGHT = 4  # lines of code that are sooner computed again than kept
_AT_ONCE = 4  # running results of a reduction, so that they do not wait for each other
_BODY = 16  # members in the body of a loop over vectors, above which it is not repeated


def write_rows(writer: Writer) -> None:
    """Every row, in stages."""
    _RowLoops(writer).write()


class _RowLoops:
    def __init__(self, writer: Writer) -> None:
        kernel, rows = writer.kernel, writer.kernel.rows
        assert rows is not None
        self.writer, self.code, self.rows = writer, writer.code, rows
        self.plan = Stages(kernel, self._read, self._light)
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
        self.lanes = min(writer.lanes, 1 << (self.inner[-1] - 1).bit_length())

    def _read(self, made: Instruction) -> list[Symbol]:
        return [self.writer.source(s) for s in made.inputs if isinstance(s, Symbol)]

    def _light(self, made: Instruction) -> bool:
        """Whether so little is written for a member that it is not worth keeping."""
        code, lower = Code(), made.op.lower
        inputs = [
            Reg("%x", s.dtype, self.writer.lanes) if isinstance(s, Symbol) else s
            for s in made.inputs
        ]
        lower.expression(Emitter(code), *inputs, **made.settings)  # type: ignore[attr-defined]
        return len(code.lines) <= _LIGHT

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
        work = sum(len(s.members) + len(s.folds) for s in self.plan.stages) + len(self.full)
        among = writer.share_nest(shape, 1, math.prod(self.inner) / self.lanes * work)
        self.scratch = {symbol: self._room(symbol) for symbol in self.plan.scratch}
        starts = [*(self.views[leaf].start for leaf in self.leaves), 0, 0]
        writer.nest(shape, strides, starts, self._row, 1, among)

    def _room(self, symbol: Symbol) -> str:
        """A scratch for a row of a value, with place for a whole vector at its end."""
        size = math.prod(self.inner) + self.lanes
        return self.code.let(f"alloca [{size} x {stored(symbol.dtype)}], align 64")

    def _row(self, offsets: list[Index], _: int, __: int) -> None:
        self.at = dict(zip(self.leaves, offsets, strict=False))
        self.full_at, self.row_at = offsets[-2:]
        self.numbers: dict[Symbol, Reg] = {}  # one per row
        for stage in self.plan.stages:
            for made in stage.before:
                self.writer.tree([made], self.numbers, self._number)
                self._store_number(made.outputs[0])
            if stage.members or stage.folds:
                self._stage(stage)

    def _number(self, symbol: Symbol) -> Reg:
        """What is read once for a row."""
        return self.writer.read(self.views[symbol], self.at[symbol], 0, 1, 1)

    def _store_number(self, symbol: Symbol) -> None:
        if symbol in self.stores:
            self.writer.write(self.numbers[symbol], symbol, self.row_at, 1)

    # -- one stage of a row

    def _stage(self, stage: Stage) -> None:
        folds = [Fold(self.writer, made) for made in stage.folds]
        at_once = self._at_once(stage)
        held = [fold.first(self.lanes) for fold in folds for _ in range(at_once)]
        loop = _StageLoop(self, stage, folds, at_once)
        held = loop.level(0, [*(self.at[leaf] for leaf in loop.leaves), 0], held)
        for number, fold in enumerate(folds):
            several = held[number * at_once : (number + 1) * at_once]
            self.numbers[fold.out] = fold.folded(several)
            self._store_number(fold.out)

    def _at_once(self, stage: Stage) -> int:
        if not stage.folds:
            return 1
        vectors = self.inner[-1] // self.lanes
        most = min(_AT_ONCE, vectors, _BODY // (len(stage.members) + len(stage.folds)))
        return 1 << (max(1, most).bit_length() - 1)

    def splats(self, stage: Stage) -> dict[Symbol, Reg]:
        """The numbers of the row that a stage reads, in every lane."""
        read = dict.fromkeys(s for m in [*stage.members, *stage.folds] for s in self._read(m))
        found = {}
        for symbol in read:
            if symbol in self.full or self.plan.is_full(symbol):
                continue
            if symbol not in self.numbers:
                self.numbers[symbol] = self._number(symbol)
            found[symbol] = self.code.splat(self.numbers[symbol], self.lanes)
        return found


class _StageLoop:
    """The loops over the elements of a row, as vectors, for one stage."""

    def __init__(self, rows: _RowLoops, stage: Stage, folds: list[Fold], at_once: int) -> None:
        self.rows, self.stage, self.folds, self.at_once = rows, stage, folds, at_once
        self.writer, self.code = rows.writer, rows.code
        self.splats = rows.splats(stage)
        made = [*stage.members, *stage.folds]
        read = {self.writer.source(s) for m in made for s in m.inputs if isinstance(s, Symbol)}
        self.leaves = [leaf for leaf in rows.full if leaf in read]
        self.steps = [*(rows.steps[leaf] for leaf in self.leaves), rows.column_steps]

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
        size, lanes, axis = self.rows.inner[-1], self.rows.lanes, len(self.rows.inner) - 1
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
            return self.code.splat(known[symbol], self.rows.lanes)

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
        rows, lanes = self.rows, self.rows.lanes
        if symbol in rows.views:
            number = self.leaves.index(symbol)
            step = self.steps[number][-1]
            return self.writer.read(rows.views[symbol], at[number], step, lanes, count)
        if symbol in rows.scratch:
            address = self.code.at(rows.scratch[symbol], at[-1], symbol.dtype)
            return self.code.load(address, symbol.dtype, lanes)
        place = self.code.add(rows.full_at, at[-1])
        return self.writer.read(View.of(symbol), place, 1, lanes, count)

    def _keep(self, symbol: Symbol, value: Reg, column: Index, count: int) -> None:
        if symbol in self.rows.stores:
            place = self.code.add(self.rows.full_at, column)
            self.writer.write(value, symbol, place, count)
        else:
            address = self.code.at(self.rows.scratch[symbol], column, symbol.dtype)
            self.code.store(value, address)

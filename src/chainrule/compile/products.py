"""Contractions as register tiles: some rows times some vectors of columns, summed in registers.

Of the output's last axis the lanes are made; the operand that has it is read by vectors, the other
one number at a time. Where the vectors would not lie side by side in memory, that operand is first
laid out anew. What follows element by element is computed on the sums before they are stored.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chainrule.compile.ir import Index, Reg
from chainrule.compile.loops import copy_view, leaves_of
from chainrule.compile.views import View, collapsed, contiguous
from chainrule.compile.writer import Writer
from chainrule.core.value import Symbol
from chainrule.ops.contract import split


@dataclass(frozen=True)
class Axes:
    """Some of the product's dimensions: their sizes and, per operand, their strides."""

    sizes: tuple[int, ...]
    strides: list[tuple[int, ...]]  # operand by operand

    @staticmethod
    def of(names: str, sizes: dict[str, int], operands: Sequence[dict[str, int]]) -> Axes:
        """The axes of these names, neighbours joined where every operand allows it."""
        shape = tuple(sizes[n] for n in names)
        steps = [tuple(operand.get(n, 0) for n in names) for operand in operands]
        return Axes(*collapsed(shape, steps))

    def steps(self, axis: int) -> list[int]:
        """How far each operand moves along one of the axes."""
        return [s[axis] for s in self.strides]


def write_contract(writer: Writer) -> None:
    """The product, and the members after it."""
    _Product(writer).write()


class _Product:
    def __init__(self, writer: Writer) -> None:
        self.writer, self.code = writer, writer.code
        root = writer.kernel.root
        assert root is not None
        self.root, self.out = root, root.outputs[0]
        left, right, out = split(root.settings["dims"])
        x, y = (writer.fused.views[s] for s in root.inputs)
        named = [(left, x), (right, y)]
        if out and out[-1] in left and out[-1] not in right:
            named.reverse()  # the second operand has the columns
        (self.rows_of, self.a), (self.cols_of, self.b) = named
        self.sizes = {n: size for dims, v in named for n, size in zip(dims, v.shape, strict=True)}
        self.out_dims = out
        self.batch = "".join(n for n in out if n in self.rows_of and n in self.cols_of)
        self.rows = "".join(n for n in out if n in self.rows_of and n not in self.cols_of)
        self.cols = "".join(n for n in out if n in self.cols_of and n not in self.rows_of)
        self.inner = "".join(n for n in self.rows_of if n in self.cols_of and n not in out)
        self.tail = [m for m in writer.kernel.members if m is not root]
        inside = {s for m in self.tail for s in m.outputs} | {self.out}
        self.leaves = [s for s in leaves_of(writer, self.tail) if s not in inside]
        self.views = [writer.fused.views[s] for s in self.leaves]
        # Operands, in this order everywhere: a, b, output, leaves.
        self.steps = [
            dict(zip(self.rows_of, self.a.strides, strict=True)),
            dict(zip(self.cols_of, self.b.strides, strict=True)),
            dict(zip(out, contiguous(tuple(self.out.shape)), strict=True)),
            *(dict(zip(out, v.strides, strict=True)) for v in self.views),
        ]
        self.starts: list[Index] = [self.a.start, self.b.start, 0, *(v.start for v in self.views)]

    def write(self) -> None:
        if 0 in (self.sizes[n] for n in self.out_dims):
            return
        if self._pays_to_pack():
            self._pack()
        self.writer.share(1, 0)
        self.row_axes = Axes.of(self.rows, self.sizes, self.steps)
        self.col_axes = Axes.of(self.cols, self.sizes, self.steps)
        self.inner_axes = Axes.of(self.inner, self.sizes, self.steps)
        batch = Axes.of(self.batch, self.sizes, self.steps)
        self.lanes = self.writer.lanes if self.col_axes.sizes[-1] > 1 else 1
        self.b_base = self.b.base
        self._outer(batch, 0, list(self.starts))

    # -- laying the columns side by side

    def _pays_to_pack(self) -> bool:
        last = self.cols[-1:] if self.cols else ""
        return bool(last) and self.sizes[last] > 1 and self.steps[1][last] != 1

    def _pack(self) -> None:
        """The second operand as [batch, inner, columns], row by row, in memory of its own."""
        dims = self.batch + self.inner + self.cols
        shape = tuple(self.sizes[n] for n in dims)
        packed = Symbol(shape, self.b.base.dtype, -1)
        source = View(self.b.base, shape, tuple(self.steps[1][n] for n in dims), self.b.start)
        self.writer.scratch.append(packed)
        copy_view(self.writer, source, View.of(packed))
        self.b = View.of(packed)
        self.steps[1] = dict(zip(dims, contiguous(shape), strict=True))
        self.starts[1] = 0

    # -- the loops around a tile

    def _outer(self, axes: Axes, axis: int, at: list[Index]) -> None:
        """Batches, then all but the last axes of columns and rows, one by one."""
        if axis < len(axes.sizes):
            self.code.loop(
                axes.sizes[axis],
                lambda i, _: self._outer(axes, axis + 1, self._moved(at, axes, axis, i)),
            )
            return
        self._all_but_last(self.col_axes, 0, at, self._columns)

    def _all_but_last(
        self, axes: Axes, axis: int, at: list[Index], then: Callable[[list[Index]], None]
    ) -> None:
        if axis < len(axes.sizes) - 1:
            self.code.loop(
                axes.sizes[axis],
                lambda i, _: self._all_but_last(
                    axes, axis + 1, self._moved(at, axes, axis, i), then
                ),
            )
            return
        then(at)

    def _moved(self, at: list[Index], axes: Axes, axis: int, i: Index) -> list[Index]:
        steps = axes.steps(axis)
        return [self.code.add(o, self.code.mul(i, s)) for o, s in zip(at, steps, strict=True)]

    def _columns(self, at: list[Index]) -> None:
        """The last axis of columns, some vectors at a time; the last may be partly filled."""
        size, lanes = self.col_axes.sizes[-1], self.lanes
        vectors = math.ceil(size / lanes)
        tile_rows, tile_vectors = self._tile(vectors)
        begin = 0
        for count, width in _balanced(vectors, tile_vectors):
            filled = size - (begin + count * width - 1) * lanes  # of the last vector of these
            last = begin + count * width == vectors and filled < lanes
            whole = count - 1 if last else count
            self._column_loop(at, begin, whole, width, tile_rows, lanes)
            if last:
                there = self._moved(at, self.col_axes, -1, (begin + whole * width) * lanes)
                self._rows(there, width, tile_rows, filled)
            begin += count * width

    def _column_loop(
        self, at: list[Index], begin: int, count: int, width: int, tile_rows: int, lanes: int
    ) -> None:
        def body(i: Index, _: list[Reg]) -> None:
            j = self.code.add(self.code.mul(i, width * lanes), begin * lanes)
            self._rows(self._moved(at, self.col_axes, -1, j), width, tile_rows, lanes)

        self.code.loop(count, body)

    def _rows(self, at: list[Index], vectors: int, tile_rows: int, filled: int) -> None:
        def last_axis(at: list[Index]) -> None:
            begin = 0
            for count, height in _balanced(self.row_axes.sizes[-1], tile_rows):

                def body(i: Index, _: list[Reg], begin: int = begin, height: int = height) -> None:
                    j = self.code.add(self.code.mul(i, height), begin)
                    self._one(self._moved(at, self.row_axes, -1, j), height, vectors, filled)

                self.code.loop(count, body)
                begin += count * height

        self._all_but_last(self.row_axes, 0, at, last_axis)

    def _tile(self, vectors: int) -> tuple[int, int]:
        """Rows and vectors of a tile: the least estimated time among those that fit the registers.

        A step of the inner loop multiplies rows x vectors, two a cycle, and loads rows + vectors,
        two a cycle; sums of too few products at once wait for each other.
        """
        rows = self.row_axes.sizes[-1]
        wide = 1 if self.a.base.dtype.itemsize <= 4 else 2  # registers a vector of this dtype takes
        depth = math.prod(self.inner_axes.sizes)
        best = (math.inf, 1, 1)
        for v in range(1, min(vectors, 4) + 1):
            for r in range(1, min(rows, 12) + 1):
                if (r * v + v + 1) * wide > self.writer.registers:
                    continue
                cycles = 0.0
                for count_v, width in _balanced(vectors, v):
                    for count_r, height in _balanced(rows, r):
                        step = max(height * width / 2, (height + width) / 2 + 0.25, 4.0)
                        cycles += count_v * count_r * (depth * step + 12 + height * width)
                best = min(best, (cycles, r, v))
        return best[1], best[2]

    # -- one tile

    def _one(self, at: list[Index], rows: int, vectors: int, filled: int) -> None:
        dtype = self.out.dtype
        zero = self.code.constant(0, dtype, self.lanes)
        sums = self._inner(0, at, [zero] * (rows * vectors), rows, vectors, filled)
        row_steps = self.row_axes.steps(-1)
        col_steps = self.col_axes.steps(-1)
        for r in range(rows):
            for v in range(vectors):
                there = [
                    self.code.add(o, r * rs + v * self.lanes * cs)
                    for o, rs, cs in zip(at, row_steps, col_steps, strict=True)
                ]
                count = filled if v == vectors - 1 else self.lanes
                self._finish(sums[r * vectors + v], there, count)

    def _inner(
        self, axis: int, at: list[Index], sums: list[Reg], rows: int, vectors: int, filled: int
    ) -> list[Reg]:
        axes = self.inner_axes
        if axis == len(axes.sizes):
            return self._multiply(at, sums, rows, vectors, filled)
        size = axes.sizes[axis]
        unroll = 1
        if axis == len(axes.sizes) - 1:
            unroll = next((u for u in (4, 3, 2) if size % u == 0 and rows * vectors < 24), 1)

        def body(i: Index, held: list[Reg]) -> list[Reg]:
            for u in range(unroll):
                there = self._moved(at, axes, axis, self.code.add(i, u))
                held = self._inner(axis + 1, there, held, rows, vectors, filled)
            return held

        return self.code.loop(size, body, sums, unroll)

    def _multiply(
        self, at: list[Index], sums: list[Reg], rows: int, vectors: int, filled: int
    ) -> list[Reg]:
        row_step, col_step = self.row_axes.steps(-1)[0], self.col_axes.steps(-1)[1]
        bs = []
        for v in range(vectors):
            count = filled if v == vectors - 1 else self.lanes
            offset = self.code.add(at[1], v * self.lanes * col_step)
            bs.append(self.writer.read(self.b, offset, col_step, self.lanes, count))
        new = []
        for r in range(rows):
            a = self.writer.read(
                self.a, self.code.add(at[0], r * row_step), 0, self.lanes, self.lanes
            )
            row = sums[r * vectors : (r + 1) * vectors]
            new += [self.writer.emitter.fma(a, b, sum_) for b, sum_ in zip(bs, row, strict=True)]
        return new

    def _finish(self, total: Reg, at: list[Index], count: int) -> None:
        """The members after the product, on one vector of sums; and storing."""
        known = {self.out: total}
        steps = self.col_axes.steps(-1)[3:]
        places = dict(zip(self.leaves, zip(self.views, at[3:], steps, strict=True), strict=True))

        def leaf(symbol: Symbol) -> Reg:
            view, offset, step = places[symbol]
            return self.writer.read(view, offset, step, self.lanes, count)

        self.writer.tree(self.tail, known, leaf)
        for symbol in self.writer.kernel.stores:
            value = self.code.splat(known[symbol], self.lanes)
            self.writer.write(value, symbol, at[2], count)


def _balanced(size: int, most: int) -> list[tuple[int, int]]:
    """`size` in parts of at most `most`, as equal as can be: (how many, of which size)."""
    parts = -(-size // most)
    small, larger = divmod(size, parts)
    return [(n, s) for n, s in ((larger, small + 1), (parts - larger, small)) if n]

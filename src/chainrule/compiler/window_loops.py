"""Kernels whose rows are windows: few elements each, and the axis side by side in memory is kept.

The lanes of a vector are windows beside each other; what is done with a window's elements is
written out for each of them, so that all of it stays in registers.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from chainrule.compiler.ir import Index, Reg
from chainrule.compiler.loops import leaves_of
from chainrule.compiler.reductions import Fold
from chainrule.compiler.views import View, collapsed
from chainrule.compiler.writer import Writer
from chainrule.core.op import Reduce
from chainrule.core.program import Instruction
from chainrule.core.value import Symbol

Place = tuple[int, ...]
"""Where in a window an element is."""


def write_windows(writer: Writer) -> None:
    """Every window: its reductions, and what comes before, between and after them."""
    kernel, rows = writer.kernel, writer.kernel.rows
    assert rows is not None
    views = {leaf: writer.fused.views[leaf] for leaf in leaves_of(writer, kernel.members)}
    views |= {symbol: View.of(symbol) for symbol in kernel.stores}
    sizes = tuple(rows.shape[axis] for axis in rows.lead)
    shape, strides = collapsed(sizes, [rows.lead_strides(view) for view in views.values()])
    lanes = writer.lanes if shape[-1] > 1 else 1
    among = writer.share_nest(shape, lanes, rows.width * (len(views) + len(kernel.members)))

    def body(offsets: list[Index], lanes: int, count: int) -> None:
        steps = [one[-1] for one in strides]
        _Windows(writer, views, offsets, steps, (lanes, count)).write()

    writer.nest(shape, strides, [view.start for view in views.values()], body, lanes, among)


class _Windows:
    """As many windows beside each other as a vector has lanes."""

    def __init__(
        self,
        writer: Writer,
        views: dict[Symbol, View],
        offsets: Sequence[Index],
        steps: Sequence[int],
        size: tuple[int, int],
    ) -> None:
        rows = writer.kernel.rows
        assert rows is not None
        self.writer, self.rows, self.views = writer, rows, views
        self.at = dict(zip(views, offsets, strict=True))
        self.steps = dict(zip(views, steps, strict=True))
        self.lanes, self.count = size
        self.apart = {s: rows.row_strides(view) for s, view in views.items()}
        self.numbers: dict[Symbol, Reg] = {}  # one for a window
        places = itertools.product(*(range(rows.shape[axis]) for axis in rows.axes))
        self.elements: dict[Place, dict[Symbol, Reg]] = {place: {} for place in places}

    def write(self) -> None:
        for made in self.writer.kernel.members:
            if isinstance(made.op.lower, Reduce):
                self._fold(made)
            elif self.rows.is_full(tuple(made.outputs[0].shape)):
                for place, known in self.elements.items():
                    self.writer.tree([made], known, lambda s, place=place: self._value(s, place))
            else:
                self.writer.tree([made], self.numbers, self._number)
        for symbol in self.writer.kernel.stores:
            full = self.rows.is_full(tuple(symbol.shape))
            for place in self.elements if full else [()]:
                value = self.elements[place][symbol] if full else self.numbers[symbol]
                splat = self.writer.code.splat(value, self.lanes)
                self.writer.write(splat, symbol, self._offset(symbol, place), self.count)

    def _fold(self, made: Instruction) -> None:
        fold, source = Fold(self.writer, made), self.writer.source(made.inputs[0])
        total = fold.first(self.lanes)
        for place, known in self.elements.items():
            value = known[source] if source in known else self._value(source, place)
            total = fold.more(total, self.writer.code.splat(value, self.lanes), self.lanes)
        self.numbers[made.outputs[0]] = total

    def _value(self, symbol: Symbol, place: Place) -> Reg:
        """What a member reads for an element, of what is not made of that element."""
        return (
            self._read(symbol, place) if any(self.apart.get(symbol, ())) else self._number(symbol)
        )

    def _number(self, symbol: Symbol) -> Reg:
        """What there is one of for a window."""
        if symbol not in self.numbers:
            self.numbers[symbol] = self._read(symbol, ())
        return self.numbers[symbol]

    def _read(self, symbol: Symbol, place: Place) -> Reg:
        view, at = self.views[symbol], self._offset(symbol, place)
        return self.writer.read(view, at, self.steps[symbol], self.lanes, self.count)

    def _offset(self, symbol: Symbol, place: Place) -> Index:
        further = sum(p * s for p, s in zip(place, self.apart[symbol], strict=False))
        return self.writer.code.add(self.at[symbol], further)

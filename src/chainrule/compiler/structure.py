"""What decides the functions of a kernel: the same for equal layers, whichever their values."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from chainrule.compiler.fuse import Fused
from chainrule.compiler.groups import Kernel
from chainrule.compiler.surroundings import frozen
from chainrule.core.value import Symbol

Structure = Hashable


def structure_of(fused: Fused, kernel: Kernel) -> tuple[Structure, list[Symbol]]:
    """The structure, with numbers in place of values; and the values in that order."""
    numbers: dict[Symbol, int] = {}

    def number(symbol: Symbol) -> int:
        return numbers.setdefault(symbol, len(numbers))

    def value(x: Any) -> Hashable:
        if not isinstance(x, Symbol):
            return frozen(x)  # type: ignore[no-any-return]
        symbol = fused.same.get(x, x)
        view = fused.views.get(symbol)
        if view is None:  # computed and used inside
            return number(symbol), tuple(symbol.shape), symbol.dtype
        base = number(view.base), tuple(view.base.shape), view.base.dtype
        return number(symbol), base, view.shape, view.strides, view.start

    members = tuple(
        (made.op, frozen(made.settings), *map(value, made.inputs), *map(value, made.outputs))
        for made in kernel.members
    )
    root = None if kernel.root is None else kernel.members.index(kernel.root)
    rows = kernel.rows and (kernel.rows.shape, kernel.rows.axes)
    same = tuple((number(read), number(maker)) for read, maker in kernel.same.items())
    stores = tuple(map(number, kernel.stores))
    return (kernel.shape, members, root, rows, same, stores), list(numbers)

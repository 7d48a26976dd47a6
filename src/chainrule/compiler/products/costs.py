"""What a product's tiles are to be: the least estimated time, in cycles of the processor.

Two multiplications of vectors can begin in a cycle, and two loads; each needs about four cycles, so
that eight sums at least must be on their way. A tile's sums and what they are made from stay in
registers. What does not lie as the inner loops want to read it is packed first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from chainrule.compiler.products.axes import LEFT, OUT, RIGHT, Axes, Product
from chainrule.compiler.products.pieces import Pieces

_LATENCY = 4.2  # cycles from a multiplication to its sum, and a little that is never hidden
_CODE = 40  # cycles of a run that a multiplication in the code is worth: it is compiled only once
_ALIKE = 1.01  # so many times as long is as quick
_TURNED, _COPIED = 3.5, 1.2  # cycles to pack a vector: transposed, or as it lies
_LEVEL1 = 32 * 1024  # bytes of the first cache, of which a panel may take a part
_WAY = 4096  # bytes after which the first cache's places repeat
_WAYS = 8  # so many lines fit in each place
_LINE = 64
_STRIP = 16  # tiles above each other whose sums are kept at once
_AHEAD = 32  # lines that the members after the product ask for before they read them
_PARTS = 16  # parts that are enough for threads to be equally busy


@dataclass(frozen=True)
class Plan:
    """How a product is computed."""

    form: str  # "outer" products or "dots"
    lanes: int  # columns of a vector of sums
    inner_lanes: int  # lanes of the vectors along the inner axis that dots multiply
    tiles: Pieces  # the last axis of the rows
    panels: Pieces  # the last axis of the columns
    packs: tuple[int, ...]  # operands that are packed
    block: int  # of the first inner axis: as many elements at once
    cycles: float
    work: float  # vector operations

    @property
    def code(self) -> int:
        """Multiplications in the code: there is some for every size of tile and panel."""
        rows, columns = {self.tiles.size, self.tiles.other}, {self.panels.size, self.panels.other}
        width = 1 if self.form == "dots" else self.lanes
        return sum(rows) * sum(-(-one // width) for one in columns)

    @property
    def vectors(self) -> int:
        """Vectors of a panel."""
        return -(-self.panels.size // self.lanes)

    def blocks(self, product: Product) -> tuple[Pieces, Pieces]:
        """The rows of a part: lines of the outer axes, and tiles of the last."""
        lines, tiles = product.rows.outer.count, self.tiles.total
        others = product.batch.count * product.columns.outer.count * self.panels.total
        wanted = -(-_PARTS // others)
        most = min(_STRIP, max(1, tiles // -(-wanted // lines)))
        strips = Pieces.balanced(tiles, most)
        together = max(1, min(_STRIP // most, lines * strips.total // wanted))
        return Pieces.balanced(lines, together), strips

    def ahead(self, product: Product) -> int:
        """Tiles whose ends read so few lines that these stay in the cache from when asked for."""
        reads = sum(1 for step in product.rows.steps(-1)[OUT + 1 :] if step)
        return max(1, _AHEAD // max(1, reads * self.tiles.size)) if reads else _STRIP

    def __str__(self) -> str:
        size = f"{self.tiles.size}x{self.panels.size}"
        packed = "".join(" packed " + ("left", "right")[one] for one in self.packs)
        return f"{self.form} {size}{packed}, {self.block} deep"


def plan(product: Product) -> Plan:
    """The quickest of all that are possible; of two that hardly differ, the one with less code."""
    found = [*_outer(product), *_dots(product)]
    best = min(found, key=lambda one: one.cycles + _CODE * one.code)
    alike = (one for one in found if one.cycles <= _ALIKE * best.cycles and str(one) == str(best))
    return min(alike, key=lambda one: one.code)


def _outer(product: Product) -> Iterator[Plan]:
    """Tiles of every size whose sums fit the registers."""
    columns, rows = product.columns.sizes[-1], product.rows.sizes[-1]
    lanes = _lanes(product, columns)
    depth = product.inner.count
    others = product.batch.count * product.rows.outer.count * product.columns.outer.count
    shared = product.lane_steps[LEFT] != 0  # the lanes run along an axis that both have
    for v in range(1, min(-(-columns // lanes), 8) + 1):
        for r in range(1, min(rows, 12) + 1):
            needed = r * v + v + 1 if r > 1 else v + 2
            if needed > product.writer.registers:
                continue
            panels = Pieces.filled(columns, v * lanes)
            for tiles in _tiles(rows, r):
                cycles = 0.0
                for count_v, width in ((panels.count, panels.size), (panels.others, panels.other)):
                    width = -(-width // lanes)
                    for count_r, height in ((tiles.count, tiles.size), (tiles.others, tiles.other)):
                        loads = height * width + width if shared else height + width
                        step = max(height * width / 2, loads / 2 + 0.25, _LATENCY)
                        cycles += count_v * count_r * (depth * step + 12 + 2 * height * width)
                cycles *= others
                packs, packing = _packs(product, tiles, panels, lanes, shared)
                cycles += packing
                yield _plan(product, "outer", lanes, tiles, panels, packs, cycles)


def _dots(product: Product) -> Iterator[Plan]:
    """Tiles of single sums, where both operands can be read by vectors along the inner axis."""
    inner, lanes = product.inner, _lanes(product, None)
    if inner.steps(-1)[:2] != [1, 1] or inner.sizes[-1] < lanes / 2 or lanes == 1:
        return
    rows, columns = product.rows.sizes[-1], product.columns.sizes[-1]
    depth = inner.outer.count * -(-inner.sizes[-1] // lanes)
    others = product.batch.count * product.rows.outer.count * product.columns.outer.count
    most = _lanes(product, columns)
    for c in (c for c in (1, 2, 4, 8, 16) if c <= most):
        for r in range(1, min(rows, 12) + 1):
            used = min(c, columns)
            if r * used + min(r, used) + 1 > product.writer.registers:
                continue
            panels = Pieces.filled(columns, c)
            near = (r + used) * inner.count * product.out.dtype.itemsize <= _LEVEL1
            loads = (r + used) / (2 if near else 1)  # the second cache gives one in a cycle
            step = max(r * used / 2, loads + 0.25, _LATENCY)
            each = depth * step + 2.5 * r * c + 20
            for tiles in _tiles(rows, r):
                cycles = each * tiles.total * panels.total * others
                yield _plan(product, "dots", c, tiles, panels, (), cycles)


def _tiles(rows: int, most: int) -> list[Pieces]:
    """Rows in tiles as equal as can be; or full ones and a small one, which is less code."""
    return list(dict.fromkeys([Pieces.balanced(rows, most), Pieces.filled(rows, most)]))


def _plan(
    product: Product,
    form: str,
    lanes: int,
    tiles: Pieces,
    panels: Pieces,
    packs: tuple[int, ...],
    cycles: float,
) -> Plan:
    first, rest = product.inner.sizes[0], math.prod(product.inner.sizes[1:])
    if len(packs) == 2:  # the inner axes then are one
        first, rest = first * rest, 1
    block = (
        first if form == "dots" else _block(first, rest, panels.size, product.out.dtype.itemsize)
    )
    sums = product.batch.count * product.rows.count * product.columns.count
    work = sums * (product.inner.count + 2 * len(product.tail)) / _lanes(product, None)
    every = _lanes(product, None)
    return Plan(form, lanes, every, tiles, panels, packs, block, cycles, work)


def _lanes(product: Product, columns: int | None) -> int:
    """The lanes of a vector register; fewer where not even half of them would be used."""
    lanes = max(1, product.writer.lanes * 4 // product.out.dtype.itemsize)
    while columns is not None and lanes > 1 and columns <= lanes // 2:
        lanes //= 2
    return lanes


def _block(first: int, rest: int, width: int, itemsize: int) -> int:
    """So many elements of the first inner axis that a panel's part stays in the first cache."""
    most = max(1, _LEVEL1 * 3 // 4 // max(1, rest * width * itemsize))
    if first <= most * 4 // 3:
        return first
    parts = -(-first // most)
    exact = next((n for n in range(parts, 2 * parts) if first % n == 0), None)
    return first // exact if exact else -(-first // parts // 4) * 4


def _packs(
    product: Product, tiles: Pieces, panels: Pieces, lanes: int, shared: bool
) -> tuple[tuple[int, ...], float]:
    """Which operands are packed first, and the cycles that it takes."""
    found: list[int] = []
    cycles = 0.0
    if shared or not product.inner.count:
        return (), cycles
    repeats = tiles.total * product.rows.outer.count
    if lanes > 1 and _to_pack(product, RIGHT, product.columns, panels.size, repeats):
        found.append(RIGHT)
        cycles += _packing(product, RIGHT, product.columns, lanes)
    repeats = panels.total * product.columns.outer.count
    beside = product.rows.steps(-1)[LEFT] == 1
    if beside and _to_pack(product, LEFT, product.rows, tiles.size, repeats):
        found.append(LEFT)
        cycles += _packing(product, LEFT, product.rows, lanes) * (1 + lanes / tiles.size) / 2
    return tuple(found), cycles


def _to_pack(product: Product, operand: int, axes: Axes, width: int, repeats: int) -> bool:
    """Whether vectors need it, or the first cache does not hold what tiles read again and again."""
    if axes.steps(-1)[operand] != 1:
        return True
    if repeats < 4 or _overlaps(product, operand, axes):
        return False
    itemsize = product.out.dtype.itemsize
    apart = product.inner.steps(-1)[operand] * itemsize
    lines = product.inner.count * -(-width * itemsize // _LINE)
    places = _WAY // max(math.gcd(apart, _WAY), _LINE)
    return lines > places * _WAYS / 2


def _overlaps(product: Product, operand: int, axes: Axes) -> bool:
    """Whether the operand's elements are read several times, as sliding windows do."""
    both = [product.batch, axes, product.inner]
    steps = [(n, abs(s)) for a in both for n, s in zip(a.sizes, a.strides[operand], strict=True)]
    return math.prod(n for n, _ in steps) > 1 + sum((n - 1) * s for n, s in steps)


def _packing(product: Product, operand: int, axes: Axes, lanes: int) -> float:
    vectors = product.batch.count * axes.count * product.inner.count / lanes
    beside = axes.steps(-1)[operand] == 1
    turned = product.inner.steps(-1)[operand] == 1
    return vectors * (_COPIED if beside else _TURNED if turned else 2 * lanes)

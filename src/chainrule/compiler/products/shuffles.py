"""Vectors turned within registers: squares transposed, and the lanes of several vectors summed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chainrule.compiler.ir import Code, Reg

_QUAD = 16  # bytes within which every processor shuffles quickly


def transposed(code: Code, rows: Sequence[Reg]) -> list[Reg]:
    """As many vectors as they have lanes: lane i of vector j becomes lane j of vector i."""
    lanes = len(rows)
    near = min(lanes, _QUAD // rows[0].dtype.itemsize)
    found = list(rows)
    if near == 4:
        found = _quads_transposed(code, found)
    reach = 1 if near < 4 else near
    while reach < lanes:
        low = [lane + lanes - reach if lane & reach else lane for lane in range(lanes)]
        high = [lane + lanes if lane & reach else lane + reach for lane in range(lanes)]
        for i in (i for i in range(lanes) if not i & reach):
            x, y = found[i], found[i + reach]
            found[i], found[i + reach] = code.shuffle(x, y, low), code.shuffle(x, y, high)
        reach *= 2
    return found


def _quads_transposed(code: Code, rows: list[Reg]) -> list[Reg]:
    """Squares of 4 x 4: in every four vectors, and in every four of their lanes."""
    lanes, found = len(rows), []
    starts = range(0, lanes, 4)

    def mixed(x: Reg, y: Reg, quad: Sequence[int]) -> Reg:
        chosen = [q + b if q < 4 else q - 4 + lanes + b for b in starts for q in quad]
        return code.shuffle(x, y, chosen)

    for i in starts:
        a, b, c, d = rows[i : i + 4]
        ab, cd = mixed(a, b, (0, 4, 1, 5)), mixed(c, d, (0, 4, 1, 5))
        found += [mixed(ab, cd, (0, 1, 4, 5)), mixed(ab, cd, (2, 3, 6, 7))]
        ab, cd = mixed(a, b, (2, 6, 3, 7)), mixed(c, d, (2, 6, 3, 7))
        found += [mixed(ab, cd, (0, 1, 4, 5)), mixed(ab, cd, (2, 3, 6, 7))]
    return found


def summed(code: Code, add: Callable[[Reg, Reg], Reg], vectors: Sequence[Reg], lanes: int) -> Reg:
    """The sum of each vector's lanes, as one vector of `lanes`: a power of two, enough for all.

    Which lanes are added first depends on their number alone.
    """
    found = [*vectors, *[vectors[0]] * (lanes - len(vectors))]
    while found[0].lanes > max(lanes, 2):
        half = found[0].lanes // 2
        found = [
            add(code.shuffle(v, v, range(half)), code.shuffle(v, v, range(half, 2 * half)))
            for v in found
        ]
    if lanes == 1:
        return add(code.lane(found[0], 0), code.lane(found[0], 1))
    near = min(lanes, _QUAD // found[0].dtype.itemsize)
    block, reached = 1, 1  # neighbouring lanes within quads, then neighbouring quads
    while len(found) > 1:
        group = near if block == 1 else lanes
        evens = [
            vector + lane
            for begin in range(0, lanes, group)
            for vector in (begin, lanes + begin)
            for lane in range(group)
            if not lane // block % 2
        ]
        odds = [lane + block for lane in evens]
        pairs = zip(found[::2], found[1::2], strict=True)
        found = [add(code.shuffle(x, y, evens), code.shuffle(x, y, odds)) for x, y in pairs]
        reached *= 2
        block = near if reached >= near else 1
    return found[0]

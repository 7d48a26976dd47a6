"""power: e^(y log x), the logarithm as a sum of two floats, twice as exact as the dtype.

Whole numbers are squared again and again instead.
"""

from __future__ import annotations

from typing import Any

from chainrule.compiler.ir import Reg
from chainrule.compiler.maths.exponential import RANGE, grown, reduced, scaled
from chainrule.compiler.maths.floats import (
    LOG2,
    called,
    clamp,
    constant,
    masked,
    plus,
    polynomial,
    shift,
    two_product,
    two_sum,
)
from chainrule.compiler.maths.logarithm import parted_any
from chainrule.spec import F32, F64

_INF, _NAN = float("inf"), float("nan")
# 2/3 in two parts, and (2 atanh(s) / s - 2 - 2/3 s^2) / s^4 by powers of s^2
_THIRDS = {
    F32: (0.6666666865348816, -1.9868214925130207e-08),
    F64: (0.6666666666666666, 3.700743415417188e-17),
}
_LOG = {
    F32: (0.234196678, 0.285470933, 0.400001526),
    F64: (0.13197675929786581, 0.13256678798029298, 0.1538676299923041, 0.18181784251431019,
          0.22222222521149726, 0.285714285700933, 0.40000000000002267),
}  # fmt: skip


@called
def whole_power(e: Any, x: Reg, y: Reg) -> Any:
    """x^y of integers, which may run over as in NumPy; 0 where y is negative."""

    def digit(_: Any, held: list[Reg]) -> list[Reg]:
        found, square, rest = held
        taken = e.where(e.equal(masked(e, rest, 1), 1), e.mul(found, square), found)
        return [taken, e.mul(square, square), shift(e, "lshr", rest, 1)]

    digits = 8 * x.dtype.itemsize
    found, _, _ = e.code.loop(digits, digit, [constant(e, 1, x), x, y])
    return e.where(e.less(y, 0), 0, found)


@called
def power(e: Any, x: Reg, y: Reg) -> Any:
    """x^y."""
    size = e.absolute(x)
    high, low = _log(e, size)
    exponent, missing = two_product(e, y, high)
    inside = clamp(e, exponent, *RANGE[x.dtype])
    missing = e.where(e.equal(inside, exponent), e.fma(y, low, missing), 0.0)
    n, r = reduced(e, inside)
    found = scaled(e, e.add(grown(e, e.add(r, missing)), 1.0), n)
    return _special(e, x, y, size, found)


def _log(e: Any, x: Reg) -> tuple[Any, Any]:
    """log x = k log 2 + s (2 + s^2 (2/3 + s^2 ...)), s = (m - 1) / (m + 1), in two parts."""
    m, k = parted_any(e, x)
    s, s_low = _ratio(e, m)
    z, z_low = two_product(e, s, s)
    z_low = e.fma(e.add(s, s), s_low, z_low)
    third, third_low = (constant(e, part, x) for part in _THIRDS[x.dtype])
    w, w_low = two_sum(e, third, e.mul(z, polynomial(e, z, _LOG[x.dtype])))
    v, v_low = two_product(e, z, w)
    v_low = e.fma(z, e.add(w_low, third_low), e.fma(z_low, w, v_low))
    t, t_low = two_product(e, s, v)
    t_low = e.fma(s, v_low, e.fma(s_low, v, t_low))
    log2, log2_low = LOG2[x.dtype]
    total, missing = two_sum(e, e.mul(k, log2), e.add(s, s))
    total, more = two_sum(e, total, t)
    rest = e.fma(s_low, 2.0, e.fma(k, log2_low, t_low))
    return total, plus(e, plus(e, missing, more), rest)


def _ratio(e: Any, m: Reg) -> tuple[Any, Any]:
    """(m - 1) / (m + 1) in two parts."""
    one = constant(e, 1.0, m)
    under, under_low = two_sum(e, one, m)
    over, inverse = e.sub(m, one), e.div(one, under)
    s = e.mul(over, inverse)
    remainder = e.fma(e.neg(s), under_low, e.fma(e.neg(s), under, over))
    return s, e.mul(remainder, inverse)


def _special(e: Any, x: Reg, y: Reg, size: Reg, found: Reg) -> Any:
    """The signs, and what no logarithm gives: 0, infinities, nan."""
    endless = e.equal(e.absolute(y), _INF)
    edge = e.logical_or(endless, e.logical_or(e.equal(size, 0.0), e.equal(size, _INF)))
    grows = e.equal(e.greater(size, 1.0), e.greater(y, 0.0))
    found = e.where(edge, e.where(grows, constant(e, _INF, x), 0.0), found)
    fraction = e.not_equal(e.floor(y), y)
    half = e.mul(y, 0.5)
    odd = e.logical_and(e.not_equal(e.floor(half), half), e.logical_not(fraction))
    found = e.where(odd, e.call("copysign", found, x), found)
    wrong = e.logical_and(e.logical_and(e.less(x, 0.0), e.less(size, _INF)), fraction)
    found = e.where(wrong, _NAN, found)
    unknown = e.logical_or(e.not_equal(x, x), e.not_equal(y, y))
    found = e.where(unknown, _NAN, found)
    unchanging = e.logical_and(endless, e.equal(size, 1.0))
    one = e.logical_or(e.logical_or(e.equal(x, 1.0), e.equal(y, 0.0)), unchanging)
    return e.where(one, 1.0, found)

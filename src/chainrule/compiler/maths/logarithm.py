"""log and log1p: x = m 2^k with m between sqrt(1/2) and sqrt(2); log m = 2 atanh((m-1) / (m+1)).

The order of the sums is fdlibm's (e_log.c of Sun Microsystems), which loses least.
"""

from __future__ import annotations

from typing import Any

from chainrule.compiler.ir import Reg
from chainrule.compiler.maths.floats import (
    LAYOUTS,
    LOG2,
    called,
    constant,
    minus,
    plus,
    polynomial,
    shift,
)
from chainrule.spec import F32, F64

# (2 atanh(s) / s - 2) / s^2 by powers of s^2
_LOG = {
    F32: (0.298731059, 0.399774939, 0.666667759),
    F64: (0.14797296683919173, 0.15313928266059001, 0.18183568594447275, 0.2222219850137754,
          0.28571428742984367, 0.3999999999941245, 0.6666666666666735),
}  # fmt: skip
_ROOT_BITS = {F32: 0x3F3504F3, F64: 0x3FE6A09E667F3BCD}  # of sqrt(1/2)


def parted(e: Any, x: Reg) -> tuple[Any, Any]:
    """m and k, both floats, of positive numbers that are not subnormal."""
    layout = LAYOUTS[x.dtype]
    bits, above = e.bits(x, layout.whole), layout.bias + 1
    # Exponents counted from sqrt(1/2), made positive so that they fit behind the magic number.
    places = shift(
        e, "lshr", e.sub(bits, _ROOT_BITS[x.dtype] - (above << layout.digits)), layout.digits
    )
    k = minus(
        e,
        e.bits(e.add(places, layout.magic_bits), x.dtype),
        constant(e, layout.magic + above, x),
    )
    back = shift(e, "shl", e.sub(above, places), layout.digits)
    return e.bits(e.add(bits, back), x.dtype), k


def parted_any(e: Any, x: Reg) -> tuple[Any, Any]:
    """m and k of positive numbers, subnormal ones too."""
    layout = LAYOUTS[x.dtype]
    tiny = e.less(x, 2.0 ** (1 - layout.bias))
    m, k = parted(e, e.where(tiny, e.mul(x, 2.0 ** (layout.digits + 1)), x))
    return m, e.where(tiny, e.sub(k, layout.digits + 1.0), k)


def _summed(e: Any, f: Reg, k: Reg, rest: Reg | float = 0.0) -> Any:
    """k log 2 + log(1 + f) + rest."""
    high, low = LOG2[f.dtype]
    s = e.div(f, e.add(f, 2.0))
    z = e.mul(s, s)
    half_square = e.mul(e.mul(f, 0.5), f)
    series = e.add(half_square, e.mul(z, polynomial(e, z, _LOG[f.dtype])))
    small = e.fma(k, low, e.fma(s, series, rest))
    return e.fma(k, high, e.sub(f, e.sub(half_square, small)))


@called
def log(e: Any, x: Reg) -> Any:
    """The natural logarithm."""
    m, k = parted_any(e, x)
    found = _summed(e, e.sub(m, 1.0), k)
    found = e.where(e.equal(x, float("inf")), x, found)
    found = e.where(e.equal(x, 0.0), float("-inf"), found)
    return e.where(e.logical_not(e.greater_equal(x, 0.0)), float("nan"), found)


@called
def log1p(e: Any, x: Reg) -> Any:
    """log(1 + x): log of the rounded sum, and log(1 + missing / sum) = missing / sum, nearly."""
    one = constant(e, 1.0, x)
    total = plus(e, one, x)
    missing = e.where(
        e.less(x, 1.0),
        minus(e, x, minus(e, total, one)),
        minus(e, one, minus(e, total, x)),
    )
    m, k = parted(e, total)
    near = e.equal(k, 0.0)
    f = e.where(near, x, e.sub(m, 1.0))
    found = _summed(e, f, k, e.where(near, 0.0, e.div(missing, total)))
    found = e.where(e.equal(x, -1.0), float("-inf"), found)
    itself = e.logical_or(e.equal(x, 0.0), e.equal(x, float("inf")))
    found = e.where(itself, x, found)
    return e.where(e.logical_not(e.greater_equal(x, -1.0)), float("nan"), found)

"""exp, expm1 and tanh: e^x = 2^n e^r, with n the nearest whole number to x / log 2."""

from __future__ import annotations

from typing import Any

from chainrule.compiler.ir import Reg
from chainrule.compiler.maths.floats import (
    LAYOUTS,
    LOG2,
    called,
    clamp,
    constant,
    nearest,
    polynomial,
    power_of_two,
    shift,
)
from chainrule.spec import F32, F64

# (e^r - 1 - r) / r^2 for |r| <= log(2) / 2
_EXP = {
    F32: (0.000197726811, 0.00139397406, 0.00833351351, 0.0416663773, 0.166666657, 0.5),
    F64: (2.082666446925933e-09, 2.510897223113569e-08, 2.7557561482345685e-07,
          2.7557244616250407e-06, 2.480158698661458e-05, 0.00019841269885474805,
          0.0013888888889055126, 0.008333333333322, 0.04166666666666633, 0.16666666666666677, 0.5),
}  # fmt: skip
# (tanh(x) / x - 1) / x^2 by powers of x^2, for |x| <= 0.625
_TANH = {
    F32: (-0.00571707217, 0.0206506923, -0.0537435636, 0.133314922, -0.333332837),
    F64: (6.055642683821639e-06, -3.0217985436966588e-05, 9.15898190337926e-05,
          -0.00023703013015808188, 0.0005894586253459347, -0.001455727617493918,
          0.0035921142714176453, -0.008863234341518048, 0.021869488470655153,
          -0.053968253966134465, 0.1333333333332989, -0.33333333333333315),
}  # fmt: skip
RANGE = {F32: (-104.0, 89.0), F64: (-746.0, 710.0)}
"""Beyond these e^x is 0 or infinite."""
_MINUS_ONE = {F32: -18.0, F64: -38.0}  # below these e^x - 1 is -1


def reduced(e: Any, x: Reg) -> tuple[Any, Any]:
    """n, a whole number, and r = x - n log 2."""
    high, low = LOG2[x.dtype]
    n, whole = nearest(e, x, 1.4426950408889634)
    return whole, e.fma(n, -low, e.fma(n, -high, x))


def grown(e: Any, r: Reg) -> Any:
    """e^r - 1 for a reduced r."""
    return e.fma(polynomial(e, r, _EXP[r.dtype]), e.mul(r, r), r)


def scaled(e: Any, x: Reg, n: Reg) -> Any:
    """x 2^n: in two factors, as 2^n alone would leave the dtype at both ends."""
    half = shift(e, "ashr", n, 1)
    once = e.mul(x, power_of_two(e, half, x.dtype))
    return e.mul(once, power_of_two(e, e.sub(n, half), x.dtype))


def small_exp(e: Any, x: Reg) -> Any:
    """e^x where neither it nor 2^n leaves the normal numbers."""
    n, r = reduced(e, x)
    return e.mul(e.add(grown(e, r), 1.0), power_of_two(e, n, x.dtype))


@called
def exp(e: Any, x: Reg) -> Any:
    """e^x; masked scores are -inf, and to reach 0 through subnormal numbers is slow."""
    low, high = RANGE[x.dtype]
    gone = e.less(x, low)
    n, r = reduced(e, e.where(e.greater(x, high), high, e.where(gone, 0.0, x)))
    return e.where(gone, 0.0, scaled(e, e.add(grown(e, r), 1.0), n))


@called
def expm1(e: Any, x: Reg) -> Any:
    """2 (2^(n-1) (e^r - 1) + 2^(n-1) - 1/2): what is halved here does not overflow at the end."""
    n, r = reduced(e, clamp(e, x, _MINUS_ONE[x.dtype], RANGE[x.dtype][1]))
    half = power_of_two(e, e.sub(n, 1), x.dtype)
    found = e.mul(e.fma(half, grown(e, r), e.sub(half, 0.5)), 2.0)
    tiny = e.less(e.absolute(x), 2.0 ** -(LAYOUTS[x.dtype].digits + 2))
    return e.where(tiny, x, found)


@called
def tanh(e: Any, x: Reg) -> Any:
    """A polynomial near 0; 1 - 2 / (exp(2 |x|) + 1) with the sign of x elsewhere."""
    size, square = e.absolute(x), e.mul(x, x)
    near = e.fma(e.mul(polynomial(e, square, _TANH[x.dtype]), square), x, x)
    grows = small_exp(e, clamp(e, e.mul(size, 2.0), 0.0, 40.0))
    far = e.sub(1.0, e.div(constant(e, 2.0, x), e.add(grows, 1.0)))
    return e.call("copysign", e.where(e.less(size, 0.625), near, far), x)

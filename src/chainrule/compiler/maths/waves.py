"""sin and cos: x less the nearest multiple of pi/2, in three parts (Cody and Waite).

Beyond `_BOUND` that is not exact enough: where any lane is, the C library is called instead.
"""

from __future__ import annotations

from typing import Any

from chainrule.compiler.ir import Reg
from chainrule.compiler.maths.floats import LAYOUTS, called, masked, nearest, polynomial, shift
from chainrule.spec import F32, F64

_BOUND = {F32: 2.0**17, F64: 2.0**30}
_HALF_PI = {
    F32: (1.5707963705062866, -4.371138828673793e-08, -1.7151245100058819e-15),
    F64: (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33),
}
# (sin(r) / r - 1) / r^2 and (cos(r) - 1 + r^2/2) / r^4 by powers of r^2, for |r| <= 1.01 pi/4
_SIN = {
    F32: (-0.000195108456, 0.00833213143, -0.166666538),
    F64: (1.5893600205210881e-10, -2.5050704414527567e-08, 2.755731335914922e-06,
          -0.00019841269828881728, 0.008333333333321303, -0.16666666666666627),
}  # fmt: skip
_COS = {
    F32: (2.44312469e-05, -0.0013887306, 0.0416666456),
    F64: (-1.1357450347606257e-11, 2.087568192038616e-09, -2.755731405695411e-07,
          2.4801587288493744e-05, -0.0013888888888872603, 0.04166666666666659),
}  # fmt: skip


@called
def sin(e: Any, x: Reg) -> Any:
    """The sine; -0 stays what it is."""
    return e.where(e.equal(x, 0.0), x, _wave(e, x, "sin", 0))


@called
def cos(e: Any, x: Reg) -> Any:
    """The cosine: the sine a quarter turn on."""
    return _wave(e, x, "cos", 1)


def _wave(e: Any, x: Reg, name: str, quarters: int) -> Any:
    size = e.absolute(x)
    beyond = e.logical_and(e.greater(size, _BOUND[x.dtype]), e.less(size, float("inf")))
    near = _near(e, x, quarters)
    # Only in the lanes beyond: no result may depend on its neighbours.
    (found,) = e.code.when(
        e.some(beyond), lambda: [e.where(beyond, e.by_lane(name, x), near)], [near]
    )
    return found


def _near(e: Any, x: Reg, quarters: int) -> Any:
    """The sine or the cosine of the remainder, with its sign, by the number of quarter turns."""
    layout = LAYOUTS[x.dtype]
    n, whole = nearest(e, x, 0.6366197723675814)
    r = x
    for part in _HALF_PI[x.dtype]:
        r = e.fma(n, -part, r)
    z = e.mul(r, r)
    sine = e.fma(e.mul(r, z), polynomial(e, z, _SIN[x.dtype]), r)
    cosine = e.fma(e.mul(z, z), polynomial(e, z, _COS[x.dtype]), e.fma(z, -0.5, 1.0))
    turn = e.add(whole, quarters) if quarters else whole
    found = e.where(e.equal(masked(e, turn, 1), 0), sine, cosine)
    sign = shift(e, "shl", masked(e, turn, 2), layout.digits + layout.bias.bit_length())
    bits = e.bits(found, layout.whole)
    signed = e.code.let(f"xor {bits.type} {bits.name}, {sign.name}")
    return e.bits(Reg(signed, bits.dtype, bits.lanes), x.dtype)

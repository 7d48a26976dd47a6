"""exp, log and tanh of float32 vectors by polynomials: about 1 to 2 units in the last place.

Reductions and coefficients as in S. Moshier's Cephes library (expf, logf, tanhf).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chainrule.compile.ir import Reg
from chainrule.spec import F32, I32

_EXP = (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1,
        5.0000001201e-1)  # fmt: skip
_LOG = (7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
        -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1)  # fmt: skip
_TANH = (-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1,
         -3.33332819422e-1)  # fmt: skip
_ROUND = 12582912.0  # 1.5 * 2^23: adding it leaves the nearest whole number in the last bits


def _polynomial(e: Any, x: Reg, coefficients: Sequence[float]) -> Any:
    """Horner's rule, from the highest power down."""
    found = e.code.constant(coefficients[0], F32, x.lanes)
    for c in coefficients[1:]:
        found = e.fma(found, x, c)
    return found


def _plain(e: Any, operation: str, x: Reg, y: Reg) -> Any:
    """An addition or subtraction that nothing may be joined with."""
    return Reg(e.code.let(f"{operation} {x.type} {x.name}, {y.name}"), x.dtype, x.lanes)


def exp(e: Any, x: Reg) -> Any:
    """e^x = 2^n e^r with n the nearest whole number to x / log 2."""
    inside = e.where(e.less(x, -104.0), -104.0, e.where(e.greater(x, 89.0), 89.0, x))
    magic = e.code.constant(_ROUND, F32, x.lanes)
    shifted = e.fma(inside, 1.44269504088896341, magic)
    n = _plain(e, "fsub", shifted, magic)
    r = e.fma(n, -0.693359375, inside)
    r = e.fma(n, 2.12194440e-4, r)
    p = e.add(e.fma(_polynomial(e, r, _EXP), e.mul(r, r), r), 1.0)
    # 2^n in two factors: alone it would leave float32 at both ends.
    whole = e.cast(n, "int32")
    half = Reg(
        e.code.let(f"ashr {whole.type} {whole.name}, {e.code.constant(1, I32, x.lanes).name}"),
        I32,
        x.lanes,
    )
    return e.where(
        e.not_equal(x, x), x, e.mul(e.mul(p, _power_of_two(e, half)), _rest(e, whole, half))
    )


def _rest(e: Any, whole: Reg, half: Reg) -> Any:
    return _power_of_two(e, e.sub(whole, half))


def _power_of_two(e: Any, n: Reg) -> Any:
    raised = e.add(n, 127)
    bits = e.code.let(f"shl {raised.type} {raised.name}, {e.code.constant(23, I32, n.lanes).name}")
    return e.bits(Reg(bits, I32, n.lanes), F32)


def log(e: Any, x: Reg) -> Any:
    """log(m 2^k) = k log 2 + log(m), with m between sqrt(1/2) and sqrt(2)."""
    tiny = e.less(x, 1.1754943508222875e-38)
    scaled = e.where(tiny, e.mul(x, 8388608.0), x)
    bits = e.bits(scaled, I32)
    # The exponent of m, counted from sqrt(1/2): 0x3f3504f3 are its bits.
    apart = e.sub(bits, 0x3F3504F3)
    k = Reg(
        e.code.let(f"ashr {apart.type} {apart.name}, {e.code.constant(23, I32, x.lanes).name}"),
        I32,
        x.lanes,
    )
    shift = e.code.let(f"shl {k.type} {k.name}, {e.code.constant(23, I32, x.lanes).name}")
    m = e.bits(e.sub(bits, Reg(shift, I32, x.lanes)), F32)
    power = e.cast(k, "float32")
    power = e.where(tiny, e.sub(power, 23.0), power)
    f = e.sub(m, 1.0)
    square = e.mul(f, f)
    y = e.mul(e.mul(_polynomial(e, f, _LOG), f), square)
    y = e.fma(power, -2.12194440e-4, y)
    y = e.fma(square, -0.5, y)
    found = e.fma(power, 0.693359375, e.add(f, y))
    found = e.where(e.equal(x, float("inf")), x, found)
    found = e.where(e.equal(x, 0.0), float("-inf"), found)
    return e.where(e.logical_not(e.greater_equal(x, 0.0)), float("nan"), found)


def tanh(e: Any, x: Reg) -> Any:
    """A polynomial near 0; 1 - 2 / (exp(2 |x|) + 1) with the sign of x elsewhere."""
    size = e.absolute(x)
    square = e.mul(x, x)
    near = e.fma(e.mul(_polynomial(e, square, _TANH), square), x, x)
    far = e.sub(
        1.0, e.div(e.code.constant(2.0, F32, x.lanes), e.add(exp(e, e.mul(size, 2.0)), 1.0))
    )
    found = e.call("copysign", e.where(e.less(size, 0.625), near, far), x)
    return e.where(e.not_equal(x, x), x, found)

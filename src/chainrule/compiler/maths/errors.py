"""erf: x times a polynomial near 0; 1 - exp(a polynomial) elsewhere, for log erfc is smooth."""

from __future__ import annotations

from typing import Any

from chainrule.compiler.ir import Reg
from chainrule.compiler.maths.exponential import small_exp
from chainrule.compiler.maths.floats import called, clamp, polynomial
from chainrule.spec import F32, F64

_MEET = 0.9
_ONE = {F32: 3.95, F64: 5.95}  # from here on erf is 1
# erf(x) / x - 1 by powers of x^2, for |x| <= 1
_NEAR = {
    F32: (7.8891193e-05, -0.000802084571, 0.00518953661, -0.0268544462, 0.112836003, -0.37612626,
          0.128379166),
    F64: (5.960685338518165e-11, -1.1374955736068398e-09, 1.4660328722741778e-08,
          -1.635039622286454e-07, 1.6461008477802694e-06, -1.4925595772180904e-05,
          0.0001205533113295582, -0.0008548326981425542, 0.005223977624828431,
          -0.026866170645077875, 0.11283791670954885, -0.3761263890318375, 0.1283791670955126),
}  # fmt: skip
# log(1 - erf(x)) for 0.9 <= x <= _ONE, the error weighted by erfc / erf
_FAR = {
    F32: (0.000198217909, -0.00306547433, 0.0223151557, -0.104113571, -0.636976182, -1.12779713,
          -0.000166460944),
    F64: (1.3680598721583618e-12, -6.115180426759493e-11, 1.2800119913253859e-09,
          -1.665813625771908e-08, 1.5074109564237675e-07, -1.0026994557705863e-06,
          5.031812405039894e-06, -1.9059378723617468e-05, 5.2303159592680234e-05,
          -8.688084639360158e-05, -1.4862228503688704e-05, 0.0005978863242801104,
          -0.0017195595665495439, 0.00023644483538975573, 0.01910808873623421,
          -0.10276223046411462, -0.6366232914233809, -1.1283784455970964,
          -6.790011961130974e-08),
}  # fmt: skip


@called
def erf(e: Any, x: Reg) -> Any:
    """The error function."""
    size = e.absolute(x)
    near = e.fma(polynomial(e, e.mul(x, x), _NEAR[x.dtype]), x, x)
    left = small_exp(e, polynomial(e, clamp(e, size, 0.0, _ONE[x.dtype]), _FAR[x.dtype]))
    return e.call("copysign", e.where(e.less(size, _MEET), near, e.sub(1.0, left)), x)

"""The error function in NumPy, which has none, to the last bits of float64.

Rational approximations on three ranges, from W. J. Cody, "Rational Chebyshev approximations for
the error function", Mathematics of Computation 23 (1969), 631-637.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.spec import F64

# |x| < 0.46875: erf(x) = x P(x^2) / Q(x^2); coefficients from the highest power down.
_NEAR_P = (
    1.85777706184603153e-1,
    3.16112374387056560e0,
    1.13864154151050156e2,
    3.77485237685302021e2,
    3.20937758913846947e3,
)
_NEAR_Q = (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3,
           2.84423683343917062e3)  # fmt: skip
# 0.46875 <= |x| <= 4: erfc(x) = exp(-x^2) P(x) / Q(x)
_MID_P = (
    2.15311535474403846e-8,
    5.64188496988670089e-1,
    8.88314979438837594e0,
    6.61191906371416295e1,
    2.98635138197400131e2,
    8.81952221241769090e2,
    1.71204761263407058e3,
    2.05107837782607147e3,
    1.23033935479799725e3,
)
_MID_Q = (
    1.0,
    1.57449261107098347e1,
    1.17693950891312499e2,
    5.37181101862009858e2,
    1.62138957456669019e3,
    3.29079923573345963e3,
    4.36261909014324716e3,
    3.43936767414372164e3,
    1.23033935480374942e3,
)
# |x| > 4: erfc(x) = exp(-x^2) / |x| (1/sqrt(pi) - P(1/x^2) / (x^2 Q(1/x^2)))
_FAR_P = (
    1.63153871373020978e-2,
    3.05326634961232344e-1,
    3.60344899949804439e-1,
    1.25781726111229246e-1,
    1.60837851487422766e-2,
    6.58749161529837803e-4,
)
_FAR_Q = (
    1.0,
    2.56852019228982242e0,
    1.87295284992346047e0,
    5.27905102951428412e-1,
    6.05183413124413191e-2,
    2.33520497626869185e-3,
)


def erf(x: Any) -> Any:
    """erf(x) = 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x, in x's dtype."""
    wide = np.asarray(x, F64)
    size = np.abs(wide)
    square = np.square(np.minimum(size, 32.0))  # erf is 1 from 6 on
    near = (
        np.clip(wide, -0.5, 0.5)
        * np.polyval(_NEAR_P, np.minimum(square, 0.25))
        / np.polyval(_NEAR_Q, np.minimum(square, 0.25))
    )
    mid_at = np.clip(size, 0.46875, 4.0)
    mid = np.polyval(_MID_P, mid_at) / np.polyval(_MID_Q, mid_at)
    inverse = 1.0 / np.maximum(square, 16.0)
    far = inverse * np.polyval(_FAR_P, inverse) / np.polyval(_FAR_Q, inverse)
    far = (1.0 / np.sqrt(np.pi) - far) / np.maximum(size, 4.0)
    tail = np.copysign(1.0 - np.exp(-square) * np.where(size > 4.0, far, mid), wide)
    result = np.where(size < 0.46875, near, tail)
    dtype = x.dtype if x.dtype.kind == "f" else F64
    return np.where(np.isnan(wide), wide, result).astype(dtype)

"""Functions of float32 and float64 vectors, within 2 units in the last place (erf and power too).

Each is one algorithm with a row of numbers per dtype. The coefficients of the polynomials are our
own: minimax fits by Remez's exchange in 50 digits, rounded to the dtype. NaN, infinities, signed
zeros and subnormal numbers behave as in NumPy.
"""

from chainrule.compiler.maths.errors import erf
from chainrule.compiler.maths.exponential import exp, expm1, tanh
from chainrule.compiler.maths.logarithm import log, log1p
from chainrule.compiler.maths.powers import power, whole_power
from chainrule.compiler.maths.waves import cos, sin

__all__ = ["cos", "erf", "exp", "expm1", "log", "log1p", "power", "sin", "tanh", "whole_power"]

"""Showing what happened in a training: curves as text, for a start."""

from chainrule.explain.curve import curve as curve
from chainrule.explain.curve import sparkline as sparkline

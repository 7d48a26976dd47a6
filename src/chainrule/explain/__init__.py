"""Showing what happened in a training: steps opened, predictions explained, trouble named."""

from chainrule.explain.curve import curve as curve
from chainrule.explain.curve import sparkline as sparkline
from chainrule.explain.diagnosis import diagnose_losses as diagnose_losses
from chainrule.explain.diagnosis import diagnose_step as diagnose_step
from chainrule.explain.findings import Finding as Finding
from chainrule.explain.step import OpenedStep as OpenedStep
from chainrule.explain.step import open_program as open_program
from chainrule.explain.step import open_step as open_step

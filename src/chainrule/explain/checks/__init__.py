"""The table of checks: a new finding is one more record in one of these files, and a test."""

from chainrule.explain.checks.course import COURSE
from chainrule.explain.checks.losses import LOSSES
from chainrule.explain.checks.probes import PROBES
from chainrule.explain.checks.program import PROGRAM
from chainrule.explain.checks.tables import TABLES

CHECKS = [*PROGRAM, *LOSSES, *TABLES, *COURSE, *PROBES]
"""All checks, in the order in which their findings are told."""

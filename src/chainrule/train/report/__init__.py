"""What a run leaves for people: its pictures, and one page that tells all of it."""

from chainrule.train.report.written import write_findings as write_findings
from chainrule.train.report.written import write_report as write_report

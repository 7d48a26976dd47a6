"""Training: settings, the loop, metrics, and the run folder that keeps what happened."""

from chainrule.train.loop import EpochResult as EpochResult
from chainrule.train.loop import History as History
from chainrule.train.loop import fit as fit
from chainrule.train.metrics import score as score
from chainrule.train.network import TableNetwork as TableNetwork
from chainrule.train.run import Run as Run
from chainrule.train.settings import Settings as Settings
from chainrule.train.table import train_table as train_table

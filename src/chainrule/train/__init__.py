"""Training: settings, the loop, metrics, and the run folder that keeps what happened."""

from chainrule.train.history import EpochResult as EpochResult
from chainrule.train.history import History as History
from chainrule.train.loop import fit as fit
from chainrule.train.metrics import average_precision as average_precision
from chainrule.train.metrics import recall_at as recall_at
from chainrule.train.metrics import score as score
from chainrule.train.network import TableNetwork as TableNetwork
from chainrule.train.run import Run as Run
from chainrule.train.run import Summary as Summary
from chainrule.train.settings import Chosen as Chosen
from chainrule.train.settings import Settings as Settings
from chainrule.train.settings import gather as gather
from chainrule.train.table import Trained as Trained
from chainrule.train.table import Watcher as Watcher
from chainrule.train.table import train_table as train_table

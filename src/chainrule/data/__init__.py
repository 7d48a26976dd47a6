"""From files and frames to arrays: read, clean, split, encode, and the way back.

Knows NumPy arrays, not tensors. duckdb and narwhals load when a file or a frame is read.
"""

from chainrule.data.aims import Target as Target
from chainrule.data.arrays import ArrayColumn as ArrayColumn
from chainrule.data.batches import batch_count as batch_count
from chainrule.data.batches import batches as batches
from chainrule.data.batches import row_order as row_order
from chainrule.data.builtin import BUILTIN as BUILTIN
from chainrule.data.builtin import Builtin as Builtin
from chainrule.data.builtin import courier as courier
from chainrule.data.builtin import spirals as spirals
from chainrule.data.column import Column as Column
from chainrule.data.columns import ColumnKind as ColumnKind
from chainrule.data.columns import column_kinds as column_kinds
from chainrule.data.embedding import Embedding as Embedding
from chainrule.data.hashed import Hashed as Hashed
from chainrule.data.inspection import Inspection as Inspection
from chainrule.data.inspection import inspect_table as inspect_table
from chainrule.data.label_target import ListTarget as ListTarget
from chainrule.data.label_target import YesNoTarget as YesNoTarget
from chainrule.data.met import Met as Met
from chainrule.data.numeric import Numeric as Numeric
from chainrule.data.one_hot import OneHot as OneHot
from chainrule.data.parts import Part as Part
from chainrule.data.parts import Prepared as Prepared
from chainrule.data.preparation import Inputs as Inputs
from chainrule.data.preparation import Preparation as Preparation
from chainrule.data.prepare import prepare as prepare
from chainrule.data.prepare import prepare_more as prepare_more
from chainrule.data.read import on_disk as on_disk
from chainrule.data.read import read_table as read_table
from chainrule.data.read import source_name as source_name
from chainrule.data.read import whole_source as whole_source
from chainrule.data.report import Note as Note
from chainrule.data.report import Report as Report
from chainrule.data.split import Split as Split
from chainrule.data.split import split_rows as split_rows
from chainrule.data.table import Table as Table
from chainrule.data.target import ClassTarget as ClassTarget
from chainrule.data.target import ScaledTarget as ScaledTarget
from chainrule.data.target import known_answers as known_answers
from chainrule.data.text import Text as Text

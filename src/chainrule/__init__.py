"""chainrule trains neural networks on the machine you have, fast, and shows its work."""

from chainrule import functional as functional
from chainrule import nn as nn
from chainrule import optim as optim
from chainrule.compile import compile as compile
from chainrule.core.apply import define as define
from chainrule.core.state import enable_grad as enable_grad
from chainrule.core.state import is_grad_enabled as is_grad_enabled
from chainrule.core.state import no_grad as no_grad
from chainrule.core.state import set_grad_enabled as set_grad_enabled
from chainrule.creation import arange as arange
from chainrule.creation import empty as empty
from chainrule.creation import eye as eye
from chainrule.creation import full as full
from chainrule.creation import full_like as full_like
from chainrule.creation import linspace as linspace
from chainrule.creation import ones as ones
from chainrule.creation import ones_like as ones_like
from chainrule.creation import rand as rand
from chainrule.creation import rand_like as rand_like
from chainrule.creation import randint as randint
from chainrule.creation import randn as randn
from chainrule.creation import randn_like as randn_like
from chainrule.creation import randperm as randperm
from chainrule.creation import zeros as zeros
from chainrule.creation import zeros_like as zeros_like
from chainrule.generator import manual_seed as manual_seed
from chainrule.gradient import grad as grad
from chainrule.gradient import gradient_check as gradient_check
from chainrule.spec import BOOL as bool_  # noqa: N811 - dtypes have lower-case names in public
from chainrule.spec import F32 as float32  # noqa: N811
from chainrule.spec import F64 as float64  # noqa: N811
from chainrule.spec import I32 as int32  # noqa: N811
from chainrule.spec import I64 as int64  # noqa: N811
from chainrule.tensor import Buffer as Buffer
from chainrule.tensor import Cell as Cell
from chainrule.tensor import Parameter as Parameter
from chainrule.tensor import Tensor as Tensor
from chainrule.tensor import as_tensor as as_tensor
from chainrule.tensor import from_numpy as from_numpy
from chainrule.tensor import matmul as matmul
from chainrule.tensor import tensor as tensor
from chainrule.version import __version__ as __version__

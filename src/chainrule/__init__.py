"""chainrule trains neural networks on the machine you have, fast, and shows its work."""

from chainrule import nn
from chainrule.compile import compile
from chainrule.core.apply import define
from chainrule.core.state import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from chainrule.gradient import grad, gradient_check
from chainrule.spec import F32 as float32
from chainrule.spec import F64 as float64
from chainrule.spec import I32 as int32
from chainrule.spec import I64 as int64
from chainrule.tensor import Buffer, Cell, Parameter, Tensor, as_tensor, from_numpy, matmul, tensor

__version__ = "0.1.0"

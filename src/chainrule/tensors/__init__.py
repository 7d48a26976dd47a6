"""Tensors, and the cells that hold them."""

from chainrule.tensors.axes import Axis as Axis
from chainrule.tensors.cell import Buffer as Buffer
from chainrule.tensors.cell import Cell as Cell
from chainrule.tensors.cell import Gradient as Gradient
from chainrule.tensors.cell import Parameter as Parameter
from chainrule.tensors.cell import tensor as tensor
from chainrule.tensors.roots import check_root as check_root
from chainrule.tensors.roots import ones_like_root as ones_like_root
from chainrule.tensors.tensor import Tensor as Tensor
from chainrule.tensors.tensor import as_tensor as as_tensor
from chainrule.tensors.tensor import from_numpy as from_numpy
from chainrule.tensors.tensor import matmul as matmul

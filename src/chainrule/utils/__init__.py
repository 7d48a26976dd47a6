"""PyTorch's addresses for what is not a tensor: `utils.data`."""

from chainrule.utils import data

__all__ = ["data"]

"""Layers, losses and initialisers, with PyTorch's names, arguments and defaults."""

from chainrule.nn.module import Module

__all__ = ["Module"]

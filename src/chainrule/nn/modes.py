"""A mode for a while: what is computed inside needs no gradients, and the modes come back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from chainrule.core.state import no_grad
from chainrule.nn.module import Module


@contextmanager
def in_mode(model: Module, training: bool) -> Iterator[None]:
    """`model` in training or evaluation mode, and no gradients, up to the end of the block.

    Every module inside gets its own mode back, whatever happened.

    >>> import chainrule as cr
    >>> layer = cr.nn.Dropout(0.5)
    >>> with in_mode(layer, training=False):
    ...     layer(cr.tensor([1.0]))
    tensor([1.])
    >>> layer.training
    True
    """
    modes = [(module, module.training) for module in model.modules()]
    with no_grad():
        model.train(training)
        try:
            yield
        finally:
            for module, mode in modes:
                module.training = mode

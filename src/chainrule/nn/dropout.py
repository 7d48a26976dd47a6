"""Dropout: random zeros during training, element by element or by whole channels."""

from __future__ import annotations

from chainrule.errors import SettingError
from chainrule.functional.dropout import dropout, dropout1d, dropout2d
from chainrule.nn.module import Module
from chainrule.tensors import Tensor


class Dropout(Module):
    """In training mode each element becomes 0 with probability `p`, the others grow by 1 / (1 - p).

    In evaluation mode nothing happens. Raises SettingError for p outside of 0 to 1. Source:
    N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting",
    JMLR 15 (2014).

    >>> import chainrule as cr
    >>> Dropout(0.5).eval()(cr.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        if not 0.0 <= p <= 1.0:
            raise SettingError("dropout's p is a probability", expected="0 to 1", got=p)
        self.p, self.inplace = p, inplace

    def forward(self, input: Tensor) -> Tensor:
        return dropout(input, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout1d(Dropout):
    """As Dropout, with whole channels of sequences: see `functional.dropout1d`.

    input: [batch, channels, length] or without the batch. Raises ShapeError for other axes.

    >>> import chainrule as cr
    >>> Dropout1d(1.0)(cr.tensor([[1.0, 2.0]]))
    tensor([[0., 0.]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return dropout1d(input, self.p, self.training)


class Dropout2d(Dropout):
    """As Dropout, with whole channels of images: see `functional.dropout2d`.

    input: [batch, channels, height, width]. Raises ShapeError for other axes.

    >>> import chainrule as cr
    >>> Dropout2d(0.5).eval()(cr.tensor([[[[1.0, 2.0]]]]))
    tensor([[[[1., 2.]]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return dropout2d(input, self.p, self.training)

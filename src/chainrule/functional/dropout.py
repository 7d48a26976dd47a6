"""Dropout: random zeros during training, element by element or by whole channels.

`inplace` is taken for PyTorch's sake: tensors are immutable.
"""

from __future__ import annotations

from chainrule.errors import SettingError, ShapeError
from chainrule.functional.common import Shape, spec_text
from chainrule.generator import default_generator
from chainrule.ops.pointwise import greater_equal, mul, where
from chainrule.tensors import Tensor


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Each element becomes 0 with probability `p`; the others are multiplied by 1 / (1 - p).

    So the mean stays. Without `training` it is the input. `p`: 0 to 1. One draw of the default
    generator, so `cr.manual_seed` fixes it. Raises SettingError for p out of range. Source:
    N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting",
    JMLR 15 (2014).

    >>> import chainrule as cr
    >>> dropout(cr.tensor([1.0, 2.0]), p=0.9, training=False)
    tensor([1., 2.])
    """
    return _dropped(input, p, training, input.shape)


def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Whole channels become 0 with probability `p`; the others are multiplied by 1 / (1 - p).

    input: [batch, channels, length] or without the batch; for neighbours that go together. The
    rest as in `dropout`. Raises ShapeError for an input of other axes. Source: J. Tompson et al.,
    "Efficient object localization using convolutional networks", CVPR 2015.

    >>> import chainrule as cr
    >>> dropout1d(cr.tensor([[1.0, 2.0]]), p=1.0)
    tensor([[0., 0.]])
    """
    return _channels_dropped("dropout1d", 1, (2, 3), input, p, training)


def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Whole channels of images become 0 with probability `p`; the others grow by 1 / (1 - p).

    input: [batch, channels, height, width]; PyTorch reads three axes as [batch, channels, length]
    and warns of it, so they are refused here. The rest as in `dropout1d`.

    >>> import chainrule as cr
    >>> dropout2d(cr.tensor([[[[1.0, 2.0]]]]), p=0.9, training=False)
    tensor([[[[1., 2.]]]])
    """
    return _channels_dropped("dropout2d", 2, (4,), input, p, training)


def _channels_dropped(
    name: str, axes: int, counts: tuple[int, ...], input: Tensor, p: float, training: bool
) -> Tensor:
    if input.ndim not in counts:
        raise ShapeError(
            f"{name} drops channels of {axes} spatial axes",
            expected=f"input of {' or '.join(map(str, counts))} axes, [batch, channels, *space]",
            got=spec_text(input),
            hint="dropout drops single elements of any shape",
        )
    channels = input.shape[: input.ndim - axes]
    return _dropped(input, p, training, (*channels, *(1,) * axes))


def _dropped(input: Tensor, p: float, training: bool, drawn: Shape) -> Tensor:
    """A draw of the shape `drawn` decides for all that it broadcasts to."""
    if not 0.0 <= p <= 1.0:
        raise SettingError("dropout's p is a probability", expected="0 to 1", got=p)
    if not training or p == 0.0:
        return input
    keep = greater_equal(default_generator.uniform(drawn), p)
    out: Tensor = mul(where(keep, input, 0.0), 1.0 / (1.0 - p) if p < 1.0 else 0.0)
    return out

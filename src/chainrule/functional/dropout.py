"""Dropout: random zeros during training."""

from __future__ import annotations

from chainrule.errors import SettingError
from chainrule.generator import default_generator
from chainrule.ops.pointwise import greater_equal, mul, where
from chainrule.tensors import Tensor


def dropout(input: Tensor, p: float = 0.5, training: bool = True) -> Tensor:
    """Each element becomes 0 with probability `p`; the others are multiplied by 1 / (1 - p).

    So the mean stays. Without `training` it is the input. `p`: 0 to 1. One draw of the default
    generator, so `cr.manual_seed` fixes it. Raises SettingError for p out of range. Source:
    N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting",
    JMLR 15 (2014).

    >>> import chainrule as cr
    >>> dropout(cr.tensor([1.0, 2.0]), p=0.9, training=False)
    tensor([1., 2.])
    """
    if not 0.0 <= p <= 1.0:
        raise SettingError("dropout's p is a probability", expected="0 to 1", got=p)
    if not training or p == 0.0:
        return input
    keep = greater_equal(default_generator.uniform(input.shape), p)
    out: Tensor = mul(where(keep, input, 0.0), 1.0 / (1.0 - p) if p < 1.0 else 0.0)
    return out

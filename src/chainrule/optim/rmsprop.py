"""RMSprop: steps divided by the running root mean square of the gradient."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from chainrule.core.value import Raw
from chainrule.ops.pointwise import add, div, mul, sqrt, square, sub
from chainrule.optim.group import Limit, ParameterGroup
from chainrule.optim.optimizer import Narrow, Optimizer, Pairs
from chainrule.tensors import Cell


class RMSprop(Optimizer):
    """Each weight's gradient is divided by the root of its running mean square.

    Of each parameter w with gradient g (of the same shape):

        g <- g + weight_decay * w
        v <- alpha * v + (1 - alpha) * g^2           (state "square_avg")
        a <- alpha * a + (1 - alpha) * g             (state "grad_avg"; only if centered)
        b <- momentum * b + g / (sqrt(v) + eps)      (centered: sqrt(v - a^2) + eps)
        w <- w - lr * b

    `params`: see `Optimizer`. `lr` (rate), `eps`, `weight_decay`, `momentum`: at least 0. `alpha`:
    at least 0; below 1 to be a mean. `maximize` goes up instead of down. Raises SettingError for
    numbers out of range. T. Hinton, "Neural networks for machine learning", lecture 6e, 2012;
    centered: A. Graves, arXiv:1308.0850. As in PyTorch, eps is outside of the root.

    >>> import chainrule as cr
    >>> w = cr.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = RMSprop([w], lr=0.01)
    >>> (w * w).sum().backward()
    >>> optimizer.step()  # the mean square starts at 0: the first step is ten times lr
    >>> w
    Cell([ 0.9, -1.9], requires_grad=True)
    """

    limits: ClassVar[Mapping[str, Limit]] = {
        "lr": Limit(),
        "alpha": Limit(),
        "eps": Limit(),
        "weight_decay": Limit(switch=True),
        "momentum": Limit(switch=True),
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = dict(
            lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum,
            centered=centered, maximize=maximize,
        )  # fmt: skip
        super().__init__(params, defaults)

    def update(self, group: ParameterGroup, pairs: Pairs, narrow: Narrow) -> None:
        rate, eps = narrow(group.raw("lr")), narrow(group.raw("eps"))
        alpha, rest = narrow(group.raw("alpha")), narrow(sub(1.0, group.raw("alpha")))
        decay = narrow(group.raw("weight_decay")) if group.on("weight_decay") else None
        momentum = narrow(group.raw("momentum")) if group.on("momentum") else None
        for cell, g in pairs:
            g = self.gradient(group, cell, g, decay)
            spread = self._mean(cell, "square_avg", square(g), alpha, rest)
            if group.settings["centered"]:
                spread = sub(spread, square(self._mean(cell, "grad_avg", g, alpha, rest)))
            change = div(g, add(sqrt(spread), eps))
            if momentum is not None:
                buffer = self.moment(cell, "momentum_buffer")
                change = buffer.array = add(mul(buffer.array, momentum), change)
            cell.array = sub(cell.array, mul(change, rate))

    def _mean(self, cell: Cell, name: str, new: Raw, alpha: Raw, rest: Raw) -> Raw:
        """The running mean `name` of a parameter, with `new` in it."""
        mean = self.moment(cell, name)
        mean.array = found = add(mul(mean.array, alpha), mul(new, rest))
        return found

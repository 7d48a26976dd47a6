"""Adagrad: steps divided by the root of all squared gradients so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from chainrule.ops.pointwise import add, div, mul, sqrt, square, sub
from chainrule.optim.group import Limit, ParameterGroup
from chainrule.optim.optimizer import Narrow, Optimizer, Pairs


class Adagrad(Optimizer):
    """Each weight's rate falls with the sum of its squared gradients.

    Of each parameter w with gradient g (of the same shape), at its step number t = 1, 2, ...:

        g <- g + weight_decay * w
        s <- s + g^2                                 (state "sum")
        w <- w - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)

    `params`: see `Optimizer`. `lr` (rate), `lr_decay`, `weight_decay`, `eps` and
    `initial_accumulator_value` (what s starts from): at least 0. `maximize` goes up instead of
    down. Raises SettingError for numbers out of range. J. Duchi et al., "Adaptive subgradient
    methods for online learning and stochastic optimization", JMLR 2011.

    >>> import chainrule as cr
    >>> w = cr.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = Adagrad([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()  # the first step is lr against the gradient's sign
    >>> w
    Cell([ 0.9, -1.9], requires_grad=True)
    """

    limits: ClassVar[Mapping[str, Limit]] = {
        "lr": Limit(),
        "lr_decay": Limit(switch=True),
        "weight_decay": Limit(switch=True),
        "initial_accumulator_value": Limit(),
        "eps": Limit(),
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = dict(
            lr=lr, lr_decay=lr_decay, weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value, eps=eps, maximize=maximize,
        )  # fmt: skip
        super().__init__(params, defaults)

    def counts_steps(self) -> bool:
        return any(group.on("lr_decay") for group in self.param_groups)

    def update(self, group: ParameterGroup, pairs: Pairs, narrow: Narrow) -> None:
        lr = group.raw("lr")
        if group.on("lr_decay"):
            lr = div(lr, add(mul(sub(self.steps(pairs), 1.0), group.raw("lr_decay")), 1.0))
        rate, eps = narrow(lr), narrow(group.raw("eps"))
        decay = narrow(group.raw("weight_decay")) if group.on("weight_decay") else None
        for cell, g in pairs:
            g = self.gradient(group, cell, g, decay)
            total = self.moment(cell, "sum", group.held("initial_accumulator_value"))
            total.array = add(total.array, square(g))
            cell.array = sub(cell.array, mul(div(g, add(sqrt(total.array), eps)), rate))

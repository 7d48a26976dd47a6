"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from chainrule.core.value import Raw
from chainrule.errors import SettingError
from chainrule.ops.pointwise import add, equal, mul, sub, where
from chainrule.optim.group import Limit, ParameterGroup
from chainrule.optim.optimizer import Narrow, Optimizer, Pairs


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if wanted.

    Of each parameter w with gradient g (of the same shape):

        g <- g + weight_decay * w
        b <- momentum * b + (1 - dampening) * g      (the first time b <- g)
        w <- w - lr * b                              (nesterov: w - lr * (g + momentum * b))

    `params`: see `Optimizer`. `lr` (rate), `momentum`, `weight_decay`: at least 0. `dampening`: any
    number. `nesterov` needs momentum, and dampening 0. `maximize` goes up instead of down.
    Raises SettingError for numbers out of range. I. Sutskever et al., "On the importance of
    initialization and momentum in deep learning", ICML 2013; as in PyTorch, the rate multiplies
    the momentum when it is used, not when it is gathered.

    >>> import chainrule as cr
    >>> w = cr.tensor(0.0, requires_grad=True)
    >>> optimizer = SGD([w], lr=0.1)
    >>> ((w - 3) ** 2).backward()
    >>> optimizer.step()
    >>> w.item()
    0.6
    """

    limits: ClassVar[Mapping[str, Limit]] = {
        "lr": Limit(),
        "momentum": Limit(switch=True),
        "dampening": Limit(low=float("-inf"), switch=True),
        "weight_decay": Limit(switch=True),
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        if nesterov and (momentum == 0 or dampening != 0):
            raise SettingError(
                "Nesterov's momentum needs momentum",
                expected="momentum above 0 and dampening 0",
                got=f"momentum {momentum} and dampening {dampening}",
            )
        defaults = dict(
            lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay,
            nesterov=nesterov, maximize=maximize,
        )  # fmt: skip
        super().__init__(params, defaults)

    def counts_steps(self) -> bool:
        return any(group.on("dampening") for group in self.param_groups)

    def update(self, group: ParameterGroup, pairs: Pairs, narrow: Narrow) -> None:
        rate = narrow(group.raw("lr"))
        decay = narrow(group.raw("weight_decay")) if group.on("weight_decay") else None
        momentum = narrow(group.raw("momentum")) if group.on("momentum") else None
        fresh = narrow(self._undamped(group, pairs)) if group.on("dampening") else None
        for cell, g in pairs:
            g = self.gradient(group, cell, g, decay)
            if momentum is not None:
                buffer = self.moment(cell, "momentum_buffer")
                new = g if fresh is None else mul(g, fresh)
                buffer.array = add(mul(buffer.array, momentum), new)
                nesterov = group.settings["nesterov"]
                g = add(g, mul(buffer.array, momentum)) if nesterov else buffer.array
            cell.array = sub(cell.array, mul(g, rate))

    def _undamped(self, group: ParameterGroup, pairs: Pairs) -> Raw:
        """How much of a gradient enters the momentum: the first one whole."""
        first = equal(self.steps(pairs), 1.0)
        return where(first, 1.0, sub(1.0, group.raw("dampening")))

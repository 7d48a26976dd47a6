"""Adam, and AdamW, whose weight decay does not pass through the moments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from chainrule.core.value import Raw
from chainrule.ops.pointwise import add, div, mul, power, sqrt, square, sub
from chainrule.optim.group import Limit, ParameterGroup
from chainrule.optim.optimizer import Narrow, Optimizer, Pairs
from chainrule.tensors import Cell


class Adam(Optimizer):
    """Adaptive moments: each weight's step is its mean gradient over the root of its mean square.

    Of each parameter w with gradient g, at its step number t = 1, 2, ..., with betas (b1, b2):

        g <- g + weight_decay * w
        m <- b1 * m + (1 - b1) * g                   (state "exp_avg")
        v <- b2 * v + (1 - b2) * g^2                 (state "exp_avg_sq")
        w <- w - lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)

    `params`: see `Optimizer`. `lr` (rate), `eps`, `weight_decay`: at least 0. `betas`: each at
    least 0 and below 1. `maximize` goes up instead of down. Raises SettingError for numbers out of
    range.
    D. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015.

    >>> import chainrule as cr
    >>> w = cr.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()  # the first step is lr against the gradient's sign
    >>> w
    Cell([ 0.9, -1.9], requires_grad=True)
    """

    limits: ClassVar[Mapping[str, Limit]] = {
        "lr": Limit(),
        "betas": Limit(below=1.0),
        "eps": Limit(),
        "weight_decay": Limit(switch=True),
    }
    decoupled = False  # whether weight decay acts on the weights instead of the gradient

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, maximize=maximize)
        super().__init__(params, defaults)

    def counts_steps(self) -> bool:
        return True

    def update(self, group: ParameterGroup, pairs: Pairs, narrow: Narrow) -> None:
        t = self.steps(pairs)
        lr, beta1, beta2 = group.raw("lr"), group.raw("betas", 0), group.raw("betas", 1)
        rate = narrow(div(lr, sub(1.0, power(beta1, t))))
        scale = narrow(div(1.0, sqrt(sub(1.0, power(beta2, t)))))  # not a quotient for each weight
        means = narrow(beta1), narrow(sub(1.0, beta1)), narrow(beta2), narrow(sub(1.0, beta2))
        eps = narrow(group.raw("eps"))
        decay, shrink = self._weight_decay(group, narrow)
        for cell, g in pairs:
            g = self.gradient(group, cell, g, decay)
            m, v = self._moments(cell, g, *means)
            w = cell.array if shrink is None else mul(cell.array, shrink)
            cell.array = sub(w, mul(div(m, add(mul(sqrt(v), scale), eps)), rate))

    def _weight_decay(self, group: ParameterGroup, narrow: Narrow) -> tuple[Raw | None, Raw | None]:
        """What is added to the gradient, as a factor of the weight, and what shrinks the weight."""
        if not group.on("weight_decay"):
            return None, None
        if self.decoupled:
            return None, narrow(sub(1.0, mul(group.raw("lr"), group.raw("weight_decay"))))
        return narrow(group.raw("weight_decay")), None

    def _moments(
        self, cell: Cell, g: Raw, beta1: Raw, rest1: Raw, beta2: Raw, rest2: Raw
    ) -> tuple[Raw, Raw]:
        """The running means of the gradient and of its square, with this gradient in them."""
        mean, squares = self.moment(cell, "exp_avg"), self.moment(cell, "exp_avg_sq")
        m = add(mul(mean.array, beta1), mul(g, rest1))
        v = add(mul(squares.array, beta2), mul(square(g), rest2))
        mean.array, squares.array = m, v
        return m, v


class AdamW(Adam):
    """Adam with weight decay that acts on the weights themselves.

    As `Adam`, except that the gradient stays as it is and

        w <- (1 - lr * weight_decay) * w - lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)

    Arguments, ranges and errors are Adam's; the default `weight_decay` is 0.01.
    I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR 2019.

    >>> import chainrule as cr
    >>> w = cr.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = AdamW([w], lr=0.1, weight_decay=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    Cell([ 0.85, -1.8 ], requires_grad=True)
    """

    decoupled = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, maximize=maximize)

"""Networks and steps that the tests of explaining share."""

from __future__ import annotations

from typing import Any

import chainrule as cr
from chainrule import nn


def tutorial() -> nn.Sequential:
    """Two layers whose numbers fit on paper: from [1, 2] they make -0.175."""
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    model[0].weight.assign([[0.5, -0.3], [0.8, 0.2], [-0.1, 0.4]])
    model[0].bias.assign([0.1, -0.2, 0.05])
    model[2].weight.assign([[0.7, -0.5, 0.3]])
    model[2].bias.assign([0.1])
    return model


def learning(model: nn.Module, loss: nn.Module, lr: float = 0.1, optimizer: Any = None) -> Any:
    """The compiled step of learning, interpreted."""
    made = (optimizer or cr.optim.SGD)(model.parameters(), lr=lr)

    def step(*batch: Any) -> Any:
        found = loss(model(batch[0]), *batch[1:])
        made.zero_grad()
        found.backward()
        made.step()
        return found

    return cr.compile(step, "interpret")

"""Fully connected layers with a bend between them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from chainrule.nn.activation import GELU, ReLU, SiLU, Tanh
from chainrule.nn.container import Sequential
from chainrule.nn.dropout import Dropout
from chainrule.nn.linear import Linear
from chainrule.nn.module import Module
from chainrule.nn.networks.config import chosen
from chainrule.tensors import Tensor

ACTIVATIONS: dict[str, type[Module]] = {"relu": ReLU, "gelu": GELU, "silu": SiLU, "tanh": Tanh}


@dataclass(frozen=True)
class MLPConfig:
    """The widths of the layers, the activation between them (relu, gelu, silu, tanh), dropout."""

    inputs: int
    outputs: int
    hidden: tuple[int, ...] = (64, 64)
    activation: str = "relu"
    dropout: float = 0.0


class MLP(Module):
    """A multilayer perceptron: [..., inputs] to [..., outputs].

    Raises ShapeError when the last axis is not `inputs`, SettingError for an unknown activation.
    Source: D. Rumelhart, G. Hinton and R. Williams, "Learning representations by back-propagating
    errors", 1986.

    >>> import chainrule as cr
    >>> MLP(MLPConfig(inputs=4, outputs=2))(cr.zeros(3, 4)).shape
    (3, 2)
    """

    def __init__(self, config: MLPConfig) -> None:
        self.config = config
        activation = chosen("activation", config.activation, ACTIVATIONS)
        modules: list[Module] = []
        widths = (config.inputs, *config.hidden)
        for wide, narrow in pairwise(widths):
            modules += [Linear(wide, narrow), activation()]
            modules += [Dropout(config.dropout)] if config.dropout else []
        self.layers = Sequential(*modules, Linear(widths[-1], config.outputs))

    def forward(self, input: Tensor) -> Tensor:
        return self.layers(input)  # type: ignore[no-any-return]

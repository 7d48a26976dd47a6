"""A small network and its data, and every optimizer with its options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import chainrule as cr
from chainrule import optim

CHOICES: list[tuple[type[optim.Optimizer], dict[str, Any]]] = [
    (optim.SGD, {"lr": 0.1}),
    (optim.SGD, {"lr": 0.01, "weight_decay": 0.1, "maximize": True}),
    (optim.SGD, {"lr": 0.1, "momentum": 0.9}),
    (optim.SGD, {"lr": 0.05, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.01}),
    (optim.SGD, {"lr": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1}),
    (optim.RMSprop, {"lr": 0.01}),
    (optim.RMSprop, {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.01}),
    (optim.RMSprop, {"lr": 0.01, "alpha": 0.9, "eps": 1e-6, "centered": True}),
    (optim.RMSprop, {"lr": 0.01, "momentum": 0.5, "centered": True, "maximize": True}),
    (optim.Adagrad, {"lr": 0.1}),
    (optim.Adagrad, {"lr": 0.1, "lr_decay": 0.01, "weight_decay": 0.01}),
    (optim.Adagrad, {"lr": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-8, "maximize": True}),
    (optim.Adam, {"lr": 0.01}),
    (optim.Adam, {"lr": 0.01, "betas": (0.8, 0.95), "eps": 1e-6, "weight_decay": 0.05}),
    (optim.Adam, {"lr": 0.01, "maximize": True}),
    (optim.AdamW, {"lr": 0.01}),
    (optim.AdamW, {"lr": 0.01, "weight_decay": 0.0}),
    (optim.AdamW, {"lr": 0.02, "weight_decay": 0.3, "betas": (0.5, 0.9)}),
]
"""Every optimizer, with each of its options once at least."""

NAMES = [
    "-".join([kind.__name__, *(f"{name}={value}" for name, value in options.items())])
    for kind, options in CHOICES
]


def arrays(dtype: str = "float32") -> dict[str, Any]:
    """The weights that every comparison starts from, and the data x, y."""
    rng = np.random.default_rng(0)
    shapes = {"w1": (3, 4), "b1": (4,), "w2": (4, 1), "b2": (), "x": (16, 3), "y": (16, 1)}
    return {name: rng.standard_normal(shape).astype(dtype) for name, shape in shapes.items()}


def cells(dtype: str = "float32") -> list[cr.Parameter]:
    """The weights as named parameters."""
    return [cr.Parameter(array, name=name) for name, array in arrays(dtype).items()][:4]


def step_of(
    parameters: list[Any], optimizer: Any, between: Callable[[], Any] = lambda: None
) -> Callable[[Any, Any], Any]:
    """The usual training step; `between` runs after backward."""
    w1, b1, w2, b2 = parameters

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = ((((x @ w1 + b1).tanh() @ w2 + b2) - y) ** 2).mean()
        loss.backward()
        between()
        optimizer.step()
        return loss

    return step


def batch(dtype: str = "float32") -> tuple[cr.Tensor, cr.Tensor]:
    """The data as tensors."""
    found = arrays(dtype)
    return cr.tensor(found["x"]), cr.tensor(found["y"])

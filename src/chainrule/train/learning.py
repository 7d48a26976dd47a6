"""How a network for tables learns from rows that are prepared, and the model it becomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule import nn, optim
from chainrule.data import Part, Preparation, known_answers
from chainrule.data.room import fits, rows_at_once
from chainrule.model import Card, Model, record_forward
from chainrule.optim import Optimizer
from chainrule.spec import F32, I64, Spec
from chainrule.train.heads import output_for
from chainrule.train.history import EpochResult, History
from chainrule.train.keeping import Keeper
from chainrule.train.loop import Loop
from chainrule.train.network import TableNetwork
from chainrule.train.rates import rates
from chainrule.train.settings import Chosen
from chainrule.train.threads import one_thread_below

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "adam": optim.Adam,
    "adamw": optim.AdamW,
    "sgd": optim.SGD,
    "rmsprop": optim.RMSprop,
    "adagrad": optim.Adagrad,
}


def optimizer_for(network: nn.Module, settings: Chosen) -> Optimizer:
    """The optimizer that the settings name, for all parameters of a network."""
    made = OPTIMIZERS[settings.optimizer]
    return made(network.parameters(), lr=settings.lr, weight_decay=settings.weight_decay)


def learn(
    network: TableNetwork,
    optimizer: Optimizer,
    loss: nn.Module,
    train: Part,
    validation: Part | None,
    settings: Chosen,
    *,
    keeper: Keeper | None = None,
    on_start: Callable[[int], None] | None = None,
    on_step: Callable[[int, int], None] | None = None,
    on_epoch: Callable[[EpochResult], bool | None] | None = None,
    loop: Loop | None = None,
) -> History:
    """Train a network on prepared rows as `settings` say; `on_...` are the functions of `fit`.

    `keeper` is given what the training goes through. `loop`: that of earlier rows, whose steps
    serve again.
    """
    if loop is None:
        loop = loop_for(network, optimizer, loss, train, validation, settings, keeper)
    else:
        judging = None if validation is None else arrays(validation)
        loop.take(arrays(train), judging, settings.batch_size, settings.seed)
        _plan(loop, settings)
    with one_thread_below(settings.batch_size * network.largest):
        return loop.fit(
            settings.epochs,
            settings.patience,
            on_start=on_start,
            on_step=on_step,
            on_epoch=on_epoch,
            backend=settings.backend,
        )


def loop_for(
    network: nn.Module,
    optimizer: Optimizer,
    loss: nn.Module,
    train: Part,
    validation: Part | None,
    settings: Chosen,
    keeper: Keeper | None = None,
) -> Loop:
    """The loop that trains a network as the settings say; nothing is compiled yet."""
    judging = None if validation is None else arrays(validation)
    size, seed = settings.batch_size, settings.seed
    window = window_for(train, settings)
    loop = Loop(network, loss, optimizer, arrays(train), judging, size, seed, 2, keeper, window)
    _plan(loop, settings)
    return loop


def _plan(loop: Loop, settings: Chosen) -> None:
    loop.plan(lambda steps: rates(settings.schedule, settings.lr, steps), settings.epochs)


def window_for(train: Part, settings: Chosen) -> int | None:
    """How many training rows are in memory at a time: None, all, where `settings.memory` allows.

    It depends on nothing else, so that a run is the same wherever it is done again.
    """
    memory, size = settings.memory, settings.batch_size
    if memory is None or fits(train.row_bytes * len(train), memory):
        return None
    return max(1, rows_at_once(train.row_bytes, memory) // size) * size


ARGUMENTS = ("numbers", "codes")
"""What the arguments of a step are called that the network takes; see `arrays`."""


def arrays(part: Part) -> list[NDArray[Any]]:
    """The inputs of the network, then those of the loss: answers, 0 if unknown, and weights."""
    known = [known_answers(answers).reshape(answers.shape) for answers in part.targets]
    pairs = zip(known, part.targets, strict=True)
    answers = [found if k.all() else np.where(k, found, found.dtype.type(0)) for k, found in pairs]
    weights = [] if part.weights is None else [part.weights]
    return [part.numbers, part.codes, *answers, *weights]


def frozen(network: TableNetwork, preparation: Preparation, card: Card) -> Model:
    """The model that a trained network, in evaluation mode, is under its preparation."""
    targets = preparation.targets
    specs = [Spec((1, len(preparation.features)), F32), Spec((1, preparation.slots), I64)]
    program = record_forward(lambda *inputs: output_for(targets, network(*inputs)), specs)
    return Model(preparation, program, card)

"""A network that goes on learning: what fit, a warm start and partial fits have in common."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from chainrule.data import Part, Preparation
from chainrule.generator import default_generator
from chainrule.model import Card, Model
from chainrule.optim import Optimizer
from chainrule.train import Chosen, EpochResult, History, Settings, TableNetwork
from chainrule.train.defaults import choose
from chainrule.train.heads import TargetsLoss, loss_for
from chainrule.train.learning import frozen, learn, loop_for, optimizer_for
from chainrule.train.loop import Loop
from chainrule.train.network import network_for

SIZES = 24
"""Sizes of batches for which partial fits keep compiled steps, before all are made anew."""

_ALONE = threading.RLock()


@dataclass(eq=False)
class Learner:
    """A network under a preparation, its optimizer, and how many epochs it has learned."""

    preparation: Preparation
    network: TableNetwork
    optimizer: Optimizer
    trivial: list[float]
    settings: dict[str, Any] = field(default_factory=dict)  # of the last learning
    epochs: int = 0
    loops: dict[bool, Loop] = field(default_factory=dict)  # of partial fits, by: are rows weighted?

    @classmethod
    def begin(
        cls, preparation: Preparation, settings: Settings, answers: Sequence[NDArray[Any]]
    ) -> Learner:
        """A network with initial weights; the preparation is of the rows with these answers."""
        chosen = choose(settings, preparation, len(answers[0]))
        with own_randomness(chosen.seed):
            network = network_for(preparation, chosen)
        optimizer = optimizer_for(network, chosen)
        pairs = zip(preparation.targets, answers, strict=True)
        trivial = [number for target, found in pairs for number in target.trivial(found)]
        return cls(preparation, network, optimizer, trivial)

    def chosen(self, settings: Settings, rows: int) -> Chosen:
        """The settings to learn from so many rows next: other orders and dropout than before."""
        seed = settings.seed + self.epochs
        return choose(settings.model_copy(update={"seed": seed}), self.preparation, rows)

    def learn(
        self,
        train: Part,
        validation: Part | None,
        settings: Chosen,
        on_start: Callable[[int], None],
        on_epoch: Callable[[EpochResult], bool | None],
        partly: bool,
    ) -> History:
        """Learn from more rows, under settings that `chosen` gave; `partly`: others will follow."""
        loss = loss_for(self.preparation, train.weights is not None)
        loop = self._recurring(loss, train, settings) if partly else None
        with own_randomness(settings.seed):
            history = learn(
                self.network,
                self.optimizer,
                loss,
                train,
                validation,
                settings,
                on_start=on_start,
                on_epoch=on_epoch,
                loop=loop,
            )
        self.epochs += len(history.epochs)
        self.settings = settings.model_dump(exclude={"output"})
        return history

    def _recurring(self, loss: TargetsLoss, train: Part, settings: Chosen) -> Loop:
        """The loop of all partial fits: its steps are recorded, and compiled, once for a size."""
        loop = self.loops.get(loss.weighted)
        if loop is None or len(loop.step.programs) >= SIZES:
            loop = loop_for(self.network, self.optimizer, loss, train, None, settings)
            loop.recurs = True
            self.loops[loss.weighted] = loop
        return loop

    def __getstate__(self) -> dict[str, Any]:  # compiled steps are made again where needed
        return {**vars(self), "loops": {}}

    def model(self) -> Model:
        """What the network is now, as a model that later learning does not change."""
        network = copy.deepcopy(self.network).eval()
        card = Card(trivial=self.trivial, settings=self.settings)
        return frozen(network, self.preparation, card)


@contextmanager
def own_randomness(seed: int) -> Iterator[None]:
    """Inside, the default generator starts from `seed`; afterwards it goes on as if unused.

    Threads wait for each other here, so that each draws the numbers of its own seed.
    """
    with _ALONE:
        before = default_generator.state_dict()
        default_generator.manual_seed(seed)
        try:
            yield
        finally:
            default_generator.load_state_dict(before)

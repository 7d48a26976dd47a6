"""A network that learns two columns before one's eyes, in a process of its own.

As a program it reads settings as JSON from its input and writes a JSON line for each picture.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import numpy as np

from chainrule import generator
from chainrule.core.state import no_grad
from chainrule.errors import ChainruleError, SettingError
from chainrule.explain.pictures import training
from chainrule.explain.pictures.ground import Ground, ground_of
from chainrule.tensors import Tensor
from chainrule.train.defaults import choose
from chainrule.train.heads import loss_for, output_for
from chainrule.train.history import EpochResult
from chainrule.train.learning import learn, optimizer_for
from chainrule.train.network import TableNetwork, network_for
from chainrule.train.preparing import prepared_for
from chainrule.train.settings import Settings

EVERY = 0.15
"""Seconds between two pictures."""

EPOCHS = 2000
MOST_WEIGHTS = 200_000

ALLOWED = ("lr", "batch_size", "layers", "activation", "optimizer", "weight_decay", "dropout")
"""The settings that the page may change."""


async def watched(settings: dict[str, Any]) -> AsyncIterator[dict[str, str]]:
    """The pictures of a training, as events; it ends when nobody listens any more."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**22,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(settings).encode())
        process.stdin.close()
        async for line in process.stdout:
            yield {"event": "frame", "data": line.decode().strip()}
        yield {"event": "over", "data": "{}"}
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


class Watch:
    """Writes what the network says in its plane, every so often."""

    def __init__(self, network: TableNetwork, ground: Ground) -> None:
        self.network, self.ground = network, ground
        self.results: list[EpochResult] = []
        self.told = 0.0

    def epoch(self, result: EpochResult) -> None:
        """Tell of an epoch, if the last picture is old enough."""
        self.results.append(result)
        if time.monotonic() - self.told > EVERY:
            self.tell()
            self.told = time.monotonic()

    def tell(self) -> None:
        """Write the picture of now."""
        inputs = self.ground.inputs
        self.network.eval()
        with no_grad():
            raw = self.network(Tensor(inputs.numbers), Tensor(inputs.codes))
            said = output_for((self.ground.target,), raw).numpy()
        self.network.train()
        sure, group = self.ground.shades(said.astype(np.float64))
        last = self.results[-1]
        curve = training.losses(
            [result.epoch for result in self.results],
            [result.train_loss for result in self.results],
            [result.validation_loss for result in self.results],
        )
        frame = {
            **last.model_dump(),
            "sure": np.round(sure, 3).tolist(),
            "group": group.tolist(),
            "curve": curve.svg(alone=False),
        }
        print(json.dumps(frame), flush=True)


def play(values: dict[str, Any]) -> None:
    """Train on two columns and write what the network says, from the first epoch to the last."""
    settings = Settings.model_validate({"epochs": EPOCHS, "patience": EPOCHS, **values})
    prepared = prepared_for(settings)
    ground = ground_of(prepared.preparation, prepared.train)
    if ground is None:
        raise SettingError("the playground needs two columns of numbers and one target")
    chosen = choose(settings, prepared.preparation, len(prepared.train))
    generator.manual_seed(chosen.seed)
    network = network_for(prepared.preparation, chosen)
    if network.size > MOST_WEIGHTS:
        raise SettingError("the network is too large to play with", expected=f"{MOST_WEIGHTS:,}")
    x, y, group = (found[:400].tolist() for found in ground.rows)
    head = {"names": ground.names, "edges": ground.edges, "groups": ground.groups}
    print(json.dumps({**head, "rows": [x, y, group], "size": network.size}), flush=True)
    watch = Watch(network, ground)
    loss = loss_for(prepared.preparation, prepared.train.weights is not None)
    optimizer = optimizer_for(network, chosen)
    parts = prepared.train, prepared.validation
    learn(network, optimizer, loss, *parts, chosen, on_epoch=watch.epoch)
    watch.tell()


def main() -> None:
    """Read settings, and play; an error becomes the last line."""
    try:
        play(json.load(sys.stdin))
    except ChainruleError as problem:
        print(json.dumps({"error": problem.one_line()}), flush=True)


if __name__ == "__main__":
    main()

"""What the benchmarks say of their networks: the count of operations, and goals for each."""

from __future__ import annotations

import math

import pytest
from benchmarks.contenders import chainrule_step
from benchmarks.networks import NETWORKS
from benchmarks.training import GOALS

from chainrule.core.program import Instruction

BATCH = 4


def product_flops(made: Instruction) -> int:
    """Of a contraction: two for every combination of its dimensions' places."""
    inputs = made.settings["dims"].partition("->")[0].split(",")
    sizes = {
        letter: size
        for letters, value in zip(inputs, made.inputs, strict=True)
        for letter, size in zip(letters, value.shape, strict=True)
    }
    return 2 * math.prod(sizes.values())


@pytest.mark.parametrize("name", [name for name in NETWORKS if name not in ("cnn", "lstm")])
def test_flops_are_those_of_the_recorded_products(name: str) -> None:
    network = NETWORKS[name]
    program = chainrule_step(network, "interpret").program(*network.rows(BATCH, 1))
    products = [made for made in program.instructions if made.op.name == "contract"]
    assert network.flops(BATCH) == sum(map(product_flops, products))


def test_every_network_has_goals() -> None:
    assert GOALS.keys() == NETWORKS.keys()


def test_verdicts_mark_what_is_missed_and_what_is_reached() -> None:
    goal = GOALS["mlp-8-64-64-1"].torch
    assert goal.verdict(34.9).endswith("MISSED")
    assert goal.verdict(35.0) == "must 35, aim 50"
    assert goal.verdict(50.0).endswith("aim reached")

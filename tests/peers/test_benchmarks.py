"""The contenders of a benchmark compute the same: equal losses from the same starting weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from benchmarks import contenders
from benchmarks.networks import NETWORKS

BATCH, STEPS = 4, 2

pytestmark = [
    pytest.mark.peers,
    # JAX forks nothing here, but warns of it when other tests did.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

PEERS: dict[str, Callable[..., contenders.Epoch]] = {
    "interpreted": lambda *a: contenders.chainrule_epochs(*a, backend="interpret"),
    "native": contenders.chainrule_epochs,
    "torch, channels last": lambda *a: contenders.torch_epochs(*a, channels_last=True),
    "JAX": lambda *a: contenders.jax_epochs(*a, scanned=False),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_two_steps_have_the_same_losses(name: str) -> None:
    pytest.importorskip("jax")
    pytest.importorskip("torch")
    network = NETWORKS[name]
    rows = network.rows(BATCH, STEPS)
    order = np.tile(np.random.default_rng(1).permutation(BATCH * STEPS)[:BATCH], STEPS)
    expected = contenders.torch_epochs(network, rows, BATCH)(order)
    assert expected[1] < expected[0] - 1e-3  # the same rows again: the update is seen
    for peer, make in PEERS.items():
        if network.images or "channels" not in peer:
            losses = make(network, rows, BATCH)(order)
            np.testing.assert_allclose(losses, expected, rtol=0, atol=1e-4, err_msg=peer)


def test_jax_has_the_same_losses_scanned_and_step_by_step() -> None:
    pytest.importorskip("jax")
    network = NETWORKS["mlp-8-64-64-1"]
    rows, order = network.rows(BATCH, STEPS), np.arange(BATCH * STEPS)
    one, other = (
        contenders.jax_epochs(network, rows, BATCH, scanned)(order) for scanned in (True, False)
    )
    np.testing.assert_allclose(one, other, rtol=1e-6)

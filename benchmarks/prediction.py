"""The prediction of one row by 8-64-64-1: what a user calls, and the machine code alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.goals import Goal, slower, table
from benchmarks.harness import attempt
from benchmarks.networks import NETWORKS

NETWORK = NETWORKS["mlp-8-64-64-1"]
PUBLIC, NATIVE = Goal(2, 4), Goal(5, 5, at_most=True)
LABELS = {
    "public": "chainrule",
    "native": "its machine code alone",
    "torch": "PyTorch",
    "jax": "JAX",
}


def _model(library: Any) -> Any:
    """The network with the weights that all have."""
    model = NETWORK.build(library)
    model.load_state_dict({k: library.from_numpy(v) for k, v in NETWORK.weights().items()})
    return model


def public() -> Callable[[], Any]:
    """A compiled module on a tensor."""
    import chainrule as cr

    forward, row = cr.compile(_model(cr), "native"), cr.from_numpy(NETWORK.rows(1, 1)[0])

    def predict() -> Any:
        with cr.no_grad():
            return forward(row)

    return predict


def native() -> Callable[[], Any]:
    """The machine code, called as the compiled module does once it knows what to run."""
    import chainrule as cr

    row = NETWORK.rows(1, 1)[0]
    with cr.no_grad():
        program: Any = cr.compile(_model(cr), "native").variant(cr.from_numpy(row)).run
    program([row])
    (run,) = program.runs
    return lambda: run(program.memory.address, 0, 1)  # thread 0 of 1


def torch() -> Callable[[], Any]:
    import torch

    torch.set_num_threads(1)
    model, row = _model(torch).eval(), torch.from_numpy(NETWORK.rows(1, 1)[0])

    def predict() -> Any:
        with torch.inference_mode():
            return model(row)

    return predict


def jax() -> Callable[[], Any]:
    import jax
    import jax.numpy as jnp

    weights = {name: jnp.asarray(w) for name, w in NETWORK.weights_inwards().items()}
    forward, row = jax.jit(NETWORK.forward), jnp.asarray(NETWORK.rows(1, 1)[0])
    return lambda: forward(weights, row).block_until_ready()


def main() -> None:
    """The native call under 5 us; the public one at most half of PyTorch's."""
    where = {name: f"benchmarks.prediction:{name}" for name in LABELS}
    race = attempt(where, repeats=2000)
    found = race.seconds
    remarks = {"public": slower(found, "torch", "public", PUBLIC)}
    if "native" in found:
        remarks["native"] = f"microseconds: {NATIVE.verdict(found['native'] * 1e6)}"
    print("Predicting one row with 8-64-64-1; PyTorch over ours")
    print(table(LABELS, found, race.failures, remarks))

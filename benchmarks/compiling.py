"""How long a training step takes to be compiled: recorded and made machine code, or JAX's lower and
compile, each in a fresh process. Cold is with an empty cache of objects, warm with a full one.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable
from importlib import import_module
from typing import Any

from benchmarks import contenders
from benchmarks.goals import Goal, slower, table
from benchmarks.harness import FailedError, once
from benchmarks.networks import NETWORKS

ROUNDS = 3
GOAL = Goal(2, 5)
LABELS = {"cold": "chainrule, cold", "warm": "chainrule, warm", "jax": "JAX"}


def chainrule(name: str) -> Callable[[], Any]:
    """Record the step and make it machine code."""
    import_module("chainrule.compiler.native")  # importing is not compiling
    network = NETWORKS[name]
    step, rows = contenders.chainrule_step(network), network.rows(batches=1)
    return lambda: step.variant(*rows).run


def jax(name: str) -> Callable[[], Any]:
    """Lower and compile a jitted step; JAX itself is up and running."""
    import jax
    import jax.numpy as jnp

    network = NETWORKS[name]
    step, carry = contenders.jax_step(network)
    x, y = map(jnp.asarray, network.rows(batches=1))
    chosen = jnp.arange(network.batch)
    return lambda: jax.jit(step, donate_argnums=0).lower(carry, x, y, chosen).compile()


def main(arguments: list[str] | None = None) -> None:
    """At most half of JAX's time, aim a fifth."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks compiling")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", default="", help="networks whose names contain this")
    chosen = parser.parse_args(arguments or [])
    print("Compiling a training step; JAX over ours")
    for name, network in NETWORKS.items():
        if chosen.only in name:
            found, failures = _measured(name, chosen.rounds)
            remarks = {kind: slower(found, "jax", kind, GOAL) for kind in ("cold", "warm")}
            print(f"\n{network.title}")
            print(table(LABELS, found, failures, remarks), flush=True)


def _measured(name: str, rounds: int) -> tuple[dict[str, float], dict[str, str]]:
    """Medians by kind, in turns; and why one failed."""
    seconds: dict[str, list[float]] = {kind: [] for kind in LABELS}
    failures: dict[str, str] = {}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            for kind, contender in (("cold", "chainrule"), ("warm", "chainrule"), ("jax", "jax")):
                try:
                    where = f"benchmarks.compiling:{contender} {name}"
                    seconds[kind].append(once(where, {"CHAINRULE_CACHE": folder}))
                except FailedError as failure:
                    failures[kind] = str(failure)
    found = {k: statistics.median(s) for k, s in seconds.items() if k not in failures}
    return found, failures

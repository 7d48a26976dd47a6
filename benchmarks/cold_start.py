"""From nothing to the first training step of 8-64-64-1: import, build, compile, step; whole
processes. chainrule's cold start has an empty cache of objects, its warm one a full one.
"""

from __future__ import annotations

import sys
import tempfile
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.goals import Goal, slower, table
from benchmarks.harness import whole_processes

ROUNDS = 5
GOAL = Goal(4, 10)
LABELS = {
    "cold": "chainrule, cold",
    "warm": "chainrule, warm",
    "torch": "PyTorch",
    "jax": "JAX",
}


def _rows() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return tuple(rng.standard_normal((32, width), dtype="float32") for width in (8, 1))


def _step(library: Any, **settings: Any) -> Any:
    """The step in PyTorch's words."""
    nn = library.nn
    model = nn.Sequential(
        *(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
    )
    criterion = nn.MSELoss()
    optimizer = library.optim.Adam(model.parameters(), lr=1e-3, **settings)

    def step(x: Any, y: Any) -> Any:
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step


def chainrule() -> None:
    import chainrule as cr

    x, y = _rows()
    cr.compile(_step(cr), "native")(cr.from_numpy(x), cr.from_numpy(y)).item()


def torch() -> None:
    import torch

    x, y = _rows()
    _step(torch, fused=True)(torch.from_numpy(x), torch.from_numpy(y)).item()


def jax() -> None:
    import jax
    import jax.numpy as jnp
    import optax

    rng, sizes = np.random.default_rng(0), (8, 64, 64, 1)
    weights = [
        (rng.uniform(-1, 1, (n, m)).astype("float32") / n**0.5, np.zeros(m, "float32"))
        for n, m in pairwise(sizes)
    ]
    adam = optax.adam(1e-3)

    def loss_of(weights: Any, x: Any, y: Any) -> Any:
        for w, b in weights[:-1]:
            x = jax.nn.relu(x @ w + b)
        return jnp.mean((x @ weights[-1][0] + weights[-1][1] - y) ** 2)

    @jax.jit
    def step(weights: Any, state: Any, x: Any, y: Any) -> Any:
        loss, slopes = jax.value_and_grad(loss_of)(weights, x, y)
        updates, state = adam.update(slopes, state)
        return optax.apply_updates(weights, updates), state, loss

    step(weights, jax.jit(adam.init)(weights), *_rows())[2].block_until_ready()


def main() -> None:
    """At most a quarter of PyTorch's time, aim a tenth."""
    processes = {kind: ["-m", "benchmarks.cold_start", kind] for kind in ("torch", "jax")}
    ours = ["-m", "benchmarks.cold_start", "chainrule"]
    with tempfile.TemporaryDirectory() as folder:
        caches = {"cold": "/dev/null/none", "warm": folder}  # one can be neither read nor written
        found, failures = whole_processes(
            {"cold": ours, "warm": ours, **processes},
            ROUNDS,
            {name: {"CHAINRULE_CACHE": path} for name, path in caches.items()},
        )
    print("Import, build, compile and one step of 8-64-64-1, whole processes; PyTorch over ours")
    remarks = {name: slower(found, "torch", name, GOAL) for name in caches}
    print(table(LABELS, found, failures, remarks))


if __name__ == "__main__":
    {"chainrule": chainrule, "torch": torch, "jax": jax}[sys.argv[1]]()

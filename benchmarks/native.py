"""Training steps as machine code beside PyTorch and JAX: fully connected networks with Adam.

Each contender runs an epoch of 64 batches in the order of a NumPy permutation, at its best: we in
one native call, PyTorch eager with fused Adam, JAX by the quicker of jit(scan) and a jitted call a
step. chainrule runs on one thread today; the peers take the threads they are given.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.harness import race

BATCHES = 64
NETWORKS: dict[str, tuple[tuple[int, ...], int]] = {
    "8-64-64-1, batch 32": ((8, 64, 64, 1), 32),
    "8-256-256-1, batch 256": ((8, 256, 256, 1), 256),
    "784-512-256-10, batch 128": ((784, 512, 256, 10), 128),
}


def _data(sizes: tuple[int, ...], batch: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    rows = batch * BATCHES
    x = rng.standard_normal((rows, sizes[0])).astype("float32")
    return x, rng.standard_normal((rows, sizes[-1])).astype("float32")


def _torch_like(torch: Any, sizes: tuple[int, ...]) -> Any:
    layers = []
    for wide, narrow in pairwise(sizes):
        layers += [torch.nn.Linear(wide, narrow), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def _chainrule(name: str) -> Callable[[], Any]:
    import chainrule as cr
    from chainrule.compile.epoch import run_epoch

    sizes, batch = NETWORKS[name]
    x, y = _data(sizes, batch)
    network, criterion = _torch_like(cr, sizes), cr.nn.MSELoss()
    optimizer = cr.optim.Adam(network.parameters(), lr=1e-3)

    def step(x: Any, y: Any) -> Any:
        loss = criterion(network(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    compiled, rng = cr.compile(step, "native"), np.random.default_rng(1)
    return lambda: run_epoch(compiled, [x, y], rng.permutation(len(x)), batch)


def _torch(name: str, threads: int) -> Callable[[], Any]:
    import torch

    torch.set_num_threads(threads)
    sizes, batch = NETWORKS[name]
    x, y = map(torch.from_numpy, _data(sizes, batch))
    network, criterion = _torch_like(torch, sizes), torch.nn.MSELoss()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
    rng = np.random.default_rng(1)

    def epoch() -> None:
        for rows in torch.from_numpy(rng.permutation(len(x))).split(batch):
            loss = criterion(network(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return epoch


def _jax(name: str, scanned: bool) -> Callable[[], Any]:
    import jax
    import jax.numpy as jnp
    import optax

    sizes, batch = NETWORKS[name]
    x, y = map(jnp.asarray, _data(sizes, batch))
    rng = np.random.default_rng(1)
    weights = [
        (
            jnp.asarray(rng.uniform(-1, 1, (a, b)) / a**0.5, "float32"),
            jnp.zeros(b, "float32"),
        )
        for a, b in pairwise(sizes)
    ]
    adam = optax.adam(1e-3)

    def loss_of(weights: Any, x: Any, y: Any) -> Any:
        for w, b in weights[:-1]:
            x = jax.nn.relu(x @ w + b)
        w, b = weights[-1]
        return jnp.mean((x @ w + b - y) ** 2)

    def step(carry: Any, rows: Any) -> Any:
        weights, state = carry
        loss, slopes = jax.value_and_grad(loss_of)(weights, x[rows], y[rows])
        updates, state = adam.update(slopes, state)
        return (optax.apply_updates(weights, updates), state), loss

    held = [(weights, adam.init(weights))]
    whole = jax.jit(lambda carry, orders: jax.lax.scan(step, carry, orders))
    single = jax.jit(step)

    def epoch() -> None:
        orders = rng.permutation(len(x)).reshape(BATCHES, batch)
        if scanned:
            held[0], losses = whole(held[0], orders)
        else:
            for rows in orders:
                held[0], losses = single(held[0], rows)
        losses.block_until_ready()

    return epoch


CONTENDERS = {}
for _place, _name in enumerate(NETWORKS):
    CONTENDERS |= {
        f"chainrule{_place}": partial(_chainrule, _name),
        f"torch{_place}": partial(_torch, _name, 2),
        f"scan{_place}": partial(_jax, _name, True),
        f"jit{_place}": partial(_jax, _name, False),
    }
globals().update(CONTENDERS)


def main() -> None:
    """The time of a step of each, and how many times longer the peers take."""
    print("A training step (forward, loss, backward, Adam), microseconds:")
    print(f"  {'network':<28}{'chainrule':>10}{'PyTorch':>10}{'JAX':>10}   times ours")
    for place, name in enumerate(NETWORKS):
        names = [f"{kind}{place}" for kind in ("chainrule", "torch", "scan", "jit")]
        found = race({n: f"benchmarks.native:{n}" for n in names}, repeats=2, rounds=7, threads=2)
        ours, torch, scan, jit = (found[n] / BATCHES * 1e6 for n in names)
        jax = min(scan, jit)
        print(
            f"  {name:<28}{ours:>10.1f}{torch:>10.1f}{jax:>10.1f}"
            f"   PyTorch {torch / ours:.1f}, JAX {jax / ours:.1f}"
        )

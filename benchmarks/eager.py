"""The tutorial's loop run eagerly, beside PyTorch, and what an op costs above NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.harness import race

OPS = ("add", "exp", "sum", "contract", "where")


def _rows() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    x = np.linspace(-3, 3, 100, dtype="float32").reshape(100, 1)
    return x, (2 * x + 1 + 0.3 * rng.standard_normal((100, 1))).astype("float32")


def _tutorial(torch: Any) -> Callable[[], None]:
    """One epoch of L30: forward, loss, zero_grad, backward, step on 100 points."""
    inputs, targets = map(torch.from_numpy, _rows())
    model = torch.nn.Linear(1, 1)
    criterion = torch.nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)

    def epoch() -> None:
        loss = criterion(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return epoch


def chainrule_tutorial() -> Callable[[], None]:
    import chainrule

    return _tutorial(chainrule)


def torch_tutorial() -> Callable[[], None]:
    import torch

    torch.set_num_threads(1)
    return _tutorial(torch)


def numpy_tutorial() -> Callable[[], None]:
    """The same NumPy calls, without anything around them."""
    x, y = _rows()
    w, bias, rate = np.ones((1, 1), "float32"), np.ones(1, "float32"), np.float32(0.05)

    def epoch() -> None:
        apart = np.subtract(np.add(x.dot(w.T), bias), y)
        np.multiply(np.add.reduce(np.square(apart), axis=(0, 1)), 0.01)
        g = np.empty((100, 1), "float32")
        g[...] = np.multiply(np.float32(1), 0.01)
        g = np.multiply(g, np.multiply(apart, 2.0))
        g_bias, g_w = np.add.reduce(g, axis=(0,)), g.T.dot(x)
        np.subtract(w, np.multiply(g_w, rate))
        np.subtract(bias, np.multiply(g_bias, rate))

    return epoch


def tutorial() -> None:
    """The loop of L30 against PyTorch's: must be no slower, the aim is 0.55 of its time.

    Above NumPy, everything counted (modules, sweep, update): must 2.5 us an op, aim 1.5 us.
    """
    found = race(
        {
            "chainrule": "benchmarks.eager:chainrule_tutorial",
            "PyTorch": "benchmarks.eager:torch_tutorial",
            "NumPy": "benchmarks.eager:numpy_tutorial",
        },
        repeats=500,
    )
    print("The tutorial's epoch (L30), eager, one thread:")
    for name, seconds in found.items():
        print(f"  {name:<10} {seconds * 1e6:6.1f} us")
    print(f"  chainrule takes {found['chainrule'] / found['PyTorch']:.2f} of PyTorch's time")
    count = _instructions()
    above = (found["chainrule"] - found["NumPy"]) / count
    print(f"  {above * 1e6:.2f} us above NumPy for each of {count} instructions")


def _instructions() -> int:
    """How many instructions L30's step is."""
    import chainrule as cr

    model, criterion = cr.nn.Linear(1, 1), cr.nn.MSELoss()
    optimizer = cr.optim.SGD(model.parameters(), lr=0.05)

    def step(x: Any, y: Any) -> Any:
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return len(cr.compile(step).program(*map(cr.from_numpy, _rows())).instructions)


def _operands() -> tuple[Any, Any, Any, Any]:
    a, _ = _rows()
    return a, np.ones(1, "float32"), np.ones((1, 1), "float32"), a > 0


def numpy_op(name: str) -> Callable[[], Any]:
    a, b, w, chosen = _operands()
    calls: dict[str, Callable[[], Any]] = {
        "add": lambda: np.add(a, b),
        "exp": lambda: np.exp(a),
        "sum": lambda: np.add.reduce(a, axis=(0, 1)),
        "contract": lambda: a.dot(w.T),
        "where": lambda: np.where(chosen, a, 0.0),
    }
    return calls[name]


def chainrule_op(name: str) -> Callable[[], Any]:
    import chainrule as cr
    from chainrule.ops.contract import contract
    from chainrule.ops.pointwise import add, exp, where
    from chainrule.ops.reduce import sum as total

    data, b, w, chosen = map(cr.from_numpy, _operands())
    a = cr.tensor(data, requires_grad=True) * 1.0
    calls: dict[str, Callable[[], Any]] = {
        "add": lambda: add(a, b),
        "exp": lambda: exp(a),
        "sum": lambda: total(a, axes=(0, 1)),
        "contract": lambda: contract(a, w, dims="bi,oi->bo"),
        "where": lambda: where(chosen, a, 0.0),
    }
    return calls[name]


def torch_op(name: str) -> Callable[[], Any]:
    import torch

    torch.set_num_threads(1)
    data, b, w, chosen = map(torch.from_numpy, _operands())
    a = data.requires_grad_() * 1.0
    calls: dict[str, Callable[[], Any]] = {
        "add": lambda: torch.add(a, b),
        "exp": lambda: torch.exp(a),
        "sum": lambda: torch.sum(a, (0, 1)),
        "contract": lambda: torch.matmul(a, w.T),
        "where": lambda: torch.where(chosen, a, 0.0),
    }
    return calls[name]


def overhead() -> None:
    """What a tracked op costs above the same NumPy call: must 2.5 us, aim 1.5 us.

    An absolute time depends on the processor's clock: PyTorch's for the same op is the yardstick.
    """
    print("An op in forward, tracked, in us:   above NumPy   NumPy   PyTorch")
    for name in OPS:
        kinds = ("numpy", "chainrule", "torch")
        found = race({kind: f"benchmarks.eager:{kind}_op {name}" for kind in kinds}, repeats=5000)
        plain, ours, theirs = (found[kind] * 1e6 for kind in kinds)
        print(f"  {name:<10} {ours - plain:35.2f} {plain:7.2f} {theirs:9.2f}")


def main() -> None:
    tutorial()
    overhead()

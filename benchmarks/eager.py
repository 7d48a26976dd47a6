"""The tutorial's loop run eagerly, beside PyTorch, and what an op costs above NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.harness import in_turns, race


def _tutorial(torch: Any) -> Callable[[], None]:
    """One epoch of L30: forward, loss, zero_grad, backward, step on 100 points."""
    rng = np.random.default_rng(0)
    x = np.linspace(-3, 3, 100, dtype="float32").reshape(100, 1)
    y = (2 * x + 1 + 0.3 * rng.standard_normal((100, 1))).astype("float32")
    inputs, targets = torch.from_numpy(x), torch.from_numpy(y)
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


def tutorial() -> None:
    """The loop of L30 against PyTorch's: must be no slower, the aim is 0.55 of its time."""
    found = race(
        {
            "chainrule": "benchmarks.eager:chainrule_tutorial",
            "PyTorch": "benchmarks.eager:torch_tutorial",
        },
        repeats=500,
    )
    print("The tutorial's epoch (L30), eager, one thread:")
    for name, seconds in found.items():
        print(f"  {name:<10} {seconds * 1e6:6.1f} us")
    print(f"  chainrule takes {found['chainrule'] / found['PyTorch']:.2f} of PyTorch's time")


def overhead() -> None:
    """What a tracked op costs above the same NumPy call: must 2.5 us, aim 1.5 us."""
    import chainrule as cr
    from chainrule.ops.contract import contract
    from chainrule.ops.pointwise import add, exp, mul, where
    from chainrule.ops.reduce import sum as total

    rng = np.random.default_rng(0)
    a = rng.standard_normal((100, 1)).astype("float32")
    b = rng.standard_normal(1).astype("float32")
    w = np.ones((1, 1), "float32")
    tracked = mul(cr.tensor(a, requires_grad=True), 1.0)
    chosen = a > 0
    other, weight, mask = cr.from_numpy(b), cr.from_numpy(w), cr.from_numpy(chosen)
    cases: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "add": (lambda: np.add(a, b), lambda: add(tracked, other)),
        "exp": (lambda: np.exp(a), lambda: exp(tracked)),
        "sum": (lambda: np.add.reduce(a, axis=(0, 1)), lambda: total(tracked, axes=(0, 1))),
        "contract": (
            lambda: np.matmul(a, w.T),
            lambda: contract(tracked, weight, dims="bi,oi->bo"),
        ),
        "where": (lambda: np.where(chosen, a, 0.0), lambda: where(mask, tracked, 0.0)),
    }
    print("An op in forward, tracked, above the same NumPy call:")
    for name, (plain, ours) in cases.items():
        numpy_time, time = in_turns(plain, ours, repeats=5000)
        print(f"  {name:<10} {(time - numpy_time) * 1e6:5.2f} us above {numpy_time * 1e6:5.2f} us")
    _whole_step()


def _whole_step() -> None:
    """Everything counted: modules, sweep and update of L30's epoch, per op."""
    import chainrule as cr

    rng = np.random.default_rng(0)
    x = np.linspace(-3, 3, 100, dtype="float32").reshape(100, 1)
    y = (2 * x + 1 + 0.3 * rng.standard_normal((100, 1))).astype("float32")
    w, bias, rate = np.ones((1, 1), "float32"), np.ones(1, "float32"), np.float32(0.05)

    def by_hand() -> None:
        """The same NumPy calls, without anything around them."""
        apart = np.subtract(np.add(np.matmul(x, w.T), bias), y)
        np.multiply(np.add.reduce(np.square(apart), axis=(0, 1)), 0.01)
        g = np.empty((100, 1), "float32")
        g[...] = np.multiply(np.float32(1), 0.01)
        g = np.multiply(g, np.multiply(apart, 2.0))
        g_bias, g_w = np.add.reduce(g, axis=(0,)), np.matmul(g.T, x)
        np.subtract(w, np.multiply(g_w, rate))
        np.subtract(bias, np.multiply(g_bias, rate))

    program = cr.compile(chainrule_step(cr)).program(cr.from_numpy(x), cr.from_numpy(y))
    plain, ours = in_turns(by_hand, _tutorial(cr), repeats=500)
    count = len(program.instructions)
    print(
        f"  a whole step: {(ours - plain) / count * 1e6:.2f} us above NumPy for each of {count} "
        f"instructions ({ours * 1e6:.1f} us, of which NumPy {plain * 1e6:.1f})"
    )


def chainrule_step(cr: Any) -> Callable[[Any, Any], Any]:
    """L30's step as a function, to count its ops."""
    model, criterion = cr.nn.Linear(1, 1), cr.nn.MSELoss()
    optimizer = cr.optim.SGD(model.parameters(), lr=0.05)

    def step(x: Any, y: Any) -> Any:
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step


def main() -> None:
    tutorial()
    overhead()

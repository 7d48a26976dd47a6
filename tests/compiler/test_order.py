"""The order of kernels: valid, and what frees memory comes as soon as it can."""

from __future__ import annotations

from typing import Any

import numpy as np

import chainrule as cr
from chainrule.compiler.fuse import Fused, fuse
from chainrule.compiler.groups import Kernel
from chainrule.compiler.native import NativeProgram
from chainrule.compiler.passes import passed
from chainrule.core.record import record
from chainrule.core.value import Symbol
from chainrule.nn import Linear, ReLU, Sequential
from chainrule.nn import functional as F
from chainrule.optim import Adam
from chainrule.spec import Spec


def fused(program: Any) -> Fused:
    return fuse(list(passed(program).values())[-1])


def training_step() -> Any:
    """A step of three layers under Adam."""
    network = Sequential(Linear(8, 32), ReLU(), Linear(32, 32), ReLU(), Linear(32, 4))
    optimizer = Adam(network.parameters())

    def step(x: Any, y: Any) -> tuple[Any, ...]:
        loss = ((network(x) - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return (loss,)

    program, _ = record(step, [Spec((16, 8), cr.float32), Spec((16, 4), cr.float32)])
    return program


def reads(found: Fused, kernel: Kernel, symbol: Symbol) -> bool:
    read = (s for made in kernel.members for s in made.inputs if isinstance(s, Symbol))
    return any(found.base(s) is symbol for s in read)


def test_nobody_reads_an_old_value_after_the_new_one_is_written() -> None:
    program = training_step()
    found = fused(program)
    for name, new in found.program.assigns.items():
        old = found.program.reads[name]
        (maker,) = [i for i, k in enumerate(found.kernels) if new in k.stores]
        assert not any(reads(found, k, old) for k in found.kernels[maker + 1 :])
    assert len(NativeProgram(program).memory.in_place) == len(program.assigns)


def test_an_update_runs_when_its_layer_has_its_gradient() -> None:
    found = fused(training_step())
    reads_of, assigns = found.program.reads, found.program.assigns
    at = {
        name: i
        for name, new in assigns.items()
        for i, kernel in enumerate(found.kernels)
        if new in kernel.stores
    }
    first, *_, last = sorted((n for n in at if n.endswith("weight")), key=at.__getitem__)
    between = found.kernels[at[first] + 1 : at[last]]
    assert reads_of[first].shape == (4, 32)  # of the layer that gradients reach first
    assert reads_of[last].shape == (32, 8)
    assert any(k.root is not None and not set(k.stores) & set(assigns.values()) for k in between)


def test_where_the_largest_was_is_found_while_it_is_at_hand() -> None:
    weight = cr.Cell(np.ones((8, 1, 3, 3), np.float32), "weight", True)

    def step(x: Any) -> tuple[Any, ...]:
        pooled = F.max_pool2d(cr.relu(F.conv2d(x, weight)), 2)
        loss = cr.exp(pooled).sum()
        return loss, cr.grad(loss, [weight])[0]

    program, _ = record(step, [Spec((4, 1, 18, 18), cr.float32)])
    found = fused(program)
    made = [(i, s) for i, k in enumerate(found.kernels) for s in k.stores if s.dtype == np.float32]
    _, windows = max(made, key=lambda one: one[1].size)
    (end,) = [i for i, k in enumerate(found.kernels) if found.program.returns[0] in k.stores]
    readers = [i for i, kernel in enumerate(found.kernels) if reads(found, kernel, windows)]
    assert len(readers) > 1
    assert max(readers) < end

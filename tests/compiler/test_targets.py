"""The same programs for processors that this machine is not: they compile, here without running."""

from __future__ import annotations

import struct
from typing import Any

import llvmlite.binding as llvm
import numpy as np
import pytest

import chainrule as cr
from chainrule.compiler import kernels
from chainrule.compiler.llvm import Host, host
from chainrule.compiler.native import NativeProgram

ELF_MACHINES = {"x86_64": 62, "aarch64": 183}


def programs() -> list[Any]:
    """A training step of layers of every kind of kernel, and a recurrence."""
    net = cr.nn.Sequential(
        cr.nn.Linear(9, 33), cr.nn.LayerNorm(33), cr.nn.GELU(), cr.nn.Dropout(), cr.nn.Linear(33, 3)
    )
    optimizer = cr.optim.AdamW(net.parameters())
    criterion = cr.nn.CrossEntropyLoss()

    def step(x: Any, y: Any) -> Any:
        loss = criterion(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    def recurrence(x: Any, h: Any, w: Any) -> Any:
        return cr.scan(lambda h, row: ((row + h @ w).tanh(), h.sin()), h, x)[1]

    x, y = cr.zeros((7, 9)), cr.tensor(np.zeros(7, np.int64))
    shapes = [(5, 2, 3), (2, 3), (3, 3)]
    return [
        cr.compile(step).program(x, y),
        cr.compile(recurrence).program(*(cr.zeros(shape) for shape in shapes)),
    ]


def machine_of(code: bytes) -> int:
    assert code[:4] == b"\x7fELF"
    found: int = struct.unpack_from("<H", code, 18)[0]
    return found


@pytest.mark.parametrize(
    ("triple", "processor", "width", "registers"),
    [
        ("aarch64-unknown-linux-gnu", "generic", 16, 32),
        ("x86_64-unknown-linux-gnu", "x86-64", 16, 16),
        ("x86_64-unknown-linux-gnu", "x86-64-v3", 32, 16),
        ("x86_64-unknown-linux-gnu", "x86-64-v4", 64, 32),
    ],
)
def test_programs_compile_for_other_processors(
    monkeypatch: pytest.MonkeyPatch, triple: str, processor: str, width: int, registers: int
) -> None:
    here = host()
    other = Host(here.name, here.features, width, registers)
    monkeypatch.setattr(kernels, "host", lambda: other)
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple(triple).create_target_machine(cpu=processor, opt=2)
    for program in programs():
        module = llvm.parse_assembly(NativeProgram(program).library.text)
        module.triple = triple
        module.verify()
        code = machine.emit_object(module)
        assert machine_of(code) == ELF_MACHINES[triple.partition("-")[0]]

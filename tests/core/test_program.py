"""A Program as text, checked, and as JSON there and back."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.core.interpret import interpret
from chainrule.core.op import CALLS, OPS
from chainrule.core.program import Instruction, Program
from chainrule.core.record import mark, record
from chainrule.core.value import Symbol
from chainrule.errors import ProgramError
from chainrule.ops.scan import record_body, repeat
from chainrule.spec import Spec

F32 = np.dtype("float32")


def two_layers() -> tuple[Program, dict[str, cr.Cell]]:
    """A step of gradient descent on two layers, written by hand on cells."""
    rng = np.random.default_rng(0)
    cells = {
        name: cr.Parameter(rng.standard_normal(shape).astype("float32"), name=name)
        for name, shape in {"w1": (3, 4), "b1": (4,), "w2": (4, 1)}.items()
    }
    rate = cr.Cell(np.float64(0.1), "rate")
    w1, b1, w2 = cells.values()

    def step(x: Any, y: Any) -> tuple[Any, ...]:
        hidden = (x @ w1 + b1).relu()
        with mark(phase="loss"):
            loss = (hidden @ w2 - y).square().mean()
        loss.backward()
        with mark(phase="update"), cr.no_grad():
            for cell in (w1, b1, w2):
                cell -= rate * cell.grad
                cell.grad = None
        return (loss,)

    program, _ = record(step, [Spec((5, 3), F32), Spec((5, 1), F32)])
    return program, {**cells, "rate": rate}


LISTING = """\
args      %1: f32[5,3]  %2: f32[5,1]
reads     %3: f32[3,4] = w1  %5: f32[4] = b1  %9: f32[4,1] = w2  %26: f64[] = rate
  %4: f32[5,4] = contract(%1, %3, dims=ik,kj->ij)        forward
  %6: f32[5,4] = broadcast_to(%5, shape=(5, 4))          forward
  %7: f32[5,4] = add(%4, %6)                             forward
  %8: f32[5,4] = relu(%7)                                forward
  %10: f32[5,1] = contract(%8, %9, dims=ik,kj->ij)       loss
  %11: f32[5,1] = sub(%10, %2)                           loss
  %12: f32[5,1] = square(%11)                            loss
  %13: f32[] = sum(%12, axes=(0, 1))                     loss
  %14: f32[] = div(%13, 5)                               loss
  %15: f32[] = full(shape=(), value=1.0, dtype=float32)  backward
  %16: f32[] = div(%15, 5)                               backward
  %17: f32[5,1] = broadcast_to(%16, shape=(5, 1))        backward
  %18: f32[5,1] = mul(%11, 2.0)                          backward
  %19: f32[5,1] = mul(%17, %18)                          backward
  %20: f32[5,4] = contract(%19, %9, dims=ij,kj->ik)      backward
  %21: f32[4,1] = contract(%19, %8, dims=ij,ik->kj)      backward
  %22: bool[5,4] = less_equal(%8, 0.0)                   backward
  %23: f32[5,4] = where(%22, 0.0, %20)                   backward
  %24: f32[4] = sum(%23, axes=(0,))                      backward
  %25: f32[3,4] = contract(%23, %1, dims=ij,ik->kj)      backward
  %27: f32[] = cast(%26, dtype=float32)                  update
  %28: f32[3,4] = broadcast_to(%27, shape=(3, 4))        update
  %29: f32[3,4] = mul(%28, %25)                          update
  %30: f32[3,4] = sub(%3, %29)                           update
  %31: f32[] = cast(%26, dtype=float32)                  update
  %32: f32[4] = broadcast_to(%31, shape=(4,))            update
  %33: f32[4] = mul(%32, %24)                            update
  %34: f32[4] = sub(%5, %33)                             update
  %35: f32[] = cast(%26, dtype=float32)                  update
  %36: f32[4,1] = broadcast_to(%35, shape=(4, 1))        update
  %37: f32[4,1] = mul(%36, %21)                          update
  %38: f32[4,1] = sub(%9, %37)                           update
assigns   w1 = %30  b1 = %34  w2 = %38
returns   %14"""


def without_lines(text: str) -> str:
    return "\n".join(line.split("  test_program.py:")[0].rstrip() for line in text.splitlines())


def test_listing() -> None:
    assert without_lines(two_layers()[0].listing()) == LISTING


def test_lines_are_the_users() -> None:
    program, _ = two_layers()
    lines = {made.line.partition(":")[0] for made in program.instructions}
    assert lines == {"test_program.py"}
    forward = {m.line for m in program.instructions if m.phase == "forward"}
    backward = {m.line for m in program.instructions if m.phase == "backward"}
    assert forward & backward, "a backward instruction carries the line it differentiates"


def run_twice(program: Program, cells: dict[str, cr.Cell]) -> list[Any]:
    rng = np.random.default_rng(1)
    x, y = (rng.standard_normal(shape).astype("float32") for shape in ((5, 3), (5, 1)))
    return [interpret(program, [x, y])[0] for _ in range(2)] + [c.held() for c in cells.values()]


def test_json_there_and_back() -> None:
    program, cells = two_layers()
    saved = Program.from_json(program.to_json(), copy.deepcopy(cells).values())
    assert saved.listing() == program.listing()
    assert saved.to_json() == program.to_json()
    for ours, theirs in zip(run_twice(program, cells), run_twice(saved, saved.cells), strict=False):
        np.testing.assert_array_equal(ours, theirs)


def all_sorts() -> Program:
    """Captured and constant arrays of every dtype, odd floats, numbers, a scan in a scan."""
    outside = cr.tensor(np.array([1.5, np.nan, -np.inf]))
    zero_d, empty = cr.tensor(np.float64(2.5)), cr.tensor(np.zeros((0, 3), "float32"))

    def step(x: Any, flags: Any) -> tuple[Any, ...]:
        made = [cr.tensor(np.arange(3).astype(d)) for d in ("bool", "uint8", "int32", "float64")]
        filled = [
            CALLS["full"](shape=(2,), value=value, dtype="float64")
            for value in (np.inf, -np.inf, np.nan, -0.0, 1e-300)
        ]

        def inner(c: Any, e: Any) -> tuple[Any, ...]:
            return ((c * e * zero_d).tanh(), c + e)

        def outer(c: Any, row: Any) -> tuple[Any, ...]:
            body, shared = record_body(inner, [c], [row])
            last, outs = repeat(body, [c], [row], shared, 3)
            return (last + outside.sum() * 0.0, outs)

        body, shared = record_body(outer, [x[0, 0]], [x])
        last, outs = repeat(body, [x[0, 0]], [x], shared, 2)
        return (last, outs, x * outside, *made, *filled, empty, 7, True, 2.5, flags)

    program, _ = record(step, [Spec((2, 3), np.dtype("float64")), Spec((2,), np.dtype(bool))])
    return program


def test_json_of_all_sorts() -> None:
    program = all_sorts()
    saved = Program.from_json(program.verify().to_json())
    assert saved.listing() == program.listing()
    x, flags = np.random.default_rng(0).standard_normal((2, 3)), np.array([True, False])
    for ours, theirs in zip(
        interpret(program, [x, flags]), interpret(saved, [x, flags]), strict=True
    ):
        assert type(ours) is type(theirs) or np.asarray(ours).dtype == np.asarray(theirs).dtype
        np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_array_equal(np.signbit(ours), np.signbit(theirs))
    json.loads(program.to_json(), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def test_json_of_what_cannot_be_saved() -> None:
    program, _ = record(lambda x: (x + 1,), [Spec((2,), F32)])
    program.instructions[0].settings = {"what": object()}
    with pytest.raises(ProgramError, match="cannot be saved"):
        program.to_json()


# -- verify


def small() -> Program:
    kept = cr.tensor([1.0, 2.0])
    cell = cr.Cell(np.ones(2, "float32"), "cell")

    def step(x: Any) -> tuple[Any, ...]:
        cell.assign(cell + x)
        return (x.exp() + kept + cr.tensor([3.0, 4.0]), x.sum())

    return record(step, [Spec((2,), F32)])[0]


def damage(change: Any) -> str:
    program = small()
    program.verify()
    change(program)
    with pytest.raises(ProgramError) as caught:
        program.verify()
    return str(caught.value)


def stray(shape: tuple[int, ...] = (2,), dtype: str = "float32") -> Symbol:
    return Symbol(shape, np.dtype(dtype), 99)


def replaced(values: tuple[Any, ...], at: int, by: Any) -> tuple[Any, ...]:
    return (*values[:at], by, *values[at + 1 :])


DAMAGE: dict[str, Any] = {
    "before anything made it": lambda p: p.instructions.reverse(),
    "reads %99 before": lambda p: setattr(p.instructions[0], "inputs", (stray(), stray())),
    "neither a value nor a number": lambda p: setattr(p.instructions[0], "inputs", ("a", None)),
    "unknown phase": lambda p: setattr(p.instructions[0], "phase", "sideways"),
    "exists already": lambda p: setattr(p.instructions[1], "outputs", p.instructions[0].outputs),
    "is not a value": lambda p: setattr(p.instructions[0], "outputs", (3,)),
    "wrong outputs": lambda p: setattr(p.instructions[0], "outputs", (stray((3,)),)),
    "gives out %99": lambda p: p.returns.append(stray()),
    "changes its shape or dtype": lambda p: p.assigns.update(cell=p.returns[1]),
    "not what it says": lambda p: p.captured.update({s: np.ones(3) for s in p.captured}),
    "does not fit its op": lambda p: setattr(p.instructions[-1], "settings", {"axes": (4,)}),
    "unexpected keyword": lambda p: setattr(p.instructions[0], "settings", {"colour": 3}),
    "another number of inputs": lambda p: setattr(
        p.instructions[0], "inputs", p.instructions[0].inputs[:1]
    ),
    "an input of the program": lambda p: p.args.append(p.args[0]),
    "is pointwise": lambda p: p.args.append(wider(p)),
}


def wider(program: Program) -> Symbol:
    """Slip an input of another dtype under a pointwise instruction."""
    other = stray(dtype="float64")
    made = program.instructions[0]
    made.inputs = replaced(made.inputs, 0, other)
    out = made.outputs[0]
    out.dtype = np.dtype("float64")
    for later in program.instructions[1:]:
        if out in later.inputs:
            pytest.fail("the example changed: the first instruction's output is used")
    program.assigns.clear()
    return other


@pytest.mark.parametrize("words", DAMAGE)
def test_verify_finds(words: str) -> None:
    assert words in damage(DAMAGE[words])


def test_verify_looks_into_bodies() -> None:
    program = all_sorts()
    [scan] = [made for made in program.instructions if made.op.name == "scan"]
    body = scan.settings["body"]
    body.instructions[0].phase = "sideways"
    with pytest.raises(ProgramError, match="unknown phase"):
        program.verify()


def test_verify_holds_a_scan_to_its_body() -> None:
    program = all_sorts()
    [scan] = [made for made in program.instructions if made.op.name == "scan"]
    body = scan.settings["body"]
    body.args.append(stray((), "float64"))
    with pytest.raises(ProgramError, match="the body of a scan takes"):
        program.verify()


# -- hostile JSON


def mutated(rng: random.Random, packed: Any) -> None:
    """One random change somewhere in a tree of JSON."""
    places: list[tuple[Any, Any]] = []
    todo = [packed]
    while todo:
        node = todo.pop()
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        for key in keys:
            places.append((node, key))
            if isinstance(node[key], dict | list):
                todo.append(node[key])
    node, key = rng.choice(places)
    other_node, other_key = rng.choice(places)
    values: list[Any] = [None, -1, 0, 3, 1e9, True, "", "%1", "%77", "f32[3]", "x", "add", "scan"]
    values += [[], {}, [[]], {"text": "a"}, {"float": "nan"}, {"program": {}}]
    values += [{"spec": "f32[2]", "data": "AAAA"}, copy.deepcopy(other_node[other_key])]
    action = rng.randrange(3)
    if action == 0 and isinstance(node, dict):
        del node[key]
    elif action == 1 and isinstance(node, list):
        node.insert(key, rng.choice(values))
    else:
        node[key] = rng.choice(values)


@pytest.mark.parametrize("source", [small, all_sorts, lambda: two_layers()[0]])
def test_hostile_json_is_refused_or_sound(source: Any) -> None:
    """Whatever is changed: a ProgramError, or a program that verifies and prints."""
    text = source().to_json()
    rng = random.Random(7)
    refused = 0
    for _ in range(300):
        packed = json.loads(text)
        for _ in range(rng.choice([1, 1, 2, 5])):
            mutated(rng, packed)
        try:
            found = Program.from_json(json.dumps(packed))
        except ProgramError:
            refused += 1
        else:
            found.verify().listing()
    assert 100 < refused < 300


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "3",
        '{"format": 1}',
        '{"format": 2}',
        "{" * 9,
        '{"a":' * 2000 + "1" + "}" * 2000,
    ],
)
def test_what_is_no_program(text: str) -> None:
    with pytest.raises(ProgramError):
        Program.from_json(text)


def test_an_unknown_op_is_named_with_the_nearest() -> None:
    text = small().to_json().replace('"op": "exp"', '"op": "expp"')
    with pytest.raises(ProgramError, match="expp") as caught:
        Program.from_json(text)
    assert caught.value.hint == "exp"


def test_cells_are_bound_by_name_and_shape() -> None:
    text = small().to_json()
    with pytest.raises(ProgramError, match="cell does not fit"):
        Program.from_json(text, [cr.Cell(np.ones(3, "float32"), "cell")])
    with pytest.raises(ProgramError, match="not bound to a cell"):
        interpret(Program.from_json(text), [np.ones(2, "float32")])


# -- pruned


def test_pruned() -> None:
    unused, used = cr.tensor([1.0]), cr.tensor([2.0])
    cell = cr.Cell(np.ones(1, "float32"), "cell")

    def step(x: Any) -> tuple[Any, ...]:
        (x * unused).exp() + cr.tensor([9.0])
        kept = x * used
        cell.assign(kept * 3)
        return (kept + 1,)

    program, _ = record(step, [Spec((1,), F32)])
    before = interpret(program, [np.ones(1, "float32")])
    pruned = program.pruned()
    assert [made.op.name for made in pruned.verify().instructions] == ["mul", "mul", "add"]
    assert [raw.tolist() for raw in pruned.captured.values()] == [[2.0]]
    assert not pruned.constants
    cell.fill_(0.0)
    assert interpret(pruned, [np.ones(1, "float32")]) == before
    assert cell.tolist() == [6.0]


def test_a_program_of_nothing() -> None:
    program, _ = record(lambda: (), [])
    assert interpret(Program.from_json(program.to_json()), []) == ()
    assert Instruction(OPS["add"], (), {}).phase == "forward"

"""What recording means: cells, captured tensors and constants, guards, errors, nesting, threads."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.core.interpret import interpret
from chainrule.core.record import mark, record
from chainrule.core.state import RECORDER
from chainrule.errors import GradientError, RecordingError, ShapeError
from chainrule.spec import Spec

ONE = Spec((2,), np.dtype("float32"))
X = np.array([1.0, 2.0], "float32")


def names(fn: Any, *specs: Spec) -> list[str]:
    return [made.op.name for made in record(fn, specs or [ONE])[0].verify().instructions]


# -- cells


def test_a_cell_is_read_by_reference_and_assigned_at_the_end() -> None:
    cell = cr.Cell(X, "cell")

    def step(x: Any) -> tuple[Any, ...]:
        before = cell * 1.0
        cell.assign(cell + x)
        cell.assign(cell + x)
        return (before, cell * 1.0)

    program, _ = record(step, [ONE])
    assert cell.tolist() == [1, 2], "recording assigns nothing"
    cell.fill_(0.0)
    before, after = interpret(program, [X])
    assert (before.tolist(), after.tolist(), cell.tolist()) == ([0, 0], [2, 4], [2, 4])


def test_cells_of_equal_names_are_told_apart() -> None:
    cells = [cr.Cell(np.float32(k), "w") for k in (1.0, 10.0, 100.0)]
    program, _ = record(lambda x: (x * cells[0] + cells[1] * cells[2],), [ONE])
    assert list(program.reads) == ["w", "w#2", "w#3"]
    assert interpret(program, [X])[0].tolist() == [1001, 1002]
    swapped, _ = record(lambda: (cells[0].assign(cells[1]), cells[1].assign(cells[0]))[:0], [])
    interpret(swapped, [])
    assert [cell.item() for cell in cells] == [10, 10, 100]


def test_cells_can_be_exchanged() -> None:
    a, b = cr.Cell(np.float32(1), "a"), cr.Cell(np.float32(2), "b")

    def swap() -> tuple[Any, ...]:
        old = a.detach()
        a.assign(b)
        b.assign(old)
        return ()

    program, _ = record(swap, [])
    assert not program.instructions
    interpret(program, [])
    assert (a.item(), b.item()) == (2, 1)


def test_a_cell_that_is_only_written() -> None:
    cell = cr.Cell(X, "out")
    program, recorder = record(lambda x: (cell.assign(x * 2),)[:0], [ONE])
    interpret(program, [X])
    assert cell.tolist() == [2, 4]


def test_a_cell_is_emptied_and_filled() -> None:
    w = cr.Parameter(X, name="w")
    (w * 3).sum().backward()
    program, _ = record(lambda: (setattr(w, "grad", None),)[:0], [])
    assert w.grad is not None
    interpret(program, [])
    assert w.grad is None
    filled, _ = record(lambda: ((w * 5).sum().backward(),)[:0], [])
    assert w.grad is None
    interpret(filled, [])
    assert w.grad is not None
    assert w.grad.tolist() == [5, 5]


def test_gradients_gathered_before_are_added_to() -> None:
    w = cr.Parameter(X, name="w")
    (w * 3).sum().backward()
    program, _ = record(lambda: ((w * 5).sum().backward(),)[:0], [])
    for total in (8, 13):
        interpret(program, [])
        assert w.grad is not None
        assert w.grad.tolist() == [total, total]


def test_an_assignment_keeps_shape_and_dtype() -> None:
    cell = cr.Cell(X, "cell")
    with pytest.raises(ShapeError, match="cell keeps its shape"):
        record(lambda x: (cell.assign(x.sum()),), [ONE])
    program, _ = record(lambda x: (cell.assign(x.double()),)[:0], [ONE])
    interpret(program.verify(), [X])
    assert cell.dtype == np.float32


def test_guards_say_when_a_recording_no_longer_holds() -> None:
    w = cr.Parameter(X, name="w")
    _, recorder = record(lambda x: (x * w,), [ONE])
    holds = lambda: all(read() == seen for read, seen in recorder.guards)
    assert recorder.guards
    assert holds()
    w.assign(w * 2)
    assert holds(), "other numbers are no other situation"
    w.requires_grad = False
    assert not holds()
    w.requires_grad = True
    assert holds()
    w.hold(np.ones(3, "float32"))
    assert not holds()


# -- captured or constant


def test_captured_and_constants() -> None:
    outside = cr.tensor([3.0, 4.0])
    history = cr.Parameter([1.0, 1.0]) * 2.0

    def step(x: Any) -> tuple[Any, ...]:
        inside = cr.tensor([5.0, 6.0])
        return (x * outside + inside + history.detach() + outside,)

    program, _ = record(step, [ONE])
    assert [raw.tolist() for raw in program.captured.values()] == [[3, 4], [2, 2]]
    assert [raw.tolist() for raw in program.constants.values()] == [[5, 6]]
    assert "[5., 6.]" in program.listing()
    assert interpret(program, [X])[0].tolist() == [13, 20]


def test_a_captured_tensor_is_there_once() -> None:
    outside = cr.tensor([3.0, 4.0])
    program, _ = record(lambda x: (x * outside * outside + outside,), [ONE])
    assert len(program.captured) == 1


def test_what_is_returned_untouched() -> None:
    outside = cr.tensor([3.0, 4.0])
    program, _ = record(lambda x: (x, outside, 5), [ONE])
    found = interpret(program, [X])
    assert found[0] is X
    assert found[1].tolist() == [3, 4]
    assert found[2] == 5


# -- what the recorder puts in


def test_broadcasts_and_casts_are_instructions() -> None:
    i = Spec((3, 1), np.dtype("int64"))
    assert names(lambda x, y: (x + y,), ONE, i) == ["cast", "broadcast_to", "broadcast_to", "add"]
    assert names(lambda x: (x * 2 + 1.5,)) == ["mul", "add"]
    assert names(lambda x: (x + x.sum(),)) == ["sum", "broadcast_to", "add"]


def test_a_broadcast_is_written_once() -> None:
    def step(x: Any) -> tuple[Any, ...]:
        total = x.sum()
        return (x + total, x * total)

    assert names(step) == ["sum", "broadcast_to", "add", "mul"]


# -- errors


def raises_here(kind: type[Exception], fn: Any, line: int, words: str) -> None:
    with pytest.raises(kind, match=words) as caught:
        record(fn, [ONE])
    assert f"test_record.py:{line}" in str(caught.value)


def here(fn: Any) -> int:
    """The line that the body of a one-line function stands on."""
    return int(fn.__code__.co_firstlineno)


@pytest.mark.parametrize(
    ("words", "fn"),
    [
        (r"item\(\)", lambda x: x.sum().item()),
        ("if tensor", lambda x: 1 if x.sum() > 0 else 2),
        (r"float\(\)", lambda x: float(x.sum())),
        (r"int\(\)", lambda x: int(x.sum())),
        (r"numpy\(\)", lambda x: x.numpy()),
        (r"tolist\(\)", lambda x: x.tolist()),
        (r"np.asarray\(\)", lambda x: np.asarray(x)),
        ("an index", lambda x: range(3)[x.long().sum()]),
        (r"item\(\)", lambda x: f"{x.sum():.3f}"),
        ("making a cell", lambda x: cr.Parameter(x)),
    ],
)
def test_reading_a_value_names_the_line(words: str, fn: Any) -> None:
    raises_here(RecordingError, fn, here(fn), words)
    assert RECORDER.get() is None


def test_the_error_says_where_the_value_was_made() -> None:
    def step(x: Any) -> Any:
        total = x.sum()
        return total.item()

    with pytest.raises(RecordingError) as caught:
        record(step, [ONE])
    first = step.__code__.co_firstlineno
    assert f"made at test_record.py:{first + 1}" in str(caught.value)
    assert f"({'test_record.py'}:{first + 2})" in str(caught.value)


def test_shape_errors_name_the_line() -> None:
    fn = lambda x: (x + cr.tensor([1.0, 2.0, 3.0]),)
    raises_here(ShapeError, fn, here(fn), "broadcast")


def test_printing_while_recording_is_fine() -> None:
    seen = []
    record(lambda x: (seen.append((repr(x), str(x), f"{x}")),)[:0], [ONE])
    assert seen == [("<%1: f32[2]>",) * 3]


def test_an_error_inside_leaves_nothing_behind() -> None:
    w = cr.Parameter(X, name="w")

    def step(x: Any) -> Any:
        with mark(phase="update", scope="layer"), cr.no_grad():
            w.assign(w * 0)
            raise KeyError("user's")

    with pytest.raises(KeyError, match="user's"):
        record(step, [ONE])
    assert RECORDER.get() is None
    assert cr.is_grad_enabled()
    assert w.tolist() == [1, 2]


# -- nesting, marks, threads


def test_recording_inside_recording_is_independent() -> None:
    inner_programs = []

    def step(x: Any) -> tuple[Any, ...]:
        y = x * 2
        inner_programs.append(record(lambda z: (z.exp(),), [ONE])[0])
        return (y + 1,)

    assert names(step) == ["mul", "add"]
    assert [made.op.name for made in inner_programs[0].instructions] == ["exp"]


def test_marks() -> None:
    def step(x: Any) -> tuple[Any, ...]:
        with mark(scope="net"):
            x = x * 2
            with mark("loss", "criterion"):
                x = x + 1
            x = x * 3
        return (x * 4,)

    made = record(step, [ONE])[0].instructions
    assert [(m.phase, m.scope) for m in made] == [
        ("forward", "net"), ("loss", "net.criterion"), ("forward", "net"), ("forward", ""),
    ]  # fmt: skip


def test_backward_carries_layer_and_line_of_forward() -> None:
    w = cr.Parameter(X, name="w")

    def step(x: Any) -> tuple[Any, ...]:
        with mark(scope="net"):
            y = (x * w).exp()
        y.sum().backward()
        return (y,)

    made = record(step, [ONE])[0].instructions
    line = step.__code__.co_firstlineno + 2
    backward = [m for m in made if m.phase == "backward" and m.scope == "net"]
    assert backward
    assert all(m.line == f"test_record.py:{line}" for m in backward)


def test_recording_is_per_thread() -> None:
    """While one thread records, another computes eagerly, and no_grad of one is not the other's."""
    recording, done = threading.Event(), threading.Event()
    found: dict[str, Any] = {}

    def eager() -> None:
        recording.wait(10)
        w = cr.tensor([1.0, 2.0], requires_grad=True)
        y = (w * w).sum()
        found["item"], found["tracked"] = y.item(), y.requires_grad
        y.backward()
        found["grad"] = w.grad.tolist() if w.grad is not None else None
        done.set()

    def step(x: Any) -> tuple[Any, ...]:
        with cr.no_grad():
            y = x * 2
            recording.set()
            assert done.wait(10)
        return (y + 1,)

    thread = threading.Thread(target=eager)
    thread.start()
    assert names(step) == ["mul", "add"]
    thread.join(10)
    assert found == {"item": 5.0, "tracked": True, "grad": [2.0, 4.0]}


def test_a_no_grad_decorator_serves_many_threads_and_recursion() -> None:
    barrier = threading.Barrier(2, timeout=10)
    w = cr.tensor(1.0, requires_grad=True)
    problems: list[object] = []

    @cr.no_grad()
    def run(depth: int) -> None:
        if depth:
            run(depth - 1)
        barrier.wait()
        if (w * 2).requires_grad:
            problems.append("tracked")
        barrier.wait()

    def thread() -> None:
        try:
            run(2)
            if not (w * 2).requires_grad:
                problems.append("still off")
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=thread) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(10)
    assert not problems
    assert cr.is_grad_enabled()


def test_gradients_need_a_chain_while_recording_too() -> None:
    with pytest.raises(GradientError, match="nothing that this tensor"):
        record(lambda x: x.sum().backward(), [ONE])

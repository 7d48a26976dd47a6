"""Native steps and epochs: cells, copies, schedules, stopping, errors, the object cache."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.compiler import llvm
from chainrule.compiler.epoch import run_epoch
from chainrule.compiler.native import NativeProgram
from chainrule.compiler.structure import structure_of
from chainrule.core.interpret import interpret
from chainrule.core.record import record
from chainrule.errors import IndexRangeError, SettingError
from chainrule.spec import Spec


def training(backend: str) -> tuple[Any, Any, Any]:
    """A network with dropout, its optimizer and its compiled step."""
    cr.manual_seed(0)
    layers = [cr.nn.Linear(3, 12), cr.nn.ReLU(), cr.nn.Dropout(0.2), cr.nn.Linear(12, 1)]
    network, loss = cr.nn.Sequential(*layers), cr.nn.MSELoss()
    optimizer = cr.optim.AdamW(network.parameters(), lr=0.01)

    def step(x: Any, y: Any) -> Any:
        found = loss(network(x), y)
        optimizer.zero_grad()
        found.backward()
        optimizer.step()
        return found

    return network, optimizer, cr.compile(step, backend)


def data(rows: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((rows, 3)).astype("float32")
    return x, np.sin(x[:, :1])


def test_epochs_are_the_same_native_with_a_schedule_and_a_smaller_last_batch() -> None:
    x, y = data(45)
    found = {}
    for backend in ("interpret", "native"):
        network, optimizer, step = training(backend)
        rate = optimizer.param_groups[0].cells["lr"][0]
        losses = [
            run_epoch(step, [x, y], np.random.default_rng(e).permutation(45), 10, {rate: rates})
            for e, rates in enumerate(np.linspace(0.02, 0.001, 20).reshape(4, 5))
        ]
        found[backend] = np.concatenate(losses), network.state_dict()
    np.testing.assert_allclose(found["native"][0], found["interpret"][0], rtol=1e-5)
    for name, weight in found["interpret"][1].items():
        np.testing.assert_allclose(found["native"][1][name].numpy(), weight.numpy(), atol=1e-5)


def test_an_epoch_ends_when_told() -> None:
    x, y = data(4000)
    _, _, step = training("native")
    told = []

    def after(number: int) -> bool:
        told.append(number)
        return True

    losses = run_epoch(step, [x, y], np.arange(4000), 10, after_step=after)
    assert told == [len(losses) - 1]
    assert len(losses) < 400


def test_what_was_read_from_a_cell_stays_as_it_was() -> None:
    network, _, step = training("native")
    x, y = map(cr.from_numpy, data(10))
    step(x, y)
    before = network[0].weight.detach()
    copy = before.numpy().copy()
    step(x, y)
    np.testing.assert_array_equal(before.numpy(), copy)
    assert not np.array_equal(network[0].weight.numpy(), copy)


def test_assigning_a_cell_between_calls_takes_effect() -> None:
    w = cr.Parameter([2.0])

    def step(x: Any) -> Any:
        w.assign(w * 2.0)
        return (x * w).sum()

    native = cr.compile(step, "native")
    assert native(cr.ones(1)).item() == 4.0
    w.assign([10.0])
    assert native(cr.ones(1)).item() == 20.0
    assert w.item() == 20.0


@pytest.mark.parametrize("index", [[0, 5], [-1, 0]])
def test_an_index_out_of_range_is_an_error(index: list[int]) -> None:
    table = cr.tensor(np.ones((5, 9), "float32"))
    step = cr.compile(lambda i: cr.functional.embedding(i, table).sum(), "native")
    assert step(cr.tensor([0, 4])).item() == 18.0
    with pytest.raises(IndexRangeError):
        step(cr.tensor(index))
    assert step(cr.tensor([0, 4])).item() == 18.0


def test_rows_that_are_not_there_are_an_error() -> None:
    x, y = data(20)
    _, _, step = training("native")
    with pytest.raises(IndexRangeError, match="names rows"):
        run_epoch(step, [x, y], np.arange(5, 25), 10)


def test_operations_without_machine_code_run_between_those_with() -> None:
    cr.define(
        "test_native_only_numpy", inputs="x", doc="Twice.", formula="dx = 2 g", replace=True,
        forward=lambda x: x + x, grad=(lambda g: g * 2.0,),
    )  # fmt: skip
    from chainrule.core.op import CALLS

    def fn(x: Any) -> tuple[Any, ...]:
        return (CALLS["test_native_only_numpy"](x.exp()).tanh(),)

    program, _ = record(fn, [Spec((7,), cr.float64)])
    native = NativeProgram(program)
    assert [is_native for is_native, _ in native.segments] == [True, False, True]
    x = np.linspace(-2, 2, 7)
    np.testing.assert_allclose(native([x])[0], np.tanh(2 * np.exp(x)), rtol=1e-14)


def test_equal_layers_compile_once() -> None:
    layers = [cr.nn.Linear(8, 8) for _ in range(6)]

    def fn(x: Any) -> tuple[Any, ...]:
        for layer in layers:
            x = layer(x).relu()
        return (x,)

    program, _ = record(fn, [Spec((4, 8), cr.float32)])
    native = NativeProgram(program)
    assert len(native.written) == 6
    names = {phase.name for written in native.written for phase in written.phases}
    assert len(names) == 2  # laying the weight out anew, and the product


def test_objects_are_cached_and_a_corrupt_one_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAINRULE_CACHE", str(tmp_path))
    program, _ = record(lambda x: (x * 3.0,), [Spec((5,), cr.float32)])
    x = np.arange(5, dtype="float32")
    assert not NativeProgram(program).library.from_cache
    assert NativeProgram(program).library.from_cache
    (entry,) = tmp_path.iterdir()
    for damage in (b"", entry.read_bytes()[:-40], b"x" + entry.read_bytes()[1:]):
        entry.write_bytes(damage)
        native = NativeProgram(program)
        assert not native.library.from_cache
        np.testing.assert_array_equal(native([x])[0], x * 3)
    assert [path.name for path in tmp_path.iterdir()] == [entry.name]


def test_the_same_program_is_the_same_text() -> None:
    """Else the cache would not know it again: nothing may follow the order of a set."""
    specs = [Spec((4,), cr.float32)] * 6
    texts = set()
    for _ in range(3):
        program, _ = record(lambda *given: (sum(given[1:], given[0]),), specs)
        texts.add(NativeProgram(program).library.text)
    assert len(texts) == 1


@pytest.mark.parametrize("width", ["16", "32"])
def test_narrower_vectors(width: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_VECTOR_BYTES", width)
    llvm.host.cache_clear()
    try:
        assert llvm.host().bytes == int(width)
        x, y = data(33)
        losses = {}
        for backend in ("interpret", "native"):
            _, _, step = training(backend)
            losses[backend] = run_epoch(step, [x, y], np.arange(33), 11)
        np.testing.assert_allclose(losses["native"], losses["interpret"], rtol=1e-5)
    finally:
        monkeypatch.undo()
        llvm.host.cache_clear()


def test_an_unknown_back_end_is_refused() -> None:
    with pytest.raises(SettingError, match="back end"):
        cr.compile(lambda x: x, "quantum")  # type: ignore[arg-type]


def test_kernels_of_one_structure_are_written_once() -> None:
    layers = [cr.nn.Linear(8, 8) for _ in range(3)]
    norms = [cr.nn.LayerNorm(8, eps=eps) for eps in (1e-5, 1e-5, 1e-2)]

    def fn(x: Any) -> tuple[Any, ...]:
        for layer, norm in zip(layers, norms, strict=True):
            x = norm(layer(x).relu()) + x.T
        return (x,)

    program, _ = record(fn, [Spec((8, 8), cr.float32)])
    native = NativeProgram(program)
    structures = [structure_of(native.fused, w.kernel)[0] for w in native.written]
    assert len(set(structures)) < len(structures)
    for i, one in enumerate(native.written):
        for j, other in enumerate(native.written):
            names = [phase.name for phase in one.phases] == [phase.name for phase in other.phases]
            assert names or structures[i] != structures[j]
    x = np.random.default_rng(0).standard_normal((8, 8)).astype("float32")
    np.testing.assert_allclose(native([x])[0], interpret(program, [x])[0], atol=2e-6)

"""Every optimizer: eager and recorded agree bit for bit, numbers may change, state goes on."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import optim

from .problem import CHOICES, NAMES, batch, cells, step_of


def equal(xs: list[Any], ys: list[Any]) -> bool:
    return all(x.numpy().tobytes() == y.numpy().tobytes() for x, y in zip(xs, ys, strict=True))


# -- L26: gradient descent, by hand


def test_gradient_descent_by_hand() -> None:
    w = cr.Parameter(0.0)
    optimizer = optim.SGD([w], lr=0.1)
    seen = []
    for _ in range(5):
        optimizer.zero_grad()
        ((w - 3) ** 2).backward()
        optimizer.step()
        seen.append((w.item(), ((w - 3) ** 2).item()))
    assert seen[0] == pytest.approx((0.6, 5.76), rel=1e-6)
    # Each step keeps 1 - 2 lr of the distance, so 0.64 of the loss.
    assert [w for w, _ in seen] == pytest.approx([3 - 3 * 0.8**t for t in range(1, 6)], rel=1e-6)
    assert [loss for _, loss in seen] == pytest.approx([9 * 0.64**t for t in range(1, 6)], rel=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sgd_is_w_minus_rate_times_gradient(dtype: str) -> None:
    w = cr.Parameter(np.array([1.0, 2.0], dtype))
    w.grad = cr.tensor(np.array([3.0, -5.0], dtype))
    optim.SGD([w], lr=0.01).step()
    rate = np.asarray(0.01).astype(dtype)
    assert w.dtype == dtype
    wanted = np.array([1.0, 2.0], dtype) - np.array([3.0, -5.0], dtype) * rate
    assert w.numpy().tolist() == wanted.tolist()


def test_bias_correction_is_worked_out_in_float64() -> None:
    """In float32, 1 - 0.999 is wrong by 1e-5 of itself; the first step must be lr all the same."""
    w = cr.Parameter([0.0])
    w.grad = cr.tensor([0.5])
    optim.Adam([w], lr=1.0, eps=0.0).step()
    assert w.item() == pytest.approx(-1.0, rel=1e-6)


# -- recorded


@pytest.mark.parametrize(("kind", "options"), CHOICES, ids=NAMES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_recorded_is_eager_bit_for_bit(
    kind: type[optim.Optimizer], options: dict[str, Any], dtype: str
) -> None:
    eager, recorded = cells(dtype), cells(dtype)
    plain = step_of(eager, kind(eager, **options))
    native = cr.compile(step_of(recorded, kind(recorded, **options)), "interpret")
    start = [cr.tensor(w.numpy()) for w in eager]
    x, y = batch(dtype)
    for _ in range(20):
        assert plain(x, y).item() == native(x, y).item()
        assert equal(eager, recorded)
    assert not equal(eager, start)
    assert all(w.dtype == dtype for w in eager)
    assert len(native.programs) <= 2, "with and without gradients on entry"
    update = {made.op.name for made in native.programs[-1].instructions if made.phase == "update"}
    assert "sub" in update
    assert all(w.name in native.programs[-1].assigns for w in recorded)


@pytest.mark.parametrize(("kind", "options"), CHOICES, ids=NAMES)
def test_a_number_changed_between_calls_takes_effect(
    kind: type[optim.Optimizer], options: dict[str, Any]
) -> None:
    eager, recorded = cells(), cells()
    optimizers = kind(eager, **options), kind(recorded, **options)
    plain, native = (
        step_of(eager, optimizers[0]),
        cr.compile(step_of(recorded, optimizers[1]), "interpret"),
    )
    x, y = batch()
    plain(x, y), native(x, y)
    plain(x, y), native(x, y)
    before = len(native.programs)
    for lr in (0.5, 0.001, 0.0):
        for optimizer in optimizers:
            optimizer.param_groups[0]["lr"] = lr
        plain(x, y), native(x, y)
        assert equal(eager, recorded)
    assert len(native.programs) == before, "a rate is read by reference: nothing to record again"


@pytest.mark.parametrize(
    ("kind", "options", "changes"),
    [
        (optim.SGD, {}, {"momentum": 0.9}),
        (optim.SGD, {"momentum": 0.9}, {"nesterov": True}),
        (optim.SGD, {"momentum": 0.9}, {"dampening": 0.5}),
        (optim.Adam, {}, {"weight_decay": 0.1}),
        (optim.RMSprop, {}, {"centered": True}),
        (optim.Adagrad, {}, {"maximize": True}),
    ],
)
def test_a_changed_structure_is_recorded_again(
    kind: type[optim.Optimizer], options: dict[str, Any], changes: dict[str, Any]
) -> None:
    eager, recorded = cells(), cells()
    optimizers: Any = kind(eager, 0.01, **options), kind(recorded, 0.01, **options)
    plain, native = (
        step_of(eager, optimizers[0]),
        cr.compile(step_of(recorded, optimizers[1]), "interpret"),
    )
    x, y = batch()
    for turn in range(6):
        if turn == 3:
            for optimizer in optimizers:
                optimizer.param_groups[0].update(changes)
        plain(x, y), native(x, y)
        assert equal(eager, recorded)


def test_cells_are_named_after_the_model() -> None:
    model = cr.nn.Sequential(cr.nn.Linear(2, 3), cr.nn.Tanh(), cr.nn.Linear(3, 1))
    optimizer = optim.Adam(model.parameters())

    @cr.compile
    def step(x: cr.Tensor) -> cr.Tensor:
        optimizer.zero_grad()
        loss = (model(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    program = step.program(cr.tensor(np.ones((5, 2))))
    names = {"lr", "beta1", "beta2", "eps", "step", "0.weight", "exp_avg of 0.weight"}
    assert names <= set(program.reads)
    assert {"step", "2.bias", "exp_avg_sq of 2.bias"} <= set(program.assigns)
    casts = [
        made for made in program.instructions if made.phase == "update" and made.op.name == "cast"
    ]
    assert len(casts) == 7, "numbers are cast once per step, not once per parameter"


# -- parameters that are not always stepped


@pytest.mark.parametrize("kind", [optim.Adam, optim.SGD])
def test_a_parameter_without_gradient_stays(kind: type[optim.Optimizer]) -> None:
    first, second = cr.Parameter([1.0]), cr.Parameter([1.0])
    optimizer: Any = kind([first, second], 0.1)
    (first * 2).sum().backward()
    optimizer.step()
    assert first.item() == pytest.approx(0.8 if kind is optim.SGD else 0.9)
    assert second.item() == 1.0


def partly(recorded: bool) -> tuple[list[list[float]], Any]:
    """Adam on three parameters of which some have no gradient in some steps."""
    parameters = [cr.Parameter([1.0, 2.0], name=f"w{i}") for i in range(3)]
    optimizer = optim.Adam(parameters, lr=0.1)

    def step(used: tuple[int, ...]) -> None:
        optimizer.zero_grad()
        for i in used:
            (parameters[i] ** 3).sum().backward()
        optimizer.step()

    run: Any = cr.compile(step, "interpret") if recorded else step
    for used in [(0, 1), (0, 1), (0,), (0, 1, 2), (1, 2), (1, 2), (0, 1, 2), (0, 1, 2)]:
        run(used)
    return [w.tolist() for w in parameters], optimizer


def test_each_parameter_counts_its_own_steps() -> None:
    eager, optimizer = partly(recorded=False)
    assert [float(optimizer.state[w]["step"]) for w in optimizer.state] == [6, 7, 5]
    recorded, again = partly(recorded=True)
    assert recorded == eager
    assert [float(again.state[w]["step"]) for w in again.state] == [6, 7, 5]
    # w2 went its first five steps as w0 did, later: what it missed does not show in it.
    assert len({id(cells["step"]) for cells in optimizer.state.values()}) == 3


def test_frozen_parameters_keep_their_place_in_the_recording() -> None:
    parameters = cells()
    optimizer = optim.Adam(parameters, lr=0.01)
    native = cr.compile(step_of(parameters, optimizer), "interpret")
    x, y = batch()
    native(x, y)
    parameters[0].requires_grad = False
    before = parameters[0].tolist()
    native(x, y)
    assert parameters[0].tolist() == before
    parameters[0].requires_grad = True
    native(x, y)
    assert parameters[0].tolist() != before


# -- state


@pytest.mark.parametrize(("kind", "options"), CHOICES, ids=NAMES)
@pytest.mark.parametrize("recorded", [False, True])
def test_resumed_is_unbroken_bit_for_bit(
    kind: type[optim.Optimizer], options: dict[str, Any], recorded: bool
) -> None:
    def steps(parameters: list[Any], optimizer: optim.Optimizer, count: int) -> None:
        step = step_of(parameters, optimizer)
        step = cr.compile(step, "interpret") if recorded else step
        for _ in range(count):
            step(*batch())

    unbroken, first = cells(), cells()
    steps(unbroken, kind(unbroken, **options), 12)
    optimizer = kind(first, **options)
    steps(first, optimizer, 7)
    state = optimizer.state_dict()
    second = [cr.Parameter(w.numpy().copy(), name=w.name) for w in first]
    resumed = kind(second, lr=9.0)  # the numbers come with the state
    steps(first, optimizer, 1)  # what was saved shares nothing with what goes on
    resumed.load_state_dict(state)
    steps(second, resumed, 5)
    assert equal(second, unbroken)


def test_loading_into_a_recorded_step_takes_effect() -> None:
    parameters = cells()
    optimizer = optim.Adam(parameters, lr=0.01)
    native = cr.compile(step_of(parameters, optimizer), "interpret")
    native(*batch())
    held, state = [w.numpy().copy() for w in parameters], optimizer.state_dict()
    native(*batch())
    wanted = [w.tolist() for w in parameters]
    native(*batch())
    for w, array in zip(parameters, held, strict=True):
        w.assign(array)
    optimizer.load_state_dict(state)
    native(*batch())
    assert [w.tolist() for w in parameters] == wanted


def test_layout_of_the_state() -> None:
    parameters = cells()
    optimizer = optim.Adam([{"params": parameters[:1], "lr": 0.5}, {"params": parameters[1:]}])
    step_of(parameters, optimizer)(*batch())
    state = optimizer.state_dict()
    assert [group["params"] for group in state["param_groups"]] == [[0], [1, 2, 3]]
    assert state["param_groups"][0]["lr"] == 0.5
    assert state["param_groups"][1]["betas"] == (0.9, 0.999)
    assert sorted(state["state"][3]) == ["exp_avg", "exp_avg_sq", "step"]
    assert state["state"][0]["exp_avg"].shape == (3, 4)
    json.dumps(state["param_groups"])


def test_a_state_that_does_not_fit() -> None:
    parameters = cells()
    optimizer = optim.Adam(parameters)
    step_of(parameters, optimizer)(*batch())
    state = optimizer.state_dict()
    with pytest.raises(cr.errors.SettingError, match=r"(?s)groups of \[2\].*groups of \[4\]"):
        optim.Adam(parameters[:2]).load_state_dict(state)
    with pytest.raises(cr.errors.ShapeError, match=r"(?s)exp_avg of b2.*f32\[\].*f32\[4,1\]"):
        optim.Adam([*parameters[:2], parameters[3], parameters[2]]).load_state_dict(
            {**state, "param_groups": [{**state["param_groups"][0], "params": [0, 1, 2, 3]}]}
        )


# -- zero_grad


def test_zero_grad() -> None:
    w = cr.Parameter([1.0, 2.0])
    optimizer = optim.SGD([w], lr=0.1)
    optimizer.zero_grad(set_to_none=False)
    assert w.grad is None
    (w * w).sum().backward()
    optimizer.zero_grad(set_to_none=False)
    assert w.grad is not None
    assert w.grad.tolist() == [0.0, 0.0]
    optimizer.zero_grad()
    assert w.grad is None


def test_closure() -> None:
    w = cr.Parameter(2.0)
    optimizer = optim.SGD([w], lr=0.25)

    def closure() -> cr.Tensor:
        optimizer.zero_grad()
        loss = w * w
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 4.0
    assert w.item() == 1.0

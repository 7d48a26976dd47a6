"""Averages of weights, and gradients gathered over several batches: eager, recorded, native."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import SettingError
from chainrule.optim.swa_utils import AveragedModel, get_ema_avg_fn, update_bn

X = np.random.default_rng(0).standard_normal((4, 6, 3))
Y = np.random.default_rng(1).standard_normal((4, 6, 1))
BACKENDS = ["eager", "interpret", "native"]


def network() -> cr.nn.Module:
    cr.manual_seed(3)
    layers = cr.nn.Linear(3, 4), cr.nn.BatchNorm1d(4), cr.nn.Tanh(), cr.nn.Linear(4, 1)
    return cr.nn.Sequential(*layers).double()


def run_as(step: Any, backend: str) -> Any:
    return step if backend == "eager" else cr.compile(step, backend)


def state(model: cr.nn.Module) -> dict[str, Any]:
    return {name: np.array(value.numpy()) for name, value in model.state_dict().items()}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("decay", [0.8, None])
def test_the_average_of_a_training(decay: float | None, backend: str) -> None:
    model = network()
    average = AveragedModel(model, avg_fn=None if decay is None else get_ema_avg_fn(decay))
    optimizer = cr.optim.SGD(model.parameters(), lr=0.1)

    def step(x: cr.Tensor, y: cr.Tensor) -> cr.Tensor:
        loss = cr.nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        average.update_parameters(model)
        return loss

    run, seen = run_as(step, backend), []
    for x, y in zip(X, Y, strict=True):
        run(cr.tensor(x), cr.tensor(y))
        seen.append(state(model))
    assert average.n_averaged.item() == len(X)
    for name, got in state(average.module).items():
        expected = seen[0][name]
        for one in seen[1:] if decay is not None else []:
            expected = decay * expected + (1 - decay) * one[name]
        if decay is None:
            expected = np.mean([one[name] for one in seen], axis=0)
        if "running" in name or "tracked" in name:
            expected = seen[-1][name]
        np.testing.assert_allclose(got, expected, rtol=1e-9)


def test_buffers_are_averaged_on_request_and_statistics_can_be_taken_anew() -> None:
    model = network()
    average = AveragedModel(model, use_buffers=True)
    means = []
    for x in X:
        model(cr.tensor(x))
        means.append(model[1].running_mean.numpy())
        average.update_parameters(model)
    got = average.module[1].running_mean.numpy()
    np.testing.assert_allclose(got, np.mean(means, axis=0), rtol=1e-12)
    update_bn([(cr.tensor(x), None) for x in X], average.eval())
    hidden = np.stack([average.module[0](cr.tensor(x)).numpy() for x in X])
    got = average.module[1].running_mean.numpy()
    np.testing.assert_allclose(got, hidden.mean((0, 1)), rtol=1e-12)
    assert average.module[1].momentum == 0.1
    assert not average.module[1].training


def test_the_average_of_another_network_and_a_decay_that_is_none() -> None:
    with pytest.raises(SettingError, match="another network"):
        AveragedModel(cr.nn.Linear(2, 1)).update_parameters(cr.nn.Linear(3, 1))
    with pytest.raises(SettingError, match="share"):
        get_ema_avg_fn(1.5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_gradients_of_small_batches_add_up_to_those_of_a_large_one(backend: str) -> None:
    def trained(batches: list[Any], backend: str) -> dict[str, Any]:
        cr.manual_seed(3)
        model = cr.nn.Sequential(cr.nn.Linear(3, 4), cr.nn.Tanh(), cr.nn.Linear(4, 1)).double()
        optimizer = cr.optim.Adam(model.parameters(), lr=0.05)

        def gather(x: cr.Tensor, y: cr.Tensor) -> None:
            (cr.nn.functional.mse_loss(model(x), y) / len(batches)).backward()

        def update() -> None:
            optimizer.step()
            optimizer.zero_grad()

        gather, update = run_as(gather, backend), run_as(update, backend)
        for _ in range(3):
            for x, y in batches:
                gather(cr.tensor(x), cr.tensor(y))
            update()
        return state(model)

    small = trained(list(zip(X, Y, strict=True)), backend)
    large = trained([(X.reshape(-1, 3), Y.reshape(-1, 1))], "eager")
    for name, expected in large.items():
        np.testing.assert_allclose(small[name], expected, rtol=1e-9)


@pytest.mark.parametrize("backend", BACKENDS)
def test_small_batches_inside_one_step(backend: str) -> None:
    model = cr.nn.Linear(3, 1, dtype="float64")
    optimizer = cr.optim.SGD(model.parameters(), lr=0.1)

    def step(xs: cr.Tensor, ys: cr.Tensor) -> None:
        optimizer.zero_grad()
        for x, y in zip(xs, ys, strict=True):
            (cr.nn.functional.mse_loss(model(x), y) / len(xs)).backward()
        optimizer.step()

    before, bias = model.weight.numpy().copy(), model.bias.numpy().copy()
    run_as(step, backend)(cr.tensor(X), cr.tensor(Y))
    x, y = X.reshape(-1, 3), Y.reshape(-1, 1)
    slope = 2 * (x @ before.T + bias - y).T @ x / len(x)
    np.testing.assert_allclose(model.weight.numpy(), before - 0.1 * slope, rtol=1e-9)

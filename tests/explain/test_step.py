"""An opened step: the numbers of the textbook, links that multiply out, text one can read."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from tests.explain.networks import learning, tutorial

import chainrule as cr
from chainrule import nn
from chainrule.errors import SettingError
from chainrule.explain import open_step
from chainrule.explain.trace import parameters, passed_on, trace

X, Y = np.array([[1.0, 2.0]], np.float32), np.array([[1.0]], np.float32)


def test_the_tutorial_on_paper() -> None:
    opened = open_step(learning(tutorial(), nn.MSELoss()), X, Y)
    assert [layer.written for layer in opened.layers[:3]] == [
        [
            "0.5*1 + (-0.3)*2 + 0.1 = 0",
            "0.8*1 + 0.2*2 + (-0.2) = 1",
            "-0.1*1 + 0.4*2 + 0.05 = 0.75",
        ],
        ["max(0, 0) = 0", "max(0, 1) = 1", "max(0, 0.75) = 0.75"],
        ["0.7*0 + (-0.5)*1 + 0.3*0.75 + 0.1 = -0.175"],
    ]
    assert opened.layer("loss").passed == ["to its input[0]: (1*1)*((-1.175)*2) = -2.35"]
    assert opened.layer("1").passed == [
        "to its input[0]: -1.645*0 = 0",
        "to its input[1]: 1.175*1 = 1.175",
        "to its input[2]: -0.705*1 = -0.705",
    ]
    assert opened.updates[2].written[1] == "-0.5 - (-2.35)*0.1 = -0.265"


def test_the_chain_rule_by_hand() -> None:
    """Each gradient of the tutorial's network, by its formula, is what the engine computed."""
    opened = open_step(learning(tutorial(), nn.MSELoss()), X, Y)
    a1, z2 = opened.layer("1").output, opened.layer("2").output
    w2 = np.array([[0.7, -0.5, 0.3]])
    dz2 = -2 * (Y - z2)
    da1 = dz2 @ w2
    dz1 = da1 * (np.array([[0, 1, 1]]))
    found = {update.name: update.gradient for update in opened.updates}
    for name, expected in {
        "0.weight": np.outer(dz1, X),
        "0.bias": dz1[0],
        "2.weight": dz2 * a1,
        "2.bias": dz2[0],
    }.items():
        np.testing.assert_allclose(found[name], expected, atol=1e-6)
    np.testing.assert_allclose(opened.layer("2").gradient, dz2, rtol=1e-6)
    np.testing.assert_allclose(opened.layer("1").gradient, da1, rtol=1e-6)


def batch(*shapes: tuple[int, ...], classes: int = 0) -> list[Any]:
    rng = np.random.default_rng(0)
    made: list[Any] = [rng.standard_normal(shape).astype(np.float32) for shape in shapes]
    return made + ([rng.integers(0, classes, len(made[0]))] if classes else [])


CASES = {
    "regression": (lambda: nn.Sequential(nn.Linear(3, 5), nn.GELU(), nn.Linear(5, 2)), nn.MSELoss,
                   batch((6, 3), (6, 2))),
    "classes": (lambda: nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 4)),
                nn.CrossEntropyLoss, batch((7, 3), classes=4)),
    "dropout and norm": (lambda: nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Dropout(0.5),
                         nn.Linear(4, 2)), nn.CrossEntropyLoss, batch((5, 3), classes=2)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_link_multiplies_out(case: str) -> None:
    """What all links pass to a value adds up to the gradient that the step computed of it."""
    make, loss, args = CASES[case]
    step = learning(make(), loss())
    program = step.program(*map(cr.tensor, args))
    traced = trace(program, args)
    sums: dict[Any, Any] = defaultdict(float)
    for made in program.instructions:
        gradient = traced.gradient(made.outputs[0])
        if made.phase in ("forward", "loss") and gradient is not None:
            for at, passed in passed_on(traced, made, gradient).items():
                sums[made.inputs[at]] += passed
    compared = 0
    for symbol, total in sums.items():
        expected = traced.gradient(symbol)
        if expected is not None:
            np.testing.assert_allclose(total, expected, rtol=1e-5, atol=1e-7)
            compared += 1
    assert compared > 5
    for link in (link for layer in open_step(step, *args).layers for link in layer.links):
        for factor in link.factors:
            if factor.local is not None and link.gradient is not None:
                np.testing.assert_allclose(
                    link.gradient * factor.local, factor.passed, rtol=1e-5, atol=1e-8
                )
    for weights in parameters(program):
        assert weights.gradient is not None


@pytest.mark.parametrize("case", CASES)
def test_losses_of_rows_are_those_of_the_rows_alone(case: str) -> None:
    make, loss, args = CASES[case]
    model = make()
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    opened = open_step(learning(model, loss()), *args)
    for at, row in enumerate(opened.rows):
        alone = loss()(model(cr.tensor(args[0][at : at + 1])), cr.tensor(args[1][at : at + 1]))
        assert row.loss == pytest.approx(alone.item(), rel=1e-4)
    assert np.mean([row.loss for row in opened.rows]) == pytest.approx(opened.loss, rel=1e-5)


def test_opening_changes_nothing_and_an_update_is_what_the_step_does() -> None:
    for optimizer in (cr.optim.AdamW, cr.optim.SGD):
        model = tutorial()
        step = learning(model, nn.MSELoss(), optimizer=optimizer)
        before = model[0].weight.tolist()
        opened = open_step(step, X, Y)
        assert model[0].weight.tolist() == before
        step(cr.tensor(X), cr.tensor(Y))
        update = opened.updates[0]
        np.testing.assert_array_equal(update.after, model[0].weight.numpy())
        assert update.rate == 0.1
        np.testing.assert_allclose(
            update.before - update.rate * update.direction, update.after, atol=1e-6
        )


def test_gradients_that_are_cleared_at_the_end_are_seen() -> None:
    def updates(first: bool) -> dict[str, Any]:
        model = tutorial()
        optimizer = cr.optim.SGD(model.parameters(), lr=0.1)

        def step(x: Any, y: Any) -> Any:
            if first:
                optimizer.zero_grad()
            loss = nn.MSELoss()(model(x), y)
            loss.backward()
            optimizer.step()
            if not first:
                optimizer.zero_grad()
            return loss

        opened = open_step(cr.compile(step, "interpret"), X, Y)
        return {update.name: update for update in opened.updates}

    first, last = updates(True), updates(False)
    assert first.keys() == last.keys()
    for name, one in first.items():
        assert np.any(one.gradient)
        np.testing.assert_array_equal(one.gradient, last[name].gradient)
        np.testing.assert_array_equal(one.after, last[name].after)


def test_text_names_the_four_steps_and_unfolds_one_layer() -> None:
    step = learning(tutorial(), nn.MSELoss())
    text = str(open_step(step, X, Y))
    places = [text.index(word) for word in ("1 Forward", "2 Loss", "3 Backward", "4 Update")]
    assert places == sorted(places)
    assert "through" not in text
    assert "through contract to 0.weight" in str(open_step(step, X, Y, layer="0"))
    wide = nn.Sequential(nn.Linear(2, 30), nn.ReLU(), nn.Linear(30, 1))
    folded = str(open_step(learning(wide, nn.MSELoss()), X, Y))
    assert "30 numbers from" in folded
    assert "--layer 0 tells that one in full" in folded


def test_json_holds_everything_and_folds_large_arrays() -> None:
    opened = open_step(learning(nn.Linear(100, 1), nn.MSELoss()), np.ones((1, 100), np.float32), Y)
    folded, whole = json.loads(opened.to_json()), json.loads(opened.to_json(whole=True))
    assert "values" not in folded["updates"][0]["before"]
    assert len(whole["updates"][0]["before"]["values"][0]) == 100
    assert [layer["phase"] for layer in whole["layers"]] == ["forward", "loss"]


def test_what_is_not_there_is_an_error() -> None:
    step = learning(tutorial(), nn.MSELoss())
    with pytest.raises(SettingError, match="no such row"):
        open_step(step, X, Y, row=1)
    with pytest.raises(SettingError, match="no layer 'x'"):
        open_step(step, X, Y, layer="x")

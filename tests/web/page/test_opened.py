"""A step for the page: the numbers of the library, and of each value the chosen row."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chainrule.explain import OpenedStep
from chainrule.train import Run
from chainrule.web.page.opened import opened


@pytest.fixture(scope="module")
def step(runs: Path) -> OpenedStep:
    run = Run(runs / "houses")
    return run.step(2, run.step(2).rows[3].line)


def test_what_has_rows_shows_the_chosen_one(step: OpenedStep) -> None:
    shown = opened(step)
    for layer, told in zip(step.layers, shown["layers"], strict=True):
        for values, found in (layer.output, told["output"]), (layer.gradient, told["gradient"]):
            if values is not None and values.ndim:
                assert found["row"]["values"] == pytest.approx(values[3].tolist())
    assert "row" not in shown["layers"][-1]["output"]  # the loss is one number


def test_what_belongs_to_the_weights_has_no_rows(step: OpenedStep) -> None:
    weights = {update.name: list(update.before.shape) for update in step.updates}
    passed = [
        factor
        for layer in opened(step)["layers"]
        for link in layer["links"]
        for factor in link["factors"]
        if weights.get(factor["to"]) == factor["passed"]["shape"]
    ]
    assert passed
    assert not any("row" in factor["passed"] for factor in passed)


def test_only_the_layer_that_is_asked_for_has_every_number(runs: Path) -> None:
    step = Run(runs / "price run").step(1, layer="layers.0")
    first, second, *_ = opened(step)["layers"]
    assert first["output"]["values"] == step.layers[0].output.tolist()
    assert "values" not in second["output"]


def test_the_rest_is_that_of_the_library(step: OpenedStep) -> None:
    told = json.loads(step.to_json())
    found = opened(step)
    assert {k: found[k] for k in found if k != "layers"} == {
        k: told[k] for k in told if k != "layers"
    }

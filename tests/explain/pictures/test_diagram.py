"""Diagrams: boxes lie apart, arrows lead down, and a step is shown with its numbers."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.explain.networks import learning, tutorial

import chainrule as cr
from chainrule.explain import open_step
from chainrule.explain.pictures.diagram import Arrow, Box, Diagram
from chainrule.explain.pictures.graph import program_graph, step_graph


def lesson() -> tuple[Any, Any, Any]:
    """The step of the lesson's network, and its one row."""
    step = learning(tutorial(), cr.nn.MSELoss())
    return step, cr.tensor([[1.0, 2.0]]), cr.tensor([[1.0]])


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=90)


@st.composite
def diagrams(draw: st.DrawFn) -> Diagram:
    count = draw(st.integers(1, 9))
    boxes = [Box(draw(TEXT), draw(st.lists(TEXT, max_size=3)), 1) for _ in range(count)]
    pairs = [(a, b) for b in range(count) for a in range(b)]
    chosen = draw(st.sets(st.sampled_from(pairs), max_size=12)) if pairs else set()
    return Diagram("d", "D", "", boxes, [Arrow(a, b, draw(TEXT)) for a, b in sorted(chosen)])


@settings(max_examples=60, deadline=None)
@given(diagrams())
def test_boxes_lie_apart_and_arrows_lead_down(diagram: Diagram) -> None:
    svg = ElementTree.fromstring(diagram.svg())
    found = [one for one in svg.iter() if one.get("class") == "box c1"]
    places = [[float(one.get(key, "")) for key in ("x", "y", "width", "height")] for one in found]
    width, height = diagram.size
    for at, (left, top, wide, high) in enumerate(places):
        assert min(left, top) >= 0
        assert left + wide <= width + 0.2
        assert top + high <= height
        for other_left, other_top, other_wide, other_high in places[:at]:
            beside = left + wide <= other_left + 0.2 or other_left + other_wide <= left + 0.2
            assert beside or top + high <= other_top or other_top + other_high <= top
    for arrow in diagram.arrows:
        assert places[arrow.start][1] + places[arrow.start][3] < places[arrow.end][1]


def test_a_network_is_a_chain_of_its_layers_and_the_loss() -> None:
    step, x, y = lesson()
    diagram = program_graph(step.program(x, y), {"1": "ReLU()"}, ["x", "y"])
    titles = [box.title for box in diagram.boxes]
    assert titles == ["x", "0", "1", "2", "y", "loss"]
    pairs = {(titles[one.start], titles[one.end]) for one in diagram.arrows}
    assert pairs == {("x", "0"), ("0", "1"), ("1", "2"), ("2", "loss"), ("y", "loss")}
    made_of = "contract, broadcast_to, add"
    assert list(diagram.boxes[1].lines) == [made_of, "gives 1 × 3, 9 weights; 3 + 2 operations"]
    assert diagram.boxes[2].lines[0] == "ReLU()"


def test_a_step_shows_what_the_lesson_works_out() -> None:
    step, x, y = lesson()
    boxes = {box.title: list(box.lines) for box in step_graph(open_step(step, x, y)).boxes}
    assert "gives [-0.175]" in boxes["2"]
    assert "gradient [-2.35]" in boxes["2"]
    assert "gradient of weight [0, -2.35, -1.762]" in boxes["2"]
    assert boxes["1"][:3] == ["relu", "gives [0, 1, 0.75]", "gradient [-1.645, 1.175, -0.705]"]
    assert "gradient [0, 1.175, -0.705]" in boxes["0"]
    assert "gradient of weight [0, 0, 1.175, 2.35, -0.705, -1.41]" in boxes["0"]


def test_operations_stand_with_their_local_derivatives() -> None:
    step, x, y = lesson()
    diagram = step_graph(open_step(step, x, y), operations=True)
    relu = next(at for at, box in enumerate(diagram.boxes) if box.title == "relu")
    texts = [one.text for one in diagram.arrows if one.end == relu]
    assert texts == ["× [0, 1, 1]"]
    assert {"0.weight", "2.bias"} <= {box.title for box in diagram.boxes}


def test_a_deep_network_is_folded() -> None:
    blocks = [cr.nn.Sequential(cr.nn.Linear(2, 2), cr.nn.Tanh()) for _ in range(20)]
    model = cr.nn.Sequential(*blocks)

    @cr.compile
    def step(x: cr.Tensor) -> cr.Tensor:
        loss = model(x).sum()
        loss.backward()
        return loss

    diagram = program_graph(step.program(cr.tensor(np.ones((3, 2), np.float32))))
    titles = [box.title for box in diagram.boxes]
    assert titles[1:21] == [str(at) for at in range(20)]
    assert all("6 weights" in box.lines[1] for box in diagram.boxes[1:21])

"""What notebooks show of things: whole HTML, escaped, in the notebook's own colours."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from tests.explain.networks import learning, tutorial

import chainrule as cr
from chainrule.data.decisions import DataReport, Decision
from chainrule.data.report import Note
from chainrule.explain import open_step
from chainrule.explain.findings import Finding
from chainrule.train import Settings, train_table

HOSTILE = "<script>&\"'"


def text_of(thing: Any) -> str:
    """The text in what a notebook shows, without its style; refuses HTML that is not whole."""
    root = ElementTree.fromstring(thing._repr_html_())
    assert root.get("class") == "chainrule"
    assert "script" not in {element.tag.rpartition("}")[2] for element in root.iter()}
    for sheet in root.iter():
        if sheet.tag.endswith("style"):
            sheet.text = ""
    return " ".join("".join(root.itertext()).split())


def test_tensors_show_their_numbers_or_what_they_are_like() -> None:
    assert text_of(cr.tensor([[1.0, 2.5], [3.0, -4.0]])) == "tensor f32[2,2] 12.53-4"
    assert text_of(cr.tensor(7)) == "tensor i64[] 7"
    assert text_of(cr.zeros(0, 3)) == "tensor f32[0,3] no elements"
    assert text_of(cr.tensor(np.arange(24.0).reshape(2, 3, 4))).endswith("from 0 to 23, mean 11.5")
    assert text_of(cr.zeros(100, 100)).count("0") < 200
    assert text_of(tutorial()[0].bias).startswith("Parameter")


def test_a_network_shows_its_layers() -> None:
    text = text_of(tutorial())
    assert "13 parameters" in text
    assert "ReLU()" in text


def test_a_program_shows_its_phases() -> None:
    program = learning(tutorial(), cr.nn.MSELoss()).program(cr.ones(1, 2), cr.ones(1, 1))
    text = text_of(program)
    for phase in ("forward", "loss", "backward", "update"):
        count = sum(made.phase == phase for made in program.instructions)
        assert f"{phase}: {count} instructions" in text


def test_a_step_shows_its_layers_and_updates() -> None:
    step = learning(tutorial(), cr.nn.MSELoss())
    opened = open_step(step, cr.tensor([[1.0, 2.0]]), cr.tensor([[1.0]]))
    text = text_of(opened)
    assert "gives-0.175gradient-2.35" in text.replace("[", "").replace("]", "")
    assert "update of 4 parameters" in text
    assert "A step with its numbers" in text_of(opened.graph())


def test_findings_and_reports_are_escaped() -> None:
    finding = Finding(HOSTILE, HOSTILE, {}, {"column": HOSTILE}, HOSTILE, HOSTILE)
    assert text_of(finding).count(HOSTILE) == 5
    notes = [Note(about="target", text=HOSTILE, finding=True)]
    facts = {"reason": "", "integer": False, "distinct": 2, "missing": 0, "bad": []}
    column = Decision.model_validate(
        {"name": HOSTILE, "kind": "numeric", "use": HOSTILE, "markers": {}, **facts}
    )
    report = DataReport(source=HOSTILE, notes=notes, columns=[column])
    assert text_of(report).count(HOSTILE) == 4


def test_a_run_shows_what_came_of_it(tmp_path: Path) -> None:
    run = train_table(
        Settings(data="courier", epochs=2, layers=[4], output=str(tmp_path / "r"))
    ).run
    text = text_of(run)
    assert "predicting charge from courier, done" in text
    assert "always the mean" in text
    assert "best epoch" in text


@pytest.mark.parametrize("thing", [cr.ones(2), cr.nn.ReLU()])
def test_colours_are_the_notebooks_own(thing: Any) -> None:
    html = thing._repr_html_()
    assert "background: #" not in html
    assert set(re.findall(r"var\((--\w+)\)", html)) <= set(re.findall(r"(--\w+):", html))

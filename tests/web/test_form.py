"""The form in a real browser: a row is predicted, what is wrong is marked, and it fits a phone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chainrule.model import Model

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture(scope="module")
def address(saved: Path) -> Iterator[str]:
    ask = [sys.executable, "-m", "chainrule", "serve", str(saved), "--port", "0", "-q"]
    with subprocess.Popen(ask, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.terminate()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_row_is_predicted(browser: Any, address: str, model: Model, scheme: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(address)
    kg, port = page.get_by_label("kg"), page.get_by_label("port")
    kg.wait_for()
    assert [box.get_attribute("placeholder") for box in (kg, port)] == [
        "a number",
        "port 0, port 1, port 10, …",
    ]
    kg.fill("heavy")
    page.get_by_role("button", name="Predict").click()
    page.locator("#error", has_text="expected number or null").wait_for()
    assert kg.get_attribute("aria-invalid") == "true"
    kg.fill("2.5")
    port.fill("Atlantis")
    page.get_by_role("button", name="Predict").click()
    page.locator(".value").wait_for()
    row = {"kg": 2.5, "port": "Atlantis", "size": None, "note": None, "paid": None}
    assert page.locator(".value").text_content() == model.predict([row]).values[0]
    notes = page.locator("#answer .about").all_text_contents()
    assert len(notes) == 1  # fields that were left empty are not told again
    assert notes[0].startswith("port: 'Atlantis' not seen in training")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert wrong == []
    page.close()

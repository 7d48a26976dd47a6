"""The page in a real browser: no error, live curves, nodes that open, runs compared, learning."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chainrule.train import Run

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture(scope="module")
def address(runs: Path) -> Iterator[str]:
    ask = [sys.executable, "-m", "chainrule", "ui", str(runs), "--port", "0", "-q"]
    with subprocess.Popen(ask, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.terminate()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """A page on which nothing goes wrong, and which asks nobody but its own server."""
    made = browser.new_page(viewport={"width": 1100, "height": 800})
    wrong: list[str] = []
    made.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    made.on("pageerror", lambda error: wrong.append(str(error)))
    made.on("request", lambda asked: wrong.append(asked.url) if elsewhere(asked.url) else None)

    def elsewhere(url: str) -> bool:
        return not url.startswith((address, "data:", "about:"))

    yield made
    made.close()
    assert wrong == []


def test_a_node_opens_with_the_numbers_of_the_interpreter(
    page: Any, address: str, runs: Path
) -> None:
    page.goto(f"{address}#/run/arms")
    page.locator("#pictures figure svg").first.wait_for()
    page.get_by_label("Step number").fill("7")
    page.get_by_label("Step number").press("Enter")
    page.locator(".node", has_text=re.compile("line")).first.wait_for()
    step = Run(runs / "arms").step(7)
    last = [layer for layer in step.layers if layer.phase == "forward"][-1]
    page.locator(f'[data-node="forward {last.name}"]').click()
    cells = page.locator(".detail .numbers").first.locator("td")
    page.locator(".phase.p1", has_text=f"{step.loss:.5g}"[:6]).wait_for()
    assert [float(text) for text in cells.all_text_contents()] == pytest.approx(
        last.output[step.row].tolist(), rel=1e-4
    )
    page.locator(f'[data-node="backward {last.name}"]').click()
    incoming = page.locator(".detail .numbers").first.locator("td")
    assert last.gradient is not None
    assert [float(text) for text in incoming.all_text_contents()] == pytest.approx(
        last.gradient[step.row].tolist(), rel=1e-4
    )


def test_two_runs_compare(page: Any, address: str) -> None:
    page.goto(address)
    boxes = page.get_by_role("checkbox")
    boxes.nth(1).wait_for()  # the list is filled after the page is there
    for box in boxes.all():
        box.check()
    page.get_by_role("button", name="Compare").click()
    page.locator("figure svg").wait_for()
    assert {"0.01", "0.02"} <= set(page.locator("td").all_text_contents())


def test_a_training_moves_the_curves(page: Any, address: str, runs: Path) -> None:
    live = runs / "live"
    train = ["train", "courier", "--epochs", "100000", "--patience", "100000", "-q"]
    command = [sys.executable, "-m", "chainrule", *train, "--output", str(live)]
    training = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        page.goto(address)
        page.get_by_role("link", name="live", exact=True).click()
        curve = page.locator("#pictures polyline").first
        curve.wait_for()
        before, now = curve.get_attribute("points"), page.locator("p.live")
        epoch = now.text_content()
        sync_api.expect(now).not_to_have_text(epoch)
        sync_api.expect(curve).not_to_have_attribute("points", before)
    finally:
        page.goto("about:blank")  # so that it does not ask for what is taken away
        training.terminate()
        training.wait()
        shutil.rmtree(live, ignore_errors=True)


def test_the_playground_learns(page: Any, address: str) -> None:
    page.goto(f"{address}#/play")
    page.get_by_label("Hidden layers").fill("8")
    page.get_by_role("button", name="Learn").click()
    status = page.get_by_role("status")
    sync_api.expect(status).to_contain_text("epoch", timeout=20_000)
    page.get_by_role("button", name="Stop").click()
    assert re.search(r"training loss \d", status.text_content())


def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Any, address: str) -> None:
    made = browser.new_page(viewport={"width": 360, "height": 700}, color_scheme="dark")
    for place in ("", "#/run/arms", "#/compare?run=arms&run=price%20run", "#/play"):
        made.goto(address + place)
        made.locator("h1").wait_for()
        made.wait_for_timeout(200)
        assert made.evaluate("document.documentElement.scrollWidth") <= 360
    made.close()

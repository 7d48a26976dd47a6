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

PATIENCE = 90_000
"""Milliseconds to wait at most: processes begin late on a machine that has much to do."""

sync_api.expect.set_options(timeout=PATIENCE)

VIEWS = {
    "": ".runs h2",
    "#/run/arms": "#pictures svg",
    "#/run/arms/steps": ".node",
    "#/run/arms/trouble": ".main",
    "#/run/arms/data": "table",
    "#/compare?run=arms&run=price%20run": "figure svg",
    "#/play": "form",
}
"""Each view, and what is there when it is ready."""


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """A page on which nothing goes wrong, and which asks nobody but its own server."""
    made = browser.new_page(viewport={"width": 1100, "height": 800})
    wrong = watched(made, (address, "data:", "about:"))
    yield made
    made.close()
    assert wrong == []


def watched(page: Any, own: tuple[str, ...]) -> list[str]:
    """What goes wrong on a page from now on: errors, and requests to anything but `own`."""
    page.set_default_timeout(PATIENCE)
    wrong: list[str] = []

    def asked(request: Any) -> None:
        if not request.url.startswith(own):
            wrong.append(request.url)

    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", asked)
    return wrong


def axe() -> Any:
    """axe-core, which names what people who cannot see well, or have no mouse, cannot use."""
    return pytest.importorskip("axe_playwright_python.sync_playwright").Axe()


def cells(page: Any, place: int = 0) -> list[float]:
    """The numbers in one of the fields of the open node."""
    found = page.locator(".detail .field").nth(place).locator(".numbers td")
    return [float(text) for text in found.all_text_contents()]


def test_a_node_opens_with_the_numbers_of_the_interpreter(
    page: Any, address: str, runs: Path
) -> None:
    page.goto(f"{address}#/run/arms/steps?step=7")
    page.locator(".node", has_text=re.compile("line")).first.wait_for()
    step = Run(runs / "arms").step(7)
    assert step.apart is not None
    last = [layer for layer in step.layers if layer.phase == "forward"][-1]
    page.locator('[data-node="forward loss"]', has_text=f"{step.loss:.5g}"[:6]).wait_for()
    page.locator(f'[data-node="forward {last.name}"]').click()
    assert cells(page) == pytest.approx(last.output[step.row].tolist(), rel=1e-4)
    page.locator(f'[data-node="backward {last.name}"]').click()
    assert last.gradient is not None
    assert cells(page) == pytest.approx(last.gradient[step.row].tolist(), rel=1e-4)
    link = next(link for link in reversed(last.links) if link.factors)
    factor = link.factors[0]
    assert factor.local is not None
    shown = page.locator(".detail .link").first.locator(".field")
    local, passed = (
        [float(text) for text in shown.nth(place).locator("td").all_text_contents()]
        for place in (1, 2)
    )
    assert local == pytest.approx(factor.local[step.row].tolist(), rel=1e-4)
    assert passed == pytest.approx(factor.passed[step.row].tolist(), rel=1e-4)
    update = step.updates[-1]
    page.locator(f'[data-node="update {update.name}"]').click()
    before, after = cells(page, 0), cells(page, 4)
    assert before == pytest.approx(update.before.tolist(), rel=1e-4)
    assert after == pytest.approx(update.after.tolist(), rel=1e-4)


def test_the_steps_are_walked_through_with_the_keyboard(
    page: Any, address: str, runs: Path
) -> None:
    """From step to step, from node to node, to another row; the address says where one is."""
    page.goto(f"{address}#/run/arms/steps")
    page.locator(".node").first.wait_for()
    page.get_by_label("Step", exact=True).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    said = page.get_by_role("status")
    sync_api.expect(said).to_contain_text("Step 3 of epoch 1")
    assert page.url.endswith("?step=3")
    page.locator('[data-node^="input"]').focus()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.keyboard.press("Enter")
    titles = []
    heading = page.locator(".detail h3")
    for _ in range(3):
        titles.append(heading.text_content().split(" ")[0])
        page.get_by_role("button", name="Next ›").press("Enter")
    layers = [layer.name for layer in Run(runs / "arms").step(3).layers]
    assert titles == ["The", *layers[:2]]
    row = page.locator('[data-node^="row"]').nth(1)
    line = row.get_attribute("data-node").split(" ")[1]
    row.press("Enter")
    sync_api.expect(page.locator(f'[data-node="row {line}"]')).to_have_attribute(
        "aria-pressed", "true"
    )


def test_two_runs_compare(page: Any, address: str) -> None:
    page.goto(address)
    boxes = page.get_by_role("checkbox")
    boxes.nth(2).wait_for()  # the list is filled after the page is there
    for name in ("arms", "price run"):
        page.get_by_label(f"compare {name}").check()
    page.get_by_role("button", name="Compare").click()
    page.locator("figure svg").wait_for()
    assert {"0.01", "0.02"} <= set(page.locator("td").all_text_contents())
    assert page.title() == "Runs compared · chainrule"


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


def test_trouble_is_looked_for(page: Any, address: str) -> None:
    page.goto(f"{address}#/run/price%20run/trouble")
    page.get_by_role("button", name="Look for trouble").click()
    found = page.get_by_text("Nothing looks wrong").or_(page.locator(".finding h2").first)
    sync_api.expect(found).to_be_visible(timeout=30_000)


def test_the_playground_learns_spirals_and_begins_again(page: Any, address: str) -> None:
    page.goto(f"{address}#/play")
    page.get_by_label("Hidden layers").fill("8")
    page.get_by_role("button", name="Learn").click()
    status = page.get_by_role("status")
    sync_api.expect(status).to_contain_text("Epoch")
    assert re.search(r"training loss \d", status.text_content())
    small = page.get_by_text(re.compile(r"[\d,]+ weights")).text_content()
    page.get_by_label("Hidden layers").fill("16,16")
    page.get_by_label("Hidden layers").press("Tab")
    sync_api.expect(page.get_by_text(re.compile(r"[\d,]+ weights"))).not_to_have_text(small)
    page.get_by_role("button", name="Stop").click()


def test_the_playground_learns_two_columns_of_the_users(page: Any, address: str) -> None:
    page.goto(f"{address}#/play")
    page.get_by_label("Data").select_option("houses")
    page.get_by_label("Column across").select_option("age")
    page.get_by_label("Column upwards").select_option("area")
    page.get_by_label("Between the layers").select_option("tanh")
    page.get_by_role("button", name="Learn").click()
    sync_api.expect(page.get_by_role("status")).to_contain_text("Epoch")
    page.get_by_text("across: age, upwards: area").wait_for()
    colours = page.evaluate(
        "() => { const c = document.querySelector('canvas');"
        " const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        " return new Set([...Array(400).keys()].map(i => d.slice(2304*i, 2304*i+3).join())).size }"
    )
    assert colours > 2  # something is painted
    page.get_by_role("button", name="Stop").click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_and_reach_it(scheme: str, browser: Any, address: str) -> None:
    """axe-core finds nothing: names, roles, order of headings, contrast, what the keyboard reaches.

    And on a phone nothing is wider than the screen.
    """
    judge = axe()
    context = browser.new_context(
        viewport={"width": 360, "height": 700}, color_scheme=scheme, bypass_csp=True
    )
    made = context.new_page()
    made.set_default_timeout(PATIENCE)
    for place, ready in VIEWS.items():
        made.goto(address + place)
        made.locator(ready).first.wait_for()
        if ready == ".node":
            made.locator('[data-node^="backward layers"]').first.click()
            made.locator(".detail .link").first.wait_for()
        assert made.evaluate("document.documentElement.scrollWidth") <= 360, place
        found = judge.run(made).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], place
    context.close()


def test_what_lies_in_a_folder_cannot_act(
    browser: Any, runs: Path, address: str, tmp_path: Path
) -> None:
    """A run of somebody else's, with a picture that would run a script and ask another server."""
    hostile = (
        '<svg xmlns="http://www.w3.org/2000/svg" onload="window.acted = 1"><title>x</title>'
        "<script>window.acted = 1</script>"
        '<image href="http://127.0.0.1:9/a.png" onerror="window.acted = 1"/>'
        '<foreignObject><img xmlns="http://www.w3.org/1999/xhtml" src="http://127.0.0.1:9/b.png"'
        ' onerror="window.acted = 1"/></foreignObject></svg>'
    )
    folder = runs / "hostile"
    shutil.copytree(runs / "arms", folder)
    (folder / "pictures" / "extra.svg").write_text(hostile)
    made = browser.new_page()
    made.set_default_timeout(PATIENCE)
    asked: list[str] = []
    made.on("response", lambda answer: asked.append(answer.url))
    try:
        made.goto(f"{address}#/run/hostile")
        made.locator("foreignObject").wait_for(state="attached")
        made.wait_for_timeout(200)
        assert made.evaluate("window.acted") is None
        assert all(url.startswith((address, "data:")) for url in asked)
    finally:
        made.close()
        shutil.rmtree(folder)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_opens_from_the_disk(scheme: str, browser: Any, runs: Path) -> None:
    """Without a network, without a server, on a phone: nothing goes wrong, and all is readable."""
    context = browser.new_context(
        viewport={"width": 360, "height": 700}, color_scheme=scheme, offline=True
    )
    made = context.new_page()
    report = (runs / "arms" / "report.html").as_uri()
    wrong = watched(made, (report,))
    made.goto(report)
    assert made.get_by_role("heading", name="Predicting arm").is_visible()
    assert made.locator("figure svg").count() >= 3
    assert made.evaluate("document.documentElement.scrollWidth") <= 360
    found = axe().run(made).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
    assert wrong == []
    context.close()

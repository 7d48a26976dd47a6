"""How soon the page is there, and whether a run of 100,000 steps stays usable in it.

In a real browser, on this machine: the first paint of the list of runs; the curves of the long run;
a step opened for the first time, one far away, its neighbour, and the same again.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.goals import duration
from benchmarks.harness import FailedError

ROUNDS = 5
STEPS = 100_800  # of 7,200 epochs of the spirals
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def main(arguments: list[str] | None = None) -> None:
    """Rounds, a new browser page each; medians."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks page")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args(arguments or []).rounds
    print(f"The page in Chromium, a run of {STEPS:,} steps; medians of {rounds} rounds")
    with tempfile.TemporaryDirectory() as folder:
        _train(Path(folder) / "long")
        found: dict[str, list[float]] = {}
        for _ in range(rounds):
            with _served(Path(folder)) as address, _browser() as browser:
                for what, seconds in _visit(browser.new_page(), address):
                    found.setdefault(what, []).append(seconds)
    for what, seconds in found.items():
        print(f"  {what:<44}{duration(statistics.median(seconds)):>10}", flush=True)


def _visit(page: Any, address: str) -> Iterator[tuple[str, float]]:
    """What a reader of the long run does, with the seconds that each takes."""
    page.set_default_timeout(120_000)
    page.goto(address)
    page.locator(".runs h2").first.wait_for()
    paint = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
    yield "first paint of the list", page.evaluate(paint) / 1e3
    run = f"{address}#/run/long"
    yield "its curves", _timed(page, lambda: page.goto(run), "#pictures polyline")
    yield "its first step", _timed(page, lambda: page.goto(f"{run}/steps"), ".node")
    for what, step in (("far", 50_000), ("next", 50_001), ("back", 49_900), ("again", 50_000)):
        box = page.get_by_label("Step number")

        def go(step: int = step, box: Any = box) -> None:
            box.fill(str(step))
            box.press("Enter")

        epoch, within = divmod(step - 1, 14)
        said = f"text=/^Step {within + 1} of epoch {epoch + 1:,},/"
        yield f"step {step:,} ({what})", _timed(page, go, said)


def _timed(page: Any, act: Callable[[], Any], awaited: str) -> float:
    began = time.perf_counter()
    act()
    page.locator(awaited).first.wait_for()
    return time.perf_counter() - began


def _train(run: Path) -> None:
    train = ["train", "spirals", "--epochs", "7200", "--patience", "7200", "--layers", "8"]
    command = [sys.executable, "-m", "chainrule", *train, "--quiet", "--output", str(run)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise FailedError(done.stderr.strip().splitlines()[-1])


@contextmanager
def _served(runs: Path) -> Iterator[str]:
    ask = [sys.executable, "-m", "chainrule", "ui", str(runs), "--port", "0", "--quiet"]
    with subprocess.Popen(ask, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            address = server.stdout.readline().strip()
            if not address:
                raise FailedError("the page did not start")
            yield address
        finally:
            server.terminate()


@contextmanager
def _browser() -> Iterator[Any]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise FailedError("it needs playwright") from None
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise FailedError("it needs chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()

"""The README is true: its scripts print what it says, and its command shows what it shows."""

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

from chainrule.cli.main import cli

README = (Path(__file__).parent.parent / "README.md").read_text()
SCRIPTS = re.findall(r"```python\n(.*?)```\n.*?```text\n(.*?)```", README, re.DOTALL)
SCREENS = re.findall(r"```text\n\$ chainrule (.*?)\n(.*?)```", README, re.DOTALL)


def run(script: str) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(script, "step.py", "exec"), {"__name__": "__main__"})
    return out.getvalue()


def test_there_is_something_to_check() -> None:
    assert len(SCRIPTS) == 3
    assert len(SCREENS) == 1


@pytest.mark.parametrize(("script", "output"), SCRIPTS)
def test_scripts_print_what_it_says(script: str, output: str) -> None:
    assert run(script).strip() == output.strip()


def lasting(text: str) -> list[str]:
    """The lines without what differs between runs and machines: numbers and the folder's name."""
    text = re.sub(r"runs/\S+", "RUN", text)
    text = re.sub(r"\d[\d,.]*", "N", text)
    text = text.replace("N min N s", "N s")  # on a machine that has much else to do
    return [" ".join(line.split()) for line in text.strip().splitlines()]


def accuracy(text: str) -> float:
    found = re.search(r"this model +([\d.]+)", text)
    assert found is not None
    return float(found.group(1))


@pytest.mark.parametrize(("command", "screen"), SCREENS)
def test_command_shows_what_it_shows(
    command: str, screen: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        cli(command.split(), standalone_mode=False)
    shown = [line for line in lasting(screen) if not line.startswith("Next:")]
    assert lasting(out.getvalue()) == shown
    assert accuracy(out.getvalue()) == pytest.approx(accuracy(screen), abs=0.02)
